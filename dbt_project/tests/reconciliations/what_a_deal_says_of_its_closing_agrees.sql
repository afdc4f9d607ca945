-- opportunities: a closed deal has a close date, an open one neither date nor instant; won is closed; the stage says
-- the
-- same as the flags; the present visit began when the deal closed.
select deals.opportunity_id, 'dates or flags of closing' as problem
from {{ ref("opportunities") }} as deals
where
    deals.is_closed <> (deals.close_date is not null)
    or (not deals.is_closed and deals.closed_at is not null)
    or (deals.is_won and not deals.is_closed)
    or (deals.is_closed and deals.expected_close_date <> deals.close_date)
    or (deals.is_closed and (deals.is_stalled or deals.days_in_stage is not null))
union all
select deals.opportunity_id, 'stage and flags' as problem
from {{ ref("opportunities") }} as deals
inner join {{ ref("funnel_stages") }} as stages on stages.entity_type = 'opportunity' and deals.stage = stages.stage
where deals.is_won <> stages.is_won or deals.is_closed <> stages.is_closed
union all
select deals.opportunity_id, 'closed_at is not the entry to the closed stage' as problem
from {{ ref("opportunities") }} as deals
inner join
    {{ ref("opportunity_stage_history") }} as visits
    on deals.opportunity_id = visits.opportunity_id
    and visits.is_current
where deals.closed_at <> visits.entered_at
