{{ config(materialized="table") }}

-- Pairs of records that a person holds together or keeps apart: the map identity_overrides, by the keys of the records.
select
    cast(entity_type as string) as entity_type,
    {{ record_key("source_system", "source_object", "source_id") }} as record_key,
    {{ record_key("other_system", "other_object", "other_id") }} as other_key,
    cast(decision as string) as decision,
    cast(note as string) as note,
    source_system || ' ' || source_object || ' ' || source_id as record_name,
    other_system || ' ' || other_object || ' ' || other_id as other_name
from ({{ map_rows("identity_overrides") }}) as listed
