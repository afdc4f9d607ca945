{{ config(enabled=connected("kintone")) }}

{% set columns = [
    "product_ref",
    "product_family",
    "product_name",
    "quantity",
    "amount",
    "currency",
    "service_start_date",
    "service_end_date",
    "is_recurring",
] %}

with lines as ({{ mapped_rows_of_deals("kintone", "opportunity_line", columns) }})

select
    {{ files_common() }},
    {{ files_key("opportunity_ref") }} as opportunity_key,
    {{ files_key("product_ref") }} as product_key,
    product_family,
    product_name,
    quantity,
    amount as amount_original,
    coalesce(currency, '{{ var("default_currency") }}') as currency,
    service_start_date,
    service_end_date,
    is_recurring
from lines
