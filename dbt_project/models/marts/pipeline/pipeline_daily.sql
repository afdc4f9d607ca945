-- The open pipeline at the end of each day, with the flows that led to it, at four levels and per stage and in all.
-- Full and sparse: running sums over movements, spread over the days between them. Stages, units and accounts are
-- numbers until the end, because windows over millions of hashed ids cost several times as much.
{% set causes = [
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
{% set flow_columns = [] %}
{% for cause in causes %} {% do flow_columns.append(cause ~ "_amount") %} {% endfor %}

with
    today as (select {{ as_of_date() }} as as_of_date),
    moves as (select * from {{ ref("pipeline_movements") }}),
    stage_numbers as (
        select stage, row_number() over (order by stage) as stage_number
        from (select distinct stage from moves) as stages
        union all
        select 'all' as stage, 0 as stage_number
    ),
    account_numbers as (
        select account_id, row_number() over (order by account_id) as account_number
        from (select distinct account_id from moves where account_id is not null) as accounts
    ),
    units as (
        select level, unit_id, unit_name, row_number() over (order by level, unit_id) as unit_number
        from (select distinct level, unit_id, unit_name from {{ ref("reporting_units") }}) as distinct_units
    ),
    seat_units as (
        select members.seat_id, units.unit_number
        from {{ ref("reporting_units") }} as members
        inner join units on members.level = units.level and members.unit_id = units.unit_id
    ),
    -- A day later than as-of that the tools already name (a closure dated ahead) counts on the as-of day.
    movements as (
        select
            least(moves.movement_date, today.as_of_date) as movement_date,
            stage_numbers.stage_number,
            moves.seat_id,
            account_numbers.account_number,
            moves.cause,
            moves.amount,
            moves.opportunity_count
        from moves
        cross join today
        inner join stage_numbers on moves.stage = stage_numbers.stage
        left join account_numbers on moves.account_id = account_numbers.account_id
    ),
    seat_days as (
        select
            movement_date,
            stage_number,
            seat_id,
            sum(opportunity_count) as opportunity_count,
            {{ amount_sum("amount") }} as amount,
            {% for cause in causes %}
                coalesce({{ amount_sum("case when cause = '" ~ cause ~ "' then amount end") }}, 0) as {{ cause }}_amount
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from movements
        group by movement_date, stage_number, seat_id
    ),
    stage_flows as (
        select
            days.movement_date,
            days.stage_number,
            seat_units.unit_number,
            sum(days.opportunity_count) as opportunity_count,
            {{ amount_sum("days.amount") }} as amount,
            {% for cause in causes %}
                {{ amount_sum("days." ~ cause ~ "_amount") }} as {{ cause }}_amount {%- if not loop.last %},{% endif %}
            {% endfor %}
        from seat_days as days
        inner join seat_units on days.seat_id = seat_units.seat_id
        group by days.movement_date, days.stage_number, seat_units.unit_number
    ),
    flows as (
        select *
        from stage_flows
        union all
        select
            movement_date,
            0 as stage_number,
            unit_number,
            sum(opportunity_count) as opportunity_count,
            {{ amount_sum("amount") }} as amount,
            {% for cause in causes %}
                {{ amount_sum(cause ~ "_amount") }} as {{ cause }}_amount {%- if not loop.last %},{% endif %}
            {% endfor %}
        from stage_flows
        group by movement_date, unit_number
    ),
    -- Distinct accounts: +1 when the first open deal of an account enters the cell, -1 when the last one leaves it.
    account_days as (
        select movement_date, stage_number, seat_id, account_number, sum(opportunity_count) as opportunity_count
        from movements
        where account_number is not null and opportunity_count <> 0
        group by movement_date, stage_number, seat_id, account_number
        having sum(opportunity_count) <> 0
    ),
    account_stages as (
        select
            days.movement_date,
            days.stage_number,
            seat_units.unit_number,
            days.account_number,
            sum(days.opportunity_count) as opportunity_count
        from account_days as days
        inner join seat_units on days.seat_id = seat_units.seat_id
        group by days.movement_date, days.stage_number, seat_units.unit_number, days.account_number
        having sum(days.opportunity_count) <> 0
    ),
    account_cells as (
        select
            movement_date,
            stage_number,
            unit_number,
            -- One number for stage, unit and account: a window over one key sorts faster than over three.
            (cast(unit_number as bigint) * 1000 + stage_number) * 1000000000 + account_number as cell_account_number,
            opportunity_count
        from account_stages
        union all
        select
            movement_date,
            0 as stage_number,
            unit_number,
            cast(unit_number as bigint) * 1000 * 1000000000 + account_number as cell_account_number,
            sum(opportunity_count) as opportunity_count
        from account_stages
        group by movement_date, unit_number, account_number
        having sum(opportunity_count) <> 0
    ),
    account_totals as (
        select
            movement_date,
            stage_number,
            unit_number,
            opportunity_count,
            sum(opportunity_count) over (
                partition by cell_account_number order by movement_date rows between unbounded preceding and current row
            ) as open_count
        from account_cells
    ),
    account_deltas as (
        select
            movement_date, stage_number, unit_number, sum(case when open_count > 0 then 1 else -1 end) as account_count
        from account_totals
        where (open_count > 0) <> (open_count - opportunity_count > 0)
        group by movement_date, stage_number, unit_number
    ),
    balances as (
        select
            flows.movement_date,
            lead(flows.movement_date) over (
                partition by flows.unit_number, flows.stage_number order by flows.movement_date
            ) as next_date,
            flows.stage_number,
            flows.unit_number,
            sum(flows.amount) over (
                partition by flows.unit_number, flows.stage_number
                order by flows.movement_date
                rows between unbounded preceding and current row
            ) as amount,
            sum(flows.opportunity_count) over (
                partition by flows.unit_number, flows.stage_number
                order by flows.movement_date
                rows between unbounded preceding and current row
            ) as opportunity_count,
            sum(coalesce(account_deltas.account_count, 0)) over (
                partition by flows.unit_number, flows.stage_number
                order by flows.movement_date
                rows between unbounded preceding and current row
            ) as account_count,
            {% for cause in causes %} flows.{{ cause }}_amount {%- if not loop.last %},{% endif %} {% endfor %}
        from flows
        left join
            account_deltas
            on flows.movement_date = account_deltas.movement_date
            and flows.stage_number = account_deltas.stage_number
            and flows.unit_number = account_deltas.unit_number
    ),
    -- An empty cell is shown on the day that emptied it only.
    intervals as (
        select
            balances.*,
            case
                when balances.opportunity_count = 0
                then balances.movement_date
                else coalesce(cast({{ dbt.dateadd("day", -1, "balances.next_date") }} as date), today.as_of_date)
            end as last_date
        from balances
        cross join today
    ),
    cell_days as (
        {{
            each_day(
                "intervals",
                "movement_date",
                "last_date",
                ["movement_date", "stage_number", "unit_number", "account_count", "opportunity_count", "amount"]
                + flow_columns,
            )
        }}
    )

select
    cell_days.day_date as snapshot_date,
    stage_numbers.stage,
    cast(stages.stage_order as bigint) as stage_order,
    units.level,
    units.unit_id,
    units.unit_name,
    cast(cell_days.account_count as bigint) as account_count,
    cast(cell_days.opportunity_count as bigint) as opportunity_count,
    cast(cell_days.amount as decimal(18, 2)) as amount,
    -- The win model comes later.
    cast(null as decimal(18, 2)) as weighted_amount,
    -- The flows are those of the day with which the balance began.
    {% for cause in causes %}
        case
            when cell_days.day_date = cell_days.movement_date
            then cell_days.{{ cause }}_amount
            else cast(0 as decimal(18, 2))
        end as {{ cause }}_amount
        {%- if not loop.last %},{% endif %}
    {% endfor %}
from cell_days
inner join stage_numbers on cell_days.stage_number = stage_numbers.stage_number
inner join units on cell_days.unit_number = units.unit_number
left join
    {{ ref("funnel_stages") }} as stages on stages.entity_type = 'opportunity' and stage_numbers.stage = stages.stage
where cell_days.opportunity_count <> 0 {% for cause in causes %} or cell_days.{{ cause }}_amount <> 0 {% endfor %}
