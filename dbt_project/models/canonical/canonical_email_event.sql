with records as ({{ union_staging("email_event") }})

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
    campaign_key,
    send_key,
    event,
    occurred_at,
    is_bot
from records
