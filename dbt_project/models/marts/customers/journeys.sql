-- The way of each account from its first touch to its second purchase. The stages are those of the account in the
-- funnel
-- (funnel_entries), so that no instant of the way lies before the one of an earlier stage.
with
    stages as (
        select
            member_id as account_id,
            min(case when stage = 'lead' then reached_at end) as lead_at,
            min(case when stage = 'mql' and is_actual then reached_at end) as mql_at,
            min(case when stage = 'sql' and is_actual then reached_at end) as sql_at
        from {{ ref("funnel_entries") }}
        where unit = 'account'
        group by member_id
    ),
    deals as (
        select account_id, min(created_at) as first_opportunity_at
        from {{ ref("opportunity_facts") }}
        where account_id is not null
        group by account_id
    ),
    wins as (
        select
            deals.account_id,
            closures.closed_at,
            row_number() over (
                partition by deals.account_id order by closures.closed_at, closures.opportunity_id
            ) as win_number
        from {{ ref("opportunity_closures") }} as closures
        inner join {{ ref("opportunity_facts") }} as deals on closures.opportunity_id = deals.opportunity_id
        where closures.is_won and deals.account_id is not null
    ),
    purchases as (
        select
            account_id,
            min(case when win_number = 1 then closed_at end) as first_won_at,
            min(case when win_number = 2 then closed_at end) as second_won_at
        from wins
        group by account_id
    ),
    touches_before_won as (
        select purchases.account_id, count(touches.touchpoint_id) as touch_count
        from purchases
        left join
            {{ ref("touchpoints") }} as touches
            on purchases.account_id = touches.account_id
            and touches.occurred_at < purchases.first_won_at
            and touches.direction is distinct from 'internal'
        group by purchases.account_id
    )

select
    accounts.account_id,
    accounts.first_touch_at,
    stages.lead_at,
    stages.mql_at,
    stages.sql_at,
    deals.first_opportunity_at,
    purchases.first_won_at,
    purchases.second_won_at,
    {{ elapsed_days("stages.lead_at", "stages.mql_at") }} as days_lead_to_mql,
    {{ elapsed_days("stages.mql_at", "stages.sql_at") }} as days_mql_to_sql,
    {{ elapsed_days("stages.sql_at", "purchases.first_won_at") }} as days_sql_to_won,
    {{ elapsed_days("purchases.first_won_at", "purchases.second_won_at") }} as days_first_to_second_won,
    accounts.first_touch_channel,
    cast(touches_before_won.touch_count as bigint) as touch_count_before_won
from {{ ref("customer_360") }} as accounts
left join stages on accounts.account_id = stages.account_id
left join deals on accounts.account_id = deals.account_id
left join purchases on accounts.account_id = purchases.account_id
left join touches_before_won on accounts.account_id = touches_before_won.account_id
