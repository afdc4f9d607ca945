{{ config(enabled=connected("hubspot")) }}

-- Lifecycle stages and lead statuses of contacts by propertiesWithHistory of all loaded versions; without history the
-- present value since the contact was made.
{% set fields = ["lifecyclestage", "hs_lead_status"] %}

with
    loaded_versions as (
        {{
            versions(
                "hubspot",
                "contacts",
                fields + ["createdate", "properties_with_history"],
                cursor="lastmodifieddate",
                flag="archived",
                also_touched=[touched("hubspot", "contacts", "hs_merged_object_ids", ";")],
            )
        }}
    ),

    {% for field in fields %}
        {{ field }}_histories as (
            select source_system, vendor, id, {{ json_text("properties_with_history", "$." ~ field) }} as entries
            from loaded_versions
        ),

        {{ field }}_entries as (
            {{ explode_json_list(field ~ "_histories", "entries", ["source_system", "vendor", "id"]) }}
        ),
    {% endfor %}

    newest as (
        select loaded_versions.*, max(load_seq) over (partition by source_system, id) as newest_load_seq
        from loaded_versions
        qualify row_number() over (partition by source_system, id order by stamp desc, load_seq desc, _seq desc) = 1
    ),

    entries as (
        {% for field in fields %}
            select
                source_system,
                vendor,
                id,
                '{{ field }}' as source_field,
                {{ json_text("item", "$.value") }} as source_value,
                {{ to_utc_timestamp(json_text("item", "$.timestamp")) }} as entered_at
            from {{ field }}_entries
            union all
            select
                source_system,
                vendor,
                id,
                '{{ field }}' as source_field,
                {{ field }} as source_value,
                {{ to_utc_timestamp("createdate") }} as entered_at
            from newest
            where {{ json_text("properties_with_history", "$." ~ field) }} is null {{ 'union all' if not loop.last }}
        {% endfor %}
    )

select distinct
    {{ record_key("entries.source_system", "'contacts'", "entries.id") }} as record_key,
    entries.source_system,
    entries.vendor,
    entries.source_field,
    entries.source_value,
    entries.entered_at,
    newest.newest_load_seq as load_seq
from entries
inner join newest on entries.source_system = newest.source_system and entries.id = newest.id
where entries.source_value <> ''
