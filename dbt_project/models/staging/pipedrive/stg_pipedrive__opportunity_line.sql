{{ config(enabled=connected("pipedrive")) }}

{% set columns = [
    "deal_id",
    "product_id",
    "name",
    "quantity",
    "sum",
    "currency",
    "billing_frequency",
    "billing_start_date",
] %}

with
    -- The category of a product is its family.
    lines as ({{ latest("pipedrive", "deal_products", columns + ["add_time"], cursor="update_time") }})

select
    {{ common_columns("deal_products", created="add_time") }},
    {{ key_of("deals", "deal_id") }} as opportunity_key,
    {{ key_of("products", "product_id") }} as product_key,
    cast(null as string) as product_family,
    name as product_name,
    quantity,
    sum as amount_original,
    coalesce(currency, '{{ var("default_currency") }}') as currency,
    billing_start_date as service_start_date,
    cast(null as date) as service_end_date,
    billing_frequency <> 'one-time' as is_recurring
from lines
