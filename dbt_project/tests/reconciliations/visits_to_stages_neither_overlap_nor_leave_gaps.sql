-- Each real visit ends where the next begins; one visit is current, and it is the stage of the deal.
with
    visits as (
        select
            opportunity_id,
            stage,
            entered_at,
            exited_at,
            is_current,
            lead(entered_at) over (
                partition by opportunity_id order by entered_at, exited_at nulls last
            ) as next_entered_at
        from {{ ref("opportunity_stage_history") }}
        where not is_inferred
    ),
    current_visits as (
        select opportunity_id, count(*) as visit_count, max(stage) as stage
        from visits
        where is_current
        group by opportunity_id
    )

select opportunity_id, stage, 'gap or overlap' as problem
from visits
where exited_at is distinct from next_entered_at or exited_at < entered_at or is_current <> (exited_at is null)
union all
select opportunity_id, stage, 'a skipped stage with a length' as problem
from {{ ref("opportunity_stage_history") }}
where is_inferred and (entered_at <> exited_at or days_in_stage <> 0 or is_current)
union all
select opportunity_id, stage, 'days that are none' as problem
from {{ ref("opportunity_stage_history") }}
where days_in_stage < 0 or (days_in_stage is null) <> is_current
union all
select deals.opportunity_id, deals.stage, 'current stage' as problem
from {{ ref("opportunities") }} as deals
left join current_visits on deals.opportunity_id = current_visits.opportunity_id
where coalesce(current_visits.visit_count, 0) <> 1 or deals.stage <> current_visits.stage
