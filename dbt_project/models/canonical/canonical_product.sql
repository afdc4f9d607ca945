with records as ({{ with_own_fields("product", "(" ~ union_staging("product") ~ ")") }})

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
    name,
    code,
    family,
    list_price,
    currency,
    is_recurring,
    margin_rate
from records
