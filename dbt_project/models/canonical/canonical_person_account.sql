with records as ({{ union_staging("person_account") }})

select
    record_key,
    source_system,
    vendor,
    source_object,
    source_id,
    created_at,
    updated_at,
    is_deleted,
    deleted_at,
    merged_into_key,
    record_url,
    extra_columns,
    load_id,
    load_seq,
    person_key,
    account_key,
    role,
    is_primary,
    valid_from,
    valid_to
from records
