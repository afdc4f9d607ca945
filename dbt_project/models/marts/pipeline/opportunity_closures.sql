-- The closure that counts of each deal in the marts: its latest one. Frozen at the rate of its close date; a lost
-- deal's
-- amount is its last non-zero amount while open. Nothing depends on as-of.
{{ config(schema="work") }}

with
    latest as (
        select
            visits.record_key,
            visits.opportunity_id,
            visits.stage,
            visits.is_won,
            visits.entered_at,
            visits.history_basis,
            visits.visit_number
        from {{ ref("opportunity_visits") }} as visits
        where visits.is_closed and visits.exited_at is null
    ),
    last_versions as (
        select record_key, amount_original, currency, owner_id
        from {{ ref("opportunity_states") }}
        qualify row_number() over (partition by record_key order by version_number desc) = 1
    ),
    open_amounts as (
        select record_key, amount_original, currency
        from {{ ref("opportunity_states") }}
        where not is_closed and amount_original <> 0
        qualify row_number() over (partition by record_key order by version_number desc) = 1
    ),
    amounts as (
        select
            latest.record_key,
            latest.opportunity_id,
            latest.stage,
            latest.is_won,
            latest.entered_at as closed_at,
            latest.visit_number = 1 and latest.history_basis = 'assumed' as is_assumed,
            coalesce(deals.close_date, {{ local_date("latest.entered_at") }}) as close_date,
            last_versions.owner_id,
            case
                when not latest.is_won and open_amounts.record_key is not null
                then open_amounts.amount_original
                else last_versions.amount_original
            end as amount_original,
            case
                when not latest.is_won and open_amounts.record_key is not null
                then open_amounts.currency
                else last_versions.currency
            end as currency
        from latest
        inner join last_versions on latest.record_key = last_versions.record_key
        inner join {{ ref("opportunity_records") }} as deals on latest.record_key = deals.record_key
        left join open_amounts on latest.record_key = open_amounts.record_key
    )

select
    amounts.record_key,
    amounts.opportunity_id,
    amounts.stage,
    amounts.is_won,
    amounts.closed_at,
    amounts.is_assumed,
    {{ local_date("amounts.closed_at") }} as closed_day,
    amounts.close_date,
    amounts.owner_id,
    amounts.amount_original,
    amounts.currency,
    {{
        converted(
            "amounts.amount_original",
            "case when amounts.currency = '" ~ var("reporting_currency") ~ "' then 1 else rates.rate end",
        )
    }} as amount
from amounts
left join
    {{ ref("currency_rates") }} as rates
    on rates.basis = 'daily'
    and amounts.currency = rates.currency
    and amounts.close_date >= rates.valid_from
    and (amounts.close_date < rates.valid_to or rates.valid_to is null)
