-- Renewal pipelines left out; a win that was undone is none.
with
    expected as (
        select deals.pipeline_id, count(*) as deal_count
        from {{ ref("opportunities") }} as deals
        inner join {{ ref("opportunity_closures") }} as closures on deals.opportunity_id = closures.opportunity_id
        left join ({{ map_rows("pipelines") }}) as pipelines on deals.pipeline_id = pipelines.pipeline
        where deals.is_won and coalesce(pipelines.is_new_business, true) and closures.closed_at <= {{ as_of() }}
        group by deals.pipeline_id
    ),
    measured as (
        select pipeline_id, sum(entered_count) as deal_count
        from {{ ref("funnel_monthly") }}
        where basis = 'cohort' and unit = 'opportunity' and stage = 'won'
        group by pipeline_id
    )

select
    coalesce(expected.pipeline_id, measured.pipeline_id) as pipeline_id,
    expected.deal_count as expected_count,
    measured.deal_count as measured_count
from expected
full outer join measured on expected.pipeline_id = measured.pipeline_id
where expected.deal_count is distinct from measured.deal_count
