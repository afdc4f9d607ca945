{{ config(enabled=connected("pipedrive")) }}

-- The one person that a deal names; its participants are not read.
with deals as ({{ latest("pipedrive", "deals", ["person_id", "add_time"], cursor="update_time", flag="is_deleted") }})

select
    {{
        common_columns(
            "deal_persons", source_id="id", created="add_time", flag="is_deleted", deleted="person_id is null"
        )
    }},
    {{ key_of("deals", "id") }} as opportunity_key,
    {{ key_of("persons", "person_id") }} as person_key,
    cast(null as string) as role,
    true as is_primary
from deals
