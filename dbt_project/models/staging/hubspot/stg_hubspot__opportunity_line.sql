{{ config(enabled=connected("hubspot")) }}

-- Line items; the deal is the one whose set of associations holds the line.
{% set columns = [
    "createdate",
    "name",
    "hs_product_id",
    "quantity",
    "amount",
    "hs_line_item_currency_code",
    "product_family",
    "recurringbillingfrequency",
    "hs_recurring_billing_period",
    "hs_recurring_billing_start_date",
    "hs_recurring_billing_end_date",
    "service_start_date",
    "service_end_date",
] %}
{% set touched_lines = [
    touched("hubspot", "line_items", "id"),
    touched_by_links("hubspot", "deals_line_items", "$.to"),
    touched_by_lookup("hubspot", "account_info", "line_items"),
] %}

with
    touched_lines as ({{ touched_lines | join(" union ") }}),

    lines as (
        {{
            latest(
                "hubspot",
                "line_items",
                columns,
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=["select * from touched_lines"],
            )
        }}
    ),

    deals_of_lines as (
        select source_system, to_id, from_id as deal_id, load_seq
        from ({{ link_sets("hubspot", "deals_line_items", "$.to", restrict=false) }}) as sets
        qualify
            row_number() over (
                partition by source_system, to_id
                order by case when is_current then 0 else 1 end, last_seen_at desc, from_id
            )
            = 1
    ),

    joined_lines as (
        select lines.*, deals_of_lines.deal_id, portals.record_base, portals.company_currency
        from lines
        left join
            deals_of_lines on lines.source_system = deals_of_lines.source_system and lines.id = deals_of_lines.to_id
        left join {{ ref("stg_hubspot__portal") }} as portals on lines.source_system = portals.source_system
    )

select
    {{ common_columns("line_items", created="createdate", flag="archived", url="record_base || '0-3/' || deal_id") }},
    {{ key_of("deals", "deal_id") }} as opportunity_key,
    {{ key_of("products", "hs_product_id") }} as product_key,
    product_family,
    name as product_name,
    quantity,
    amount as amount_original,
    coalesce(hs_line_item_currency_code, company_currency, '{{ var("default_currency") }}') as currency,
    coalesce(service_start_date, hs_recurring_billing_start_date) as service_start_date,
    coalesce(service_end_date, hs_recurring_billing_end_date) as service_end_date,
    coalesce(recurringbillingfrequency, hs_recurring_billing_period) is not null as is_recurring
from joined_lines
