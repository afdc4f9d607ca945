{{ config(pre_hook='{{ forget_changed(["account", "person", "opportunity"]) }}') }}

-- Links between records that the vendors themselves give. Replaced per carrying record.
with links as ({{ union_staging("record_link") }})

select record_key, linked_key, kind, entity_type, source_system, max(load_seq) as load_seq
from links
where record_key is not null and linked_key is not null and record_key <> linked_key
group by record_key, linked_key, kind, entity_type, source_system
