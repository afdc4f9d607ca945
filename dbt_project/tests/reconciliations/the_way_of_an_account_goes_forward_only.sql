-- No instant of a journey lies before that of an earlier stage, and it tells of the same wins and touches as
-- customer_360.
select journeys.account_id
from {{ ref("journeys") }} as journeys
inner join {{ ref("customer_360") }} as accounts on journeys.account_id = accounts.account_id
where
    journeys.lead_at > least(journeys.mql_at, journeys.sql_at, journeys.first_opportunity_at, journeys.first_won_at)
    or journeys.mql_at > least(journeys.sql_at, journeys.first_won_at)
    or journeys.sql_at > least(journeys.first_opportunity_at, journeys.first_won_at)
    or journeys.first_won_at > journeys.second_won_at
    or (accounts.won_count > 0) <> (journeys.first_won_at is not null)
    or (accounts.won_count > 1) <> (journeys.second_won_at is not null)
    or (journeys.first_won_at is not null) <> (journeys.touch_count_before_won is not null)
