{{ config(enabled=connected("kintone")) }}

-- The record that a person was turned into, where a field names it.
with people as ({{ mapped_latest("kintone", "person", ["converted_to_ref"]) }})

select
    {{ record_key("source_system", "source_object", "source_id") }} as record_key,
    {{ files_key("converted_to_ref") }} as linked_key,
    'converted' as kind,
    'person' as entity_type,
    source_system,
    load_seq
from people
where converted_to_ref is not null
