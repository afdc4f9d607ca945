-- Deals with a date of creation, renewal pipelines left out, are the members of the first stage.
with
    expected as (
        select count(*) as deal_count
        from {{ ref("opportunities") }} as deals
        left join ({{ map_rows("pipelines") }}) as pipelines on deals.pipeline_id = pipelines.pipeline
        where coalesce(pipelines.is_new_business, true) and deals.created_at <= {{ as_of() }}
    ),
    measured as (
        select coalesce(sum(entered_count), 0) as deal_count
        from {{ ref("funnel_monthly") }}
        where basis = 'cohort' and unit = 'opportunity' and stage_order = 1
    )

select expected.deal_count as expected_count, measured.deal_count as measured_count
from expected
cross join measured
where measured.deal_count < expected.deal_count
