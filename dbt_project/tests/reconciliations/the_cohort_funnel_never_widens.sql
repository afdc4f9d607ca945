-- entered_count falls from stage to stage; what advanced is what entered the next stage; rates lie in 0..1.
with
    cohorts as (
        select
            *,
            lead(entered_count) over (
                partition by unit, pipeline_id, cohort_month, channel, segment order by stage_order
            ) as entered_next
        from {{ ref("funnel_monthly") }}
        where basis = 'cohort'
    )

select unit, pipeline_id, cohort_month, channel, segment, stage
from cohorts
where
    entered_next > entered_count
    or advanced_count <> coalesce(entered_next, 0)
    or conversion_rate not between 0
    and 1
    or cumulative_rate not between 0
    and 1
    or open_count > entered_count - advanced_count
