{{ config(enabled=connected("kintone")) }}

with roles as ({{ mapped_rows_of_deals("kintone", "opportunity_person", ["person_ref", "role", "is_primary"]) }})

select
    {{ files_common() }},
    {{ files_key("opportunity_ref") }} as opportunity_key,
    {{ files_key("person_ref") }} as person_key,
    role,
    coalesce(is_primary, false) as is_primary
from roles
