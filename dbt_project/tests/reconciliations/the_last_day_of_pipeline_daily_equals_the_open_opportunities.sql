-- Per level, unit and stage: deals, amount and distinct accounts of the day of as-of.
with
    deals as (
        select units.level, units.unit_id, opportunities.stage, opportunities.account_id, opportunities.amount
        from {{ ref("opportunities") }} as opportunities
        left join
            {{ ref("owner_seats") }} as seats on opportunities.owner_id = seats.owner_id and seats.valid_to is null
        inner join {{ ref("reporting_units") }} as units on coalesce(seats.seat_id, 'none') = units.seat_id
        where not opportunities.is_closed
    ),
    expected as (
        select
            level,
            unit_id,
            stage,
            count(*) as opportunity_count,
            count(distinct account_id) as account_count,
            coalesce(sum(amount), 0) as amount
        from deals
        group by level, unit_id, stage
        union all
        select
            level,
            unit_id,
            'all' as stage,
            count(*) as opportunity_count,
            count(distinct account_id) as account_count,
            coalesce(sum(amount), 0) as amount
        from deals
        group by level, unit_id
    ),
    measured as (
        select level, unit_id, stage, opportunity_count, account_count, amount
        from {{ ref("pipeline_daily") }}
        where snapshot_date = {{ as_of_date() }} and opportunity_count <> 0
    )

select
    coalesce(expected.level, measured.level) as level,
    coalesce(expected.unit_id, measured.unit_id) as unit_id,
    coalesce(expected.stage, measured.stage) as stage,
    expected.opportunity_count as expected_count,
    measured.opportunity_count as measured_count,
    expected.account_count as expected_accounts,
    measured.account_count as measured_accounts,
    expected.amount as expected_amount,
    measured.amount as measured_amount
from expected
full outer join
    measured
    on expected.level = measured.level
    and expected.unit_id = measured.unit_id
    and expected.stage = measured.stage
where
    expected.opportunity_count is distinct from measured.opportunity_count
    or expected.account_count is distinct from measured.account_count
    or expected.amount is distinct from measured.amount
