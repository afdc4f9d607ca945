-- The open pipeline at the end of each day, with the flows that led to it, at four levels and per stage and in all.
-- Full and sparse: running sums over movements, spread over the days between them.
with
    today as (select {{ local_date(as_of()) }} as as_of_date),
    -- A day later than as-of that the tools already name (a closure dated ahead) counts on the as-of day.
    movements as (
        select
            least(moves.movement_date, today.as_of_date) as movement_date,
            moves.stage,
            moves.owner_id,
            moves.account_id,
            moves.cause,
            moves.amount,
            moves.opportunity_count
        from {{ ref("pipeline_movements") }} as moves
        cross join today
    ),
    owner_days as (
        select movement_date, stage, owner_id, cause, sum(amount) as amount, sum(opportunity_count) as opportunity_count
        from movements
        group by movement_date, stage, owner_id, cause
    ),
    stage_rows as (
        select
            days.movement_date,
            days.stage,
            units.level,
            units.unit_id,
            days.cause,
            sum(days.amount) as amount,
            sum(days.opportunity_count) as opportunity_count
        from owner_days as days
        inner join {{ ref("reporting_units") }} as units on days.owner_id = units.owner_id
        group by days.movement_date, days.stage, units.level, units.unit_id, days.cause
    ),
    with_all as (
        select *
        from stage_rows
        union all
        select movement_date, 'all' as stage, level, unit_id, cause, amount, opportunity_count
        from stage_rows
    ),
    flows as (
        select
            movement_date,
            stage,
            level,
            unit_id,
            sum(amount) as amount,
            sum(opportunity_count) as opportunity_count,
            cast(0 as bigint) as account_count,
            {% for cause in [
                "created",
                "reopened",
                "won",
                "lost",
                "moved_in",
                "moved_out",
                "changed",
                "reassigned",
                "revalued",
                "removed",
            ] %}
                coalesce(sum(amount) filter (where cause = '{{ cause }}'), 0) as {{ cause }}_amount
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from with_all
        group by movement_date, stage, level, unit_id
    ),
    -- Distinct accounts: +1 when the first open deal of an account enters the cell, -1 when the last one leaves it.
    account_days as (
        select movement_date, stage, owner_id, account_id, sum(opportunity_count) as opportunity_count
        from movements
        where account_id is not null and opportunity_count <> 0
        group by movement_date, stage, owner_id, account_id
    ),
    account_units as (
        select
            days.movement_date,
            days.stage,
            units.level,
            units.unit_id,
            days.account_id,
            sum(days.opportunity_count) as opportunity_count
        from account_days as days
        inner join {{ ref("reporting_units") }} as units on days.owner_id = units.owner_id
        group by days.movement_date, days.stage, units.level, units.unit_id, days.account_id
    ),
    account_cells as (
        select movement_date, stage, level, unit_id, account_id, opportunity_count
        from account_units
        where opportunity_count <> 0
        union all
        select movement_date, 'all' as stage, level, unit_id, account_id, sum(opportunity_count) as opportunity_count
        from account_units
        group by movement_date, level, unit_id, account_id
        having sum(opportunity_count) <> 0
    ),
    account_totals as (
        select
            movement_date,
            stage,
            level,
            unit_id,
            opportunity_count,
            sum(opportunity_count) over (
                partition by level, unit_id, stage, account_id
                order by movement_date
                rows between unbounded preceding and current row
            ) as open_count
        from account_cells
    ),
    account_deltas as (
        select
            movement_date,
            stage,
            level,
            unit_id,
            sum(
                case
                    when open_count > 0 and open_count - opportunity_count <= 0
                    then 1
                    when open_count <= 0 and open_count - opportunity_count > 0
                    then -1
                    else 0
                end
            ) as account_count
        from account_totals
        group by movement_date, stage, level, unit_id
    ),
    deltas as (
        select
            flows.movement_date,
            flows.stage,
            flows.level,
            flows.unit_id,
            flows.amount,
            flows.opportunity_count,
            coalesce(account_deltas.account_count, 0) as account_count,
            flows.created_amount,
            flows.reopened_amount,
            flows.won_amount,
            flows.lost_amount,
            flows.moved_in_amount,
            flows.moved_out_amount,
            flows.changed_amount,
            flows.reassigned_amount,
            flows.revalued_amount,
            flows.removed_amount
        from flows
        left join
            account_deltas
            on flows.movement_date = account_deltas.movement_date
            and flows.stage = account_deltas.stage
            and flows.level = account_deltas.level
            and flows.unit_id = account_deltas.unit_id
    ),
    balances as (
        select
            deltas.movement_date,
            lead(deltas.movement_date) over (
                partition by deltas.level, deltas.unit_id, deltas.stage order by deltas.movement_date
            ) as next_date,
            deltas.stage,
            deltas.level,
            deltas.unit_id,
            {% for measure in ["amount", "opportunity_count", "account_count"] %}
                sum(deltas.{{ measure }}) over (
                    partition by deltas.level, deltas.unit_id, deltas.stage
                    order by deltas.movement_date
                    rows between unbounded preceding and current row
                ) as {{ measure }},
            {% endfor %}
            deltas.created_amount,
            deltas.reopened_amount,
            deltas.won_amount,
            deltas.lost_amount,
            deltas.moved_in_amount,
            deltas.moved_out_amount,
            deltas.changed_amount,
            deltas.reassigned_amount,
            deltas.revalued_amount,
            deltas.removed_amount
        from deltas
    ),
    days as (
        select calendar.day_date
        from {{ ref("calendar") }} as calendar
        cross join today
        where calendar.day_date <= today.as_of_date
    ),
    spread as (
        select
            days.day_date as snapshot_date,
            balances.stage,
            balances.level,
            balances.unit_id,
            balances.account_count,
            balances.opportunity_count,
            balances.amount,
            days.day_date = balances.movement_date as has_flows,
            balances.created_amount,
            balances.reopened_amount,
            balances.won_amount,
            balances.lost_amount,
            balances.moved_in_amount,
            balances.moved_out_amount,
            balances.changed_amount,
            balances.reassigned_amount,
            balances.revalued_amount,
            balances.removed_amount
        from balances
        inner join
            days
            on days.day_date >= balances.movement_date
            and (days.day_date < balances.next_date or balances.next_date is null)
            and (days.day_date = balances.movement_date or balances.opportunity_count <> 0)
    ),
    units as (select distinct level, unit_id, unit_name from {{ ref("reporting_units") }})

