-- account_products and the lines unallocated of won deals add up to the won amount of each account; product_count is
-- the
-- number of its families.
with
    bought as (
        select
            account_id,
            sum(won_amount) as amount,
            count(case when product_family <> 'none' then 1 end) as family_count,
            max(case when first_bought_date > last_bought_date or order_count < 1 then 1 else 0 end) as is_wrong
        from {{ ref("account_products") }}
        group by account_id
    ),
    unallocated as (
        select deals.account_id, sum(lines.amount) as amount
        from {{ ref("opportunity_lines") }} as lines
        inner join {{ ref("opportunities") }} as deals on lines.opportunity_id = deals.opportunity_id
        where deals.is_won and lines.product_family = 'unallocated'
        group by deals.account_id
    )

select accounts.account_id, accounts.won_amount, bought.amount as bought, unallocated.amount as unallocated
from {{ ref("customer_360") }} as accounts
left join bought on accounts.account_id = bought.account_id
left join unallocated on accounts.account_id = unallocated.account_id
where
    accounts.won_amount <> coalesce(bought.amount, 0) + coalesce(unallocated.amount, 0)
    or accounts.product_count <> coalesce(bought.family_count, 0)
    or bought.is_wrong = 1
