-- Merges and splits of entities, as the ledger of the precious file remembers them. Old ids exist nowhere else.
select entity_type, old_entity_id, new_entity_id, {{ to_utc_timestamp("changed_at") }} as changed_at, reason
from {{ ledger("identity_history") }}
where run_seq <= {{ through_seq() }}
