-- Rates into the reporting currency: daily ones with the day on which the next begins, and each fiscal year's budget
-- rate. The reporting currency itself has the rate 1 always.
{{ config(schema="work") }}

with
    daily as (
        select
            from_currency as currency,
            rate_date as valid_from,
            lead(rate_date) over (partition by from_currency order by rate_date) as valid_to,
            cast(rate as decimal(14, 8)) as rate
        from {{ ref("canonical_fx_rate") }}
        where to_currency = '{{ var("reporting_currency") }}' and from_currency <> '{{ var("reporting_currency") }}'
    ),
    budget as (
        select
            from_currency as currency, cast(fiscal_year as bigint) as fiscal_year, cast(rate as decimal(14, 8)) as rate
        from ({{ map_rows("budget_rates") }}) as budget_rates
        where to_currency = '{{ var("reporting_currency") }}' and from_currency <> '{{ var("reporting_currency") }}'
    )

select 'daily' as basis, currency, cast(null as bigint) as fiscal_year, valid_from, valid_to, rate
from daily
union all
select 'budget' as basis, currency, fiscal_year, cast(null as date) as valid_from, cast(null as date) as valid_to, rate
from budget
