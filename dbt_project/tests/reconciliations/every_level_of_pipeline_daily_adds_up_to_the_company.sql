-- Amounts, deals and flows (within a unit a change of owner is none); distinct accounts do not add up.
with
    levels as (
        select
            snapshot_date,
            stage,
            level,
            sum(opportunity_count) as opportunity_count,
            sum(amount) as amount,
            sum(created_amount) as created_amount,
            sum(won_amount) as won_amount,
            sum(lost_amount) as lost_amount,
            sum(reassigned_amount) as reassigned_amount
        from {{ ref("pipeline_daily") }}
        group by snapshot_date, stage, level
    )

select levels.snapshot_date, levels.stage, levels.level
from levels
left join
    levels as company
    on levels.snapshot_date = company.snapshot_date
    and levels.stage = company.stage
    and company.level = 'company'
where
    levels.opportunity_count <> coalesce(company.opportunity_count, 0)
    or levels.amount <> coalesce(company.amount, 0)
    or levels.created_amount <> coalesce(company.created_amount, 0)
    or levels.won_amount <> coalesce(company.won_amount, 0)
    or levels.lost_amount <> coalesce(company.lost_amount, 0)
    or levels.reassigned_amount <> 0
