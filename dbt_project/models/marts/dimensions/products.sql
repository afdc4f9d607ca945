-- One row per product of any tool, deleted ones too: what was sold keeps its name. Family, margin and whether it recurs
-- by the map product_map where it names the product, else as the tool says. Depends on no as-of.
with
    listed as (
        select products.record_key, product_map.product_family, product_map.margin_rate, product_map.is_recurring
        from {{ ref("canonical_product") }} as products
        inner join
            ({{ map_rows("product_map") }}) as product_map
            on {{ applies_to("product_map.source_system", "products.source_system", "products.vendor") }}
            and {{ word("product_map.source_product") }}
            in ({{ word("products.source_id") }}, {{ word("products.code") }}, {{ word("products.name") }})
        qualify
            row_number() over (
                partition by products.record_key
                order by
                    {{ nearness("product_map.source_system", "products.source_system", "products.vendor") }} desc,
                    case
                        {{ word("product_map.source_product") }}
                        when {{ word("products.source_id") }}
                        then 1
                        when {{ word("products.code") }}
                        then 2
                        else 3
                    end,
                    product_map.source_product
            )
            = 1
    )

select
    products.record_key as product_id,
    products.name as product_name,
    products.code as product_code,
    coalesce(listed.product_family, products.family) as product_family,
    case
        when coalesce(listed.margin_rate, products.margin_rate) between 0 and 1
        then coalesce(listed.margin_rate, products.margin_rate)
    end as margin_rate,
    coalesce(listed.is_recurring, products.is_recurring, false) as is_recurring,
    cast(products.list_price as decimal(18, 2)) as list_price_amount,
    products.currency,
    not coalesce(products.is_deleted, false) and products.merged_into_key is null as is_active,
    products.source_system,
    products.source_id
from {{ ref("canonical_product") }} as products
left join listed on products.record_key = listed.record_key
