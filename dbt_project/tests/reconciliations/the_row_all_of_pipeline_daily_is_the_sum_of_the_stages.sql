-- Amounts, deals and flows add up over the stages, distinct accounts do not: they lie between the largest stage and
-- the sum.
-- Moves between stages cancel out in `all`.
with
    cells as (
        select
            snapshot_date,
            level,
            unit_id,
            sum(case when stage = 'all' then amount else - amount end) as amount,
            sum(case when stage = 'all' then opportunity_count else - opportunity_count end) as opportunity_count,
            sum(case when stage = 'all' then created_amount else - created_amount end) as created_amount,
            sum(case when stage = 'all' then won_amount else - won_amount end) as won_amount,
            sum(case when stage = 'all' then lost_amount else - lost_amount end) as lost_amount,
            sum(case when stage = 'all' then reassigned_amount else - reassigned_amount end) as reassigned_amount,
            sum(case when stage = 'all' then removed_amount else - removed_amount end) as removed_amount,
            sum(case when stage = 'all' then moved_in_amount + moved_out_amount else 0 end) as moved_amount,
            coalesce(max(case when stage = 'all' then account_count end), 0) as account_count,
            coalesce(max(case when stage <> 'all' then account_count end), 0) as largest_count,
            coalesce(sum(case when stage <> 'all' then account_count end), 0) as summed_count,
            min(account_count) as smallest_count,
            max(account_count - opportunity_count) as excess_count
        from {{ ref("pipeline_daily") }}
        group by snapshot_date, level, unit_id
    )

select *
from cells
where
    amount <> 0
    or opportunity_count <> 0
    or created_amount <> 0
    or won_amount <> 0
    or lost_amount <> 0
    or reassigned_amount <> 0
    or removed_amount <> 0
    or moved_amount <> 0
    or account_count not between largest_count
    and summed_count
    or smallest_count < 0
    or excess_count > 0
