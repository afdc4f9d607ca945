{{ config(enabled=connected("salesforce")) }}

{% set columns = [
    "name",
    "product_code",
    "family",
    "list_price_c",
    "currency_iso_code",
    "is_recurring_c",
    "margin_rate_c",
] %}

with
    products as (
        {{ latest("salesforce", "product2", columns + ["created_date"], cursor="system_modstamp", flag="is_deleted") }}
    )

select
    {{
        common_columns(
            "Product2", created="created_date", flag="is_deleted", url=instance_url("salesforce") ~ " || '/' || id"
        )
    }},
    name,
    product_code as code,
    family,
    list_price_c as list_price,
    coalesce(currency_iso_code, '{{ var("default_currency") }}') as currency,
    is_recurring_c as is_recurring,
    margin_rate_c / 100.0 as margin_rate
from products
