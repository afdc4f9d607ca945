-- Sum of entered_count of a stage over all months, per unit, pipeline, channel and segment.
select unit, pipeline_id, stage, channel, segment
from {{ ref("funnel_monthly") }}
group by unit, pipeline_id, stage, channel, segment
having
    sum(case when basis = 'cohort' then entered_count else 0 end)
    <> sum(case when basis = 'activity' then entered_count else 0 end)