select
    spread.snapshot_date,
    spread.stage,
    cast(stages.stage_order as bigint) as stage_order,
    spread.level,
    spread.unit_id,
    units.unit_name,
    cast(spread.account_count as bigint) as account_count,
    cast(spread.opportunity_count as bigint) as opportunity_count,
    cast(spread.amount as decimal(18, 2)) as amount,
    -- The win model comes later.
    cast(null as decimal(18, 2)) as weighted_amount,
    {% for cause in [
        "created",
        "reopened",
        "won",
        "lost",
        "moved_in",
        "moved_out",
        "changed",
        "reassigned",
        "revalued",
        "removed",
    ] %}
        cast(
            case when spread.has_flows then spread.{{ cause }}_amount else 0 end as decimal(18, 2)
        ) as {{ cause }}_amount
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from spread
inner join units on spread.level = units.level and spread.unit_id = units.unit_id
left join {{ ref("funnel_stages") }} as stages on stages.entity_type = 'opportunity' and spread.stage = stages.stage
where
    spread.opportunity_count <> 0
    or spread.created_amount <> 0
    or spread.reopened_amount <> 0
    or spread.won_amount <> 0
    or spread.lost_amount <> 0
    or spread.moved_in_amount <> 0
    or spread.moved_out_amount <> 0
    or spread.changed_amount <> 0
    or spread.reassigned_amount <> 0
    or spread.revalued_amount <> 0
    or spread.removed_amount <> 0
