{{ config(enabled=connected("hubspot")) }}

{% set columns = [
    "createdate",
    "name",
    "hs_sku",
    "price",
    "hs_cost_of_goods_sold",
    "currency",
    "product_family",
    "margin_rate",
    "recurringbillingfrequency",
    "hs_recurring_billing_period",
] %}

with
    products as (
        {{
            latest(
                "hubspot",
                "products",
                columns,
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=[touched_by_lookup("hubspot", "account_info", "products")],
            )
        }}
    ),

    joined_products as (
        select products.*, portals.record_base, portals.company_currency
        from products
        left join {{ ref("stg_hubspot__portal") }} as portals on products.source_system = portals.source_system
    )

select
    {{ common_columns("products", created="createdate", flag="archived", url="record_base || '0-7/' || id") }},
    name,
    hs_sku as code,
    product_family as family,
    price as list_price,
    coalesce(currency, company_currency, '{{ var("default_currency") }}') as currency,
    coalesce(recurringbillingfrequency, hs_recurring_billing_period) is not null as is_recurring,
    coalesce(margin_rate, 1 - cast(hs_cost_of_goods_sold as double) / nullif(cast(price as double), 0)) as margin_rate
from joined_products
