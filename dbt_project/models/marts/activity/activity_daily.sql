-- What was done each day, by owner and kind. Planned activities count when their day comes. Accounts of a row are
-- distinct: they do not add up over rows.
with
    touches as (
        select
            {{ local_date("touchpoints.occurred_at") }} as activity_date,
            touchpoints.owner_id,
            coalesce(touchpoints.touch_type, 'none') as activity_type,
            touchpoints.channel,
            touchpoints.account_id,
            touchpoints.minutes
        from {{ ref("touchpoints") }} as touchpoints
        where touchpoints.occurred_at <= {{ as_of() }}
    )

select
    touches.activity_date,
    touches.owner_id,
    seats.team,
    touches.activity_type,
    touches.channel,
    count(*) as activity_count,
    count(distinct touches.account_id) as account_count,
    -- Rounded, because a sum of doubles depends on its order in the last digits.
    cast(round(sum(touches.minutes), 2) as double) as minutes
from touches
left join
    {{ ref("owner_seats") }} as seats
    on touches.owner_id = seats.owner_id
    and touches.activity_date >= seats.valid_from
    and (touches.activity_date < seats.valid_to or seats.valid_to is null)
group by touches.activity_date, touches.owner_id, seats.team, touches.activity_type, touches.channel
