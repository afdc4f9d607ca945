{{ config(enabled=connected("pipedrive")) }}

-- A product has a price for each currency; the first one is the company's own.
{% set columns = ["name", "code", "category", "prices", "billing_frequency"] %}

with
    products as ({{ latest("pipedrive", "products", columns + ["add_time"], cursor="update_time", flag="is_deleted") }})

select
    {{
        common_columns(
            "products",
            created="add_time",
            flag="is_deleted",
            url=instance_url("pipedrive") ~ " || '/product/' || id",
        )
    }},
    name,
    code,
    category as family,
    cast({{ json_text("prices", "$[0].price") }} as decimal(18, 4)) as list_price,
    coalesce({{ json_text("prices", "$[0].currency") }}, '{{ var("default_currency") }}') as currency,
    billing_frequency <> 'one-time' as is_recurring,
    cast(null as double) as margin_rate
from products
