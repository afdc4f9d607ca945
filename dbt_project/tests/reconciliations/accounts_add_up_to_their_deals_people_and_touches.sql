-- customer_360 against the tables that it sums up.
with
    today as (select {{ as_of() }} as as_of_at),
    accounts as (
        select
            sum(open_opportunity_count) as open_count,
            sum(open_pipeline_amount) as open_amount,
            sum(won_count) as won_count,
            sum(people_count) as people_count,
            sum(mql_count) as mql_count,
            count(first_touch_at) as touched_count,
            count(days_since_last_activity) as active_count
        from {{ ref("customer_360") }}
    ),
    deals as (
        select
            count(case when not is_closed then 1 end) as open_count,
            coalesce(sum(case when not is_closed then amount end), 0) as open_amount,
            count(case when is_won then 1 end) as won_count
        from {{ ref("opportunities") }}
        where account_id is not null
    ),
    people as (
        select count(*) as people_count, count(mql_at) as mql_count
        from {{ ref("person_360") }}
        where account_id is not null
    ),
    touches as (
        select
            count(
                distinct case when touches.direction is distinct from 'internal' then touches.account_id end
            ) as touched_count,
            count(distinct touches.account_id) as active_count
        from {{ ref("touchpoints") }} as touches
        cross join today
        where touches.occurred_at <= today.as_of_at
    )

select *
from accounts
cross join deals
cross join people
cross join touches
where
    coalesce(accounts.open_count, 0) <> deals.open_count
    or coalesce(accounts.open_amount, 0) <> deals.open_amount
    or coalesce(accounts.won_count, 0) <> deals.won_count
    or coalesce(accounts.people_count, 0) <> people.people_count
    or coalesce(accounts.mql_count, 0) <> people.mql_count
    or accounts.touched_count <> touches.touched_count
    or accounts.active_count <> touches.active_count
union all
select accounts.*, deals.*, people.*, touches.*
from accounts
cross join deals
cross join people
cross join touches
inner join
    (
        select count(*) as wrong_count
        from {{ ref("customer_360") }}
        where
            first_won_at > last_won_at
            or first_touch_at > last_touch_at
            or (won_count > 0) <> (first_won_at is not null)
    ) as wrong
    on wrong.wrong_count > 0
