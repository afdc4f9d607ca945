{{ config(enabled=connected("files")) }}

-- The record that a person was turned into, where a file names it.
with people as ({{ files_latest("person", ["converted_to_ref"]) }})

select
    {{ record_key("source_system", "source_object", "source_id") }} as record_key,
    {{ files_key("converted_to_ref") }} as linked_key,
    'converted' as kind,
    'person' as entity_type,
    source_system,
    load_seq
from people
where converted_to_ref is not null
