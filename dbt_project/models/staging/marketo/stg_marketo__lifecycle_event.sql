{{ config(enabled=connected("marketo")) }}

-- Stages of leads: changes of the fields that the map lifecycle_authority names, by their REST names (Change Data
-- Value,
-- type 13), and of revenue stages (type 101) as the field `Revenue Stage`. The value before the first known change
-- counts
-- since the lead was made; a Lead Status that never changed counts since then too.
{% set touched_activities %}
    select source_system, lead_id as touched_key
    from ({{ versions("marketo", "activities", ["lead_id", "activity_type_id"], keys=["marketo_guid"]) }}) as new_activities
    where activity_type_id in (13, 101)
{% endset %}

with
    leads as (
        {{
            latest(
                "marketo",
                "leads",
                ["created_at", "lead_status"],
                cursor="updated_at",
                also_touched=[touched_activities],
            )
        }}
    ),

    fields as ({{ latest("marketo", "lead_fields", ["name"], restrict=false) }}),

    stage_fields as (
        select distinct leads.source_system, authority.source_field
        from (select distinct source_system, vendor from leads) as leads
        inner join
            ({{ map_rows("lifecycle_authority") }}) as authority
            on {{ applies_to("authority.source_system", "leads.source_system", "leads.vendor") }}
    ),

    activities as (
        select
            source_system,
            marketo_guid,
            lead_id,
            activity_type_id,
            stamp,
            primary_attribute_value_id,
            primary_attribute_value,
            attributes
        from
            (
                {{
                    versions(
                        "marketo",
                        "activities",
                        [
                            "lead_id",
                            "activity_type_id",
                            "primary_attribute_value_id",
                            "primary_attribute_value",
                            "attributes",
                        ],
                        keys=["marketo_guid"],
                        cursor="activity_date",
                        restrict=false,
                    )
                }}
            ) as every_version
        where activity_type_id in (13, 101) and (source_system, lead_id) in (select source_system, id from leads)
        qualify row_number() over (partition by source_system, marketo_guid order by load_seq desc, _seq desc) = 1
    ),

    changes as (
        select
            activities.source_system,
            activities.lead_id,
            stage_fields.source_field,
            {{ json_key("cast(activities.attributes as string)", "Old Value") }} as old_value,
            {{ json_key("cast(activities.attributes as string)", "New Value") }} as new_value,
            activities.stamp as changed_at
        from activities
        left join
            fields
            on activities.source_system = fields.source_system
            and activities.primary_attribute_value_id = fields.id
        inner join
            stage_fields
            on activities.source_system = stage_fields.source_system
            and {{ word("stage_fields.source_field") }}
            = {{ word("cast(coalesce(fields.name, activities.primary_attribute_value) as string)") }}
        where activities.activity_type_id = 13
        union all
        select
            source_system,
            lead_id,
            'Revenue Stage' as source_field,
            {{ json_key("cast(attributes as string)", "Old Stage") }} as old_value,
            {{ json_key("cast(attributes as string)", "New Stage") }} as new_value,
            stamp as changed_at
        from activities
        where activity_type_id = 101
    ),

    first_values as (
        select source_system, lead_id, source_field, min_by(coalesce(old_value, ''), changed_at) as old_value
        from changes
        group by source_system, lead_id, source_field
    ),

    entries as (
        select source_system, lead_id, source_field, new_value as source_value, changed_at as entered_at
        from changes
        union all
        select
            leads.source_system,
            leads.id as lead_id,
            first_values.source_field,
            first_values.old_value as source_value,
            {{ to_utc_timestamp("leads.created_at") }} as entered_at
        from leads
        inner join first_values on leads.source_system = first_values.source_system and leads.id = first_values.lead_id
        union all
        select
            leads.source_system,
            leads.id as lead_id,
            'leadStatus' as source_field,
            leads.lead_status as source_value,
            {{ to_utc_timestamp("leads.created_at") }} as entered_at
        from leads
        left join
            first_values
            on leads.source_system = first_values.source_system
            and leads.id = first_values.lead_id
            and {{ word("first_values.source_field") }} = 'leadstatus'
        where first_values.lead_id is null
    )

select
    {{ record_key("leads.source_system", "'leads'", "leads.id") }} as record_key,
    leads.source_system,
    leads.vendor,
    entries.source_field,
    entries.source_value,
    entries.entered_at,
    leads.load_seq
from entries
inner join leads on entries.source_system = leads.source_system and entries.lead_id = leads.id
where entries.source_value <> ''
