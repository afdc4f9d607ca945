with
    records as ({{ union_staging('account') }})

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
    domain,
    website,
    phone,
    corporate_number,
    parent_key,
    industry,
    employee_count,
    country,
    region,
    city,
    postal_code,
    street,
    account_type,
    owner_key
from records
