-- The funnel by month, on two bases (cohort of entry, month of event) and for three units.
with
    today as (select {{ as_of() }} as as_of_at, {{ as_of_date() }} as as_of_date),
    disqualifications as (
        select person_id, max(last_entered_at) as last_entered_at
        from {{ ref("person_stages") }}
        where stage = 'disqualified'
        group by person_id
    ),
    outcomes as (
        select
            'opportunity' as unit,
            opportunity_id as member_id,
            not is_closed as is_open,
            created_at as started_at,
            coalesce(closed_at, {{ start_of_day("close_date") }}) as ended_at,
            amount
        from {{ ref("opportunities") }}
        union all
        select
            'person' as unit,
            people.person_id as member_id,
            people.lifecycle_stage not in ('customer', 'disqualified') as is_open,
            people.created_at as started_at,
            coalesce(people.customer_at, disqualifications.last_entered_at) as ended_at,
            cast(null as decimal(18, 2)) as amount
        from {{ ref("person_360") }} as people
        left join
            disqualifications
            on people.person_id = disqualifications.person_id
            and people.lifecycle_stage = 'disqualified'
        union all
        select
            'account' as unit,
            accounts.account_id as member_id,
            accounts.lifecycle_stage not in ('customer', 'disqualified') as is_open,
            attributes.created_at as started_at,
            accounts.first_won_at as ended_at,
            cast(null as decimal(18, 2)) as amount
        from {{ ref("customer_360") }} as accounts
        inner join {{ ref("account_attributes") }} as attributes on accounts.account_id = attributes.account_id
    ),
    -- How long members take to close, over the months before as-of.
    durations as (
        select
            outcomes.unit,
            percentile_cont({{ var("maturity_percentile") }}) within group (
                order by {{ elapsed_days("outcomes.started_at", "outcomes.ended_at") }}
            ) as days_to_close
        from outcomes
        cross join today
        where
            not outcomes.is_open
            and outcomes.ended_at <= today.as_of_at
            and outcomes.ended_at > {{ dbt.dateadd("month", -(var("maturity_months") | int), "today.as_of_at") }}
            and outcomes.started_at <= outcomes.ended_at
        group by outcomes.unit
    ),
    entries as (
        select
            entries.unit,
            entries.pipeline_id,
            entries.channel,
            entries.segment,
            entries.stage,
            entries.stage_order,
            entries.is_last_stage,
            entries.cohort_month,
            entries.reached_month,
            case when entries.next_reached_at <= today.as_of_at then entries.next_reached_at end as next_reached_at,
            outcomes.is_open and entries.stage_order = entries.furthest_order as is_open_here,
            outcomes.is_open,
            case
                when entries.is_actual and entries.next_entered_at = entries.next_reached_at
                then {{ elapsed_days("entries.reached_at", "entries.next_reached_at") }}
            end as days_to_next,
            outcomes.amount
        from {{ ref("funnel_entries") }} as entries
        cross join today
        inner join outcomes on entries.unit = outcomes.unit and entries.member_id = outcomes.member_id
        where entries.reached_at <= today.as_of_at
    ),
    cohorts as (
        select
            unit,
            cohort_month,
            pipeline_id,
            stage,
            stage_order,
            is_last_stage,
            channel,
            segment,
            count(*) as entered_count,
            count(next_reached_at) as advanced_count,
            count(*) filter (where is_open_here) as open_count,
            count(*) filter (where is_open) as still_open_count,
            median(days_to_next) as median_days_to_next,
            {{ amount_sum("amount") }} as amount
        from entries
        group by unit, cohort_month, pipeline_id, stage, stage_order, is_last_stage, channel, segment
    ),
    cohort_rows as (
        select
            'cohort' as basis,
            cohorts.unit,
            cohorts.cohort_month,
            cohorts.pipeline_id,
            cohorts.stage,
            cohorts.stage_order,
            cohorts.channel,
            cohorts.segment,
            cohorts.entered_count,
            cohorts.advanced_count,
            cohorts.open_count,
            case
                when not cohorts.is_last_stage then cast(cohorts.advanced_count as double) / cohorts.entered_count
            end as conversion_rate,
            cast(cohorts.entered_count as double) / max(cohorts.entered_count) over (
                partition by cohorts.unit, cohorts.cohort_month, cohorts.pipeline_id, cohorts.channel, cohorts.segment
            ) as cumulative_rate,
            cast(null as double) as throughput_ratio,
            cohorts.median_days_to_next,
            max(cohorts.still_open_count) over (
                partition by cohorts.unit, cohorts.cohort_month, cohorts.pipeline_id, cohorts.channel, cohorts.segment
            )
            = 0
            or coalesce(
                {{ days_between(dbt.dateadd("month", 1, "cohorts.cohort_month"), "today.as_of_date") }}
                > durations.days_to_close,
                false
            ) as is_mature,
            cohorts.amount
        from cohorts
        cross join today
        left join durations on cohorts.unit = durations.unit
    ),
    arrivals as (
        select
            unit,
            reached_month,
            pipeline_id,
            stage,
            stage_order,
            is_last_stage,
            channel,
            segment,
            count(*) as entered_count,
            {{ amount_sum("amount") }} as amount
        from entries
        group by unit, reached_month, pipeline_id, stage, stage_order, is_last_stage, channel, segment
    ),
    activity_rows as (
        select
            'activity' as basis,
            arrivals.unit,
            arrivals.reached_month as cohort_month,
            arrivals.pipeline_id,
            arrivals.stage,
            arrivals.stage_order,
            arrivals.channel,
            arrivals.segment,
            arrivals.entered_count,
            coalesce(next_arrivals.entered_count, 0) as advanced_count,
            cast(null as bigint) as open_count,
            cast(null as double) as conversion_rate,
            cast(null as double) as cumulative_rate,
            case
                when not arrivals.is_last_stage
                then cast(coalesce(next_arrivals.entered_count, 0) as double) / arrivals.entered_count
            end as throughput_ratio,
            cast(null as double) as median_days_to_next,
            cast(null as boolean) as is_mature,
            arrivals.amount
        from arrivals
        left join
            arrivals as next_arrivals
            on arrivals.unit = next_arrivals.unit
            and arrivals.reached_month = next_arrivals.reached_month
            and arrivals.pipeline_id = next_arrivals.pipeline_id
            and arrivals.channel = next_arrivals.channel
            and arrivals.segment = next_arrivals.segment
            and arrivals.stage_order + 1 = next_arrivals.stage_order
    ),
    all_rows as (
        select *
        from cohort_rows
        union all
        select *
        from activity_rows
    )

select
    basis,
    unit,
    cohort_month,
    pipeline_id,
    stage,
    cast(stage_order as bigint) as stage_order,
    channel,
    segment,
    cast(entered_count as bigint) as entered_count,
    cast(advanced_count as bigint) as advanced_count,
    cast(open_count as bigint) as open_count,
    conversion_rate,
    cumulative_rate,
    throughput_ratio,
    cast(median_days_to_next as double) as median_days_to_next,
    is_mature,
    amount
from all_rows
