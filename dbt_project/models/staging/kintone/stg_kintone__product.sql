{{ config(enabled=connected("kintone")) }}

with
    products as (
        {{
            mapped_latest(
                "kintone",
                "product",
                ["name", "code", "family", "list_price", "currency", "is_recurring", "margin_rate"],
            )
        }}
    )

select
    {{ files_common() }},
    name,
    code,
    family,
    list_price,
    coalesce(currency, '{{ var("default_currency") }}') as currency,
    is_recurring,
    margin_rate
from products
