-- What each account bought, by product family: the lines of its won deals, without what no line holds.
with
    today as (select {{ as_of_date() }} as as_of_date),
    bought as (
        select
            deals.account_id,
            deals.opportunity_id,
            deals.close_date,
            lines.product_family,
            lines.amount,
            case
                when lines.is_recurring
                then
                    coalesce(lines.service_start_date, deals.close_date) <= today.as_of_date
                    and (lines.service_end_date >= today.as_of_date or lines.service_end_date is null)
                else {{ days_between("deals.close_date", "today.as_of_date") }} < {{ var("churn_days") }}
            end as is_active
        from {{ ref("opportunity_lines") }} as lines
        inner join {{ ref("opportunities") }} as deals on lines.opportunity_id = deals.opportunity_id
        cross join today
        where deals.is_won and deals.account_id is not null and lines.product_family <> 'unallocated'
    )

select
    account_id,
    product_family,
    min(close_date) as first_bought_date,
    max(close_date) as last_bought_date,
    count(distinct opportunity_id) as order_count,
    coalesce({{ amount_sum("amount") }}, cast(0 as decimal(18, 2))) as won_amount,
    max(case when is_active then 1 else 0 end) = 1 as is_active
from bought
group by account_id, product_family
