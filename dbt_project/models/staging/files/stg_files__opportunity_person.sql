{{ config(enabled=connected("files")) }}

with roles as ({{ files_latest("opportunity_person", ["opportunity_ref", "person_ref", "role", "is_primary"]) }})

select
    {{ files_common() }},
    {{ files_key("opportunity_ref") }} as opportunity_key,
    {{ files_key("person_ref") }} as person_key,
    role,
    coalesce(is_primary, false) as is_primary
from roles
