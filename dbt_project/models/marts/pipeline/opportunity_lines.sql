-- What each deal consists of. The header's amount rules: what its lines do not add up to is one line `unallocated`, so
-- that the lines of a deal always sum to its amount. Money is converted as opportunities do it: closed deals at the
-- rate
-- of the close date, open ones at the budget rate of as-of's fiscal year.
{% set reporting_currency = var("reporting_currency") %}

with
    deals as (
        select opportunity_id, amount, currency, is_closed, close_date, {{ fiscal_year(as_of_date()) }} as fiscal_year
        from {{ ref("opportunities") }}
    ),
    -- The lines of the record that rules, else of the next live record of the deal that has any: never of two tools.
    lines as (
        select
            records.entity_id as opportunity_id,
            lines.record_key,
            lines.product_key,
            lines.product_family,
            lines.product_name,
            lines.quantity,
            lines.amount_original,
            lines.currency,
            lines.service_start_date,
            lines.service_end_date,
            lines.is_recurring
        from {{ ref("canonical_opportunity_line") }} as lines
        inner join
            {{ ref("entity_records") }} as records
            on lines.opportunity_key = records.record_key
            and records.entity_type = 'opportunity'
        where records.is_live and not coalesce(lines.is_deleted, false) and lines.merged_into_key is null
        qualify records.precedence = min(records.precedence) over (partition by records.entity_id)
    ),
    valued as (
        select
            lines.opportunity_id,
            lines.record_key as line_id,
            products.product_id,
            coalesce(
                products.product_family, lines.product_family, products.product_name, lines.product_name, 'none'
            ) as product_family,
            lines.quantity,
            {{
                converted(
                    "lines.amount_original",
                    "case when coalesce(lines.currency, deals.currency) = '"
                    ~ reporting_currency
                    ~ "' then 1 when deals.is_closed then daily_rates.rate else budget_rates.rate end",
                )
            }} as amount,
            lines.service_start_date,
            lines.service_end_date,
            coalesce(lines.is_recurring, products.is_recurring, false) as is_recurring
        from lines
        inner join deals on lines.opportunity_id = deals.opportunity_id
        left join {{ ref("products") }} as products on lines.product_key = products.product_id
        left join
            {{ ref("currency_rates") }} as daily_rates
            on daily_rates.basis = 'daily'
            and coalesce(lines.currency, deals.currency) = daily_rates.currency
            and deals.close_date >= daily_rates.valid_from
            and (deals.close_date < daily_rates.valid_to or daily_rates.valid_to is null)
        left join
            {{ ref("currency_rates") }} as budget_rates
            on budget_rates.basis = 'budget'
            and coalesce(lines.currency, deals.currency) = budget_rates.currency
            and deals.fiscal_year = budget_rates.fiscal_year
    ),
    allocated as (select opportunity_id, {{ amount_sum("amount") }} as amount from valued group by opportunity_id)

select
    opportunity_id,
    line_id,
    product_id,
    product_family,
    quantity,
    amount,
    service_start_date,
    service_end_date,
    is_recurring
from valued
union all
select
    deals.opportunity_id,
    deals.opportunity_id || '-unallocated' as line_id,
    cast(null as string) as product_id,
    'unallocated' as product_family,
    cast(null as double) as quantity,
    cast(coalesce(deals.amount, 0) - coalesce(allocated.amount, 0) as decimal(18, 2)) as amount,
    cast(null as date) as service_start_date,
    cast(null as date) as service_end_date,
    false as is_recurring
from deals
left join allocated on deals.opportunity_id = allocated.opportunity_id
where coalesce(deals.amount, 0) <> coalesce(allocated.amount, 0)
