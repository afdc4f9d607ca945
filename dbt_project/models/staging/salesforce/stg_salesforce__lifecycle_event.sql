{{ config(enabled=connected("salesforce")) }}

-- A lead's status by LeadHistory: the value before the first change holds since the lead was created. Conversion is an
-- entry of its own. Without LeadHistory the present status is all that is known.
{% set touched_leads = [
    touched("salesforce", "lead_history", "lead_id"),
    touched_through("salesforce", "lead", "converted_contact_id", "contact"),
    touched_through("salesforce", "lead", "converted_opportunity_id", "opportunity"),
] %}

with
    touched_leads as ({{ touched_leads | join(" union ") }}),

    leads as (
        {{
            latest(
                "salesforce",
                "lead",
                ["status", "is_converted", "converted_date"] + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=["select * from touched_leads"],
            )
        }}
    ),

    status_changes as (
        select
            leads.source_system,
            leads.id as lead_id,
            {{ to_utc_timestamp("every_row.created_date") }} as changed_at,
            {{ unquoted("every_row.old_value") }} as old_status,
            {{ unquoted("every_row.new_value") }} as new_status
        from
            (
                {{
                    versions(
                        "salesforce",
                        "lead_history",
                        ["lead_id", "field", "created_date", "old_value", "new_value"],
                        restrict=false,
                    )
                }}
            ) as every_row
        inner join leads on every_row.source_system = leads.source_system and every_row.lead_id = leads.id
        where every_row.field = 'Status'
        qualify
            row_number() over (
                partition by every_row.source_system, every_row.id order by every_row.load_seq desc, every_row._seq desc
            )
            = 1
    ),

    first_status as (
        select source_system, lead_id, min_by(old_status, changed_at) as old_status
        from status_changes
        group by source_system, lead_id
    ),

    entries as (
        select source_system, lead_id, 'Status' as source_field, new_status as source_value, changed_at as entered_at
        from status_changes
        union all
        select
            leads.source_system,
            leads.id as lead_id,
            'Status' as source_field,
            coalesce(first_status.old_status, leads.status) as source_value,
            {{ to_utc_timestamp("leads.created_date") }} as entered_at
        from leads
        left join first_status on leads.source_system = first_status.source_system and leads.id = first_status.lead_id
        -- A converted lead without any history had another status before, which nobody kept.
        where first_status.old_status is not null or not coalesce(leads.is_converted, false)
        union all
        select
            leads.source_system,
            leads.id as lead_id,
            'IsConverted' as source_field,
            'true' as source_value,
            conversions.converted_at as entered_at
        from leads
        inner join
            {{ ref("stg_salesforce__conversion") }} as conversions
            on leads.source_system = conversions.source_system
            and leads.id = conversions.lead_id
    )

select
    {{ record_key("leads.source_system", "'Lead'", "leads.id") }} as record_key,
    leads.source_system,
    leads.vendor,
    entries.source_field,
    entries.source_value,
    entries.entered_at,
    leads.load_seq
from entries
inner join leads on entries.source_system = leads.source_system and entries.lead_id = leads.id
