{{ config(enabled=connected("salesforce")) }}

-- When leads were converted: what LeadHistory says, else when the deal or the contact that the conversion made was
-- created, if that was on the day of the conversion (a lead may also be converted into an old contact). ConvertedDate
-- has
-- no time.
-- https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_lead.htm
{% set touched_leads = [
    touched("salesforce", "lead_history", "lead_id"),
    touched_through("salesforce", "lead", "converted_contact_id", "contact"),
    touched_through("salesforce", "lead", "converted_opportunity_id", "opportunity"),
] %}
{% set lead_columns = ["is_converted", "converted_date", "converted_contact_id", "converted_opportunity_id"] %}

with
    touched_leads as ({{ touched_leads | join(" union ") }}),

    leads as (
        {{
            latest(
                "salesforce",
                "lead",
                lead_columns,
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=["select * from touched_leads"],
            )
        }}
    ),

    history as (
        select source_system, lead_id, min({{ to_utc_timestamp("created_date") }}) as converted_at
        from
            (
                {{ versions("salesforce", "lead_history", ["lead_id", "field", "created_date"], restrict=false) }}
            ) as entries
        where field = 'leadConverted'
        group by source_system, lead_id
    ),

    opportunities as (
        select source_system, id, min({{ to_utc_timestamp("created_date") }}) as made_at
        from
            (
                {{ versions("salesforce", "opportunity", ["created_date"], flag="is_deleted", restrict=false) }}
            ) as entries
        group by source_system, id
    ),

    contacts as (
        select source_system, id, min({{ to_utc_timestamp("created_date") }}) as made_at
        from ({{ versions("salesforce", "contact", ["created_date"], flag="is_deleted", restrict=false) }}) as entries
        group by source_system, id
    )

select
    leads.source_system,
    leads.id as lead_id,
    leads.load_seq,
    coalesce(
        history.converted_at,
        case when {{ local_date("opportunities.made_at") }} = leads.converted_date then opportunities.made_at end,
        case when {{ local_date("contacts.made_at") }} = leads.converted_date then contacts.made_at end,
        {{ start_of_local_day("leads.converted_date") }}
    ) as converted_at
from leads
left join history on leads.source_system = history.source_system and leads.id = history.lead_id
left join
    opportunities
    on leads.source_system = opportunities.source_system
    and leads.converted_opportunity_id = opportunities.id
left join contacts on leads.source_system = contacts.source_system and leads.converted_contact_id = contacts.id
where coalesce(leads.is_converted, false)
