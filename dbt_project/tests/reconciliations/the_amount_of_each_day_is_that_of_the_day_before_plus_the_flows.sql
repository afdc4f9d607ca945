-- amount(d) = amount(d-1) + sum of the flows, in every cell; a day without a row counts 0.
with
    cells as (
        select
            snapshot_date,
            level,
            unit_id,
            stage,
            amount,
            created_amount
            + reopened_amount
            + won_amount
            + lost_amount
            + moved_in_amount
            + moved_out_amount
            + changed_amount
            + reassigned_amount
            + revalued_amount
            + removed_amount as flow_amount,
            lag(snapshot_date) over (partition by level, unit_id, stage order by snapshot_date) as date_before,
            lag(amount) over (partition by level, unit_id, stage order by snapshot_date) as amount_before
        from {{ ref("pipeline_daily") }}
    )

select *
from cells
where
    amount <> coalesce(
        case when date_before = cast({{ dbt.dateadd("day", -1, "snapshot_date") }} as date) then amount_before end, 0
    )
    + flow_amount
