with records as ({{ with_own_fields("opportunity_line", "(" ~ union_staging("opportunity_line") ~ ")") }})

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
    opportunity_key,
    product_key,
    product_family,
    product_name,
    quantity,
    amount_original,
    currency,
    service_start_date,
    service_end_date,
    is_recurring
from records
