with records as ({{ union_staging("campaign_member") }})

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
    campaign_key,
    person_key,
    status,
    responded_at
from records
