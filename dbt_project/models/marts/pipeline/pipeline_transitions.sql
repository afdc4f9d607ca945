-- Every day on which something of a deal changed, with the state before and after: what a day ends with counts, so that
-- a change undone on the same day is none. Open money stands at its fiscal year's budget rate. As-of bounds the fiscal
-- years only. A table of its own because the movements are read off it many times.
{{ config(schema="work") }}

{% set reporting_currency = var("reporting_currency") %}

with
    day_ends as (
        select
            states.record_key,
            {{ local_date("states.valid_from") }} as state_date,
            states.stage,
            states.is_closed,
            states.owner_id,
            states.amount_original,
            states.currency
        from {{ ref("opportunity_states") }} as states
        qualify
            row_number() over (
                partition by states.record_key, {{ local_date("states.valid_from") }}
                order by states.version_number desc
            )
            = 1
    ),
    bounded as (
        select
            day_ends.record_key,
            day_ends.state_date,
            lead(day_ends.state_date) over (partition by day_ends.record_key order by day_ends.state_date) as next_date,
            day_ends.stage,
            day_ends.is_closed,
            day_ends.owner_id,
            day_ends.amount_original,
            day_ends.currency,
            {{ local_date("deals.removed_at") }} as removed_date
        from day_ends
        inner join {{ ref("opportunity_records") }} as deals on day_ends.record_key = deals.record_key
    ),
    -- Days on which an open deal changes by itself: a fiscal year's first day gives a foreign currency the new budget
    -- rate, and an owner who changes team or department takes the deals along.
    breaks as (
        select bounded.record_key, years.day_date as break_date
        from bounded
        inner join
            {{ ref("calendar") }} as years
            on years.day_date = years.fiscal_year_start
            and years.day_date <= {{ as_of_date() }}
            and years.day_date > bounded.state_date
            and (years.day_date < bounded.next_date or bounded.next_date is null)
        where not bounded.is_closed and bounded.currency <> '{{ reporting_currency }}'
        union
        select bounded.record_key, seats.valid_from as break_date
        from bounded
        inner join
            {{ ref("owner_seats") }} as seats
            on bounded.owner_id = seats.owner_id
            and seats.valid_from > bounded.state_date
            and (seats.valid_from < bounded.next_date or bounded.next_date is null)
        where not bounded.is_closed
    ),
    dated as (
        select record_key, state_date, stage, is_closed, owner_id, amount_original, currency, removed_date
        from bounded
        union all
        select
            bounded.record_key,
            breaks.break_date as state_date,
            bounded.stage,
            bounded.is_closed,
            bounded.owner_id,
            bounded.amount_original,
            bounded.currency,
            bounded.removed_date
        from breaks
        inner join
            bounded
            on breaks.record_key = bounded.record_key
            and breaks.break_date > bounded.state_date
            and (breaks.break_date < bounded.next_date or bounded.next_date is null)
    ),
    valued as (
        select
            dated.record_key,
            dated.state_date,
            dated.stage,
            not dated.is_closed as is_open,
            coalesce(dated.owner_id, 'none') as owner_id,
            coalesce(seats.seat_id, 'none') as seat_id,
            coalesce(dated.amount_original, 0) as amount_original,
            dated.currency,
            dated.removed_date,
            case when dated.currency = '{{ reporting_currency }}' then 1 else rates.rate end as rate
        from dated
        left join
            {{ ref("currency_rates") }} as rates
            on rates.basis = 'budget'
            and dated.currency = rates.currency
            and rates.fiscal_year = {{ fiscal_year("dated.state_date") }}
        left join
            {{ ref("owner_seats") }} as seats
            on dated.owner_id = seats.owner_id
            and dated.state_date >= seats.valid_from
            and (dated.state_date < seats.valid_to or seats.valid_to is null)
        where dated.removed_date is null or dated.state_date < dated.removed_date
    ),
    sequenced as (
        select
            record_key,
            state_date,
            stage,
            is_open,
            owner_id,
            seat_id,
            amount_original,
            currency,
            rate,
            coalesce({{ converted("amount_original", "rate") }}, 0) as amount,
            removed_date,
            lag(state_date) over (partition by record_key order by state_date) is not null as has_before,
            coalesce(lag(is_open) over (partition by record_key order by state_date), false) as was_open,
            lag(stage) over (partition by record_key order by state_date) as stage_before,
            lag(owner_id) over (partition by record_key order by state_date) as owner_before,
            lag(seat_id) over (partition by record_key order by state_date) as seat_before,
            lag(currency) over (partition by record_key order by state_date) as currency_before,
            lag(rate) over (partition by record_key order by state_date) as rate_before,
            coalesce(
                lag({{ converted("amount_original", "rate") }}) over (partition by record_key order by state_date), 0
            ) as amount_before,
            lead(state_date) over (partition by record_key order by state_date) is null as is_last
        from valued
    ),
    changes as (
        select
            sequenced.record_key,
            sequenced.state_date,
            sequenced.stage,
            sequenced.owner_id,
            sequenced.seat_id,
            sequenced.is_open,
            sequenced.has_before,
            sequenced.was_open,
            sequenced.stage_before,
            sequenced.owner_before,
            sequenced.seat_before,
            sequenced.amount_before,
            sequenced.is_last,
            sequenced.removed_date,
            closures.record_key is not null as is_final_closure,
            coalesce(closures.is_won, false) as is_won,
            -- The amount after the change, at the rate before it: what the deal itself changed by.
            coalesce(
                case
                    when closures.record_key is not null and closures.currency = sequenced.currency_before
                    then {{ converted("closures.amount_original", "sequenced.rate_before") }}
                    when closures.record_key is null and sequenced.currency = sequenced.currency_before
                    then {{ converted("sequenced.amount_original", "sequenced.rate_before") }}
                end,
                coalesce(closures.amount, sequenced.amount),
                0
            ) as amount_at_rate_before,
            coalesce(
                case when closures.record_key is not null then closures.amount else sequenced.amount end, 0
            ) as amount
        from sequenced
        -- The condition on the left row is inside the key: beside it, the join would compare every pair.
        left join
            {{ ref("opportunity_closures") }} as closures
            on sequenced.record_key = closures.record_key
            and case when not sequenced.is_open then sequenced.state_date end = closures.closed_day
    )

select
    record_key,
    state_date,
    stage,
    owner_id,
    seat_id,
    is_open,
    has_before,
    was_open,
    stage_before,
    owner_before,
    seat_before,
    amount_before,
    is_final_closure,
    is_won,
    amount_at_rate_before,
    amount,
    case when is_last and is_open then removed_date end as removed_date
from changes
