-- Σ activity_count is the number of touchpoints up to as-of, in all and by owner.
with
    touches as (
        select owner_id, count(*) as touch_count
        from {{ ref("touchpoints") }}
        where occurred_at <= {{ as_of() }}
        group by owner_id
    ),
    activities as (
        select owner_id, sum(activity_count) as activity_count, max(account_count - activity_count) as excess
        from {{ ref("activity_daily") }}
        group by owner_id
    )

select touches.owner_id, touches.touch_count, activities.activity_count
from touches
full outer join activities on coalesce(touches.owner_id, 'none') = coalesce(activities.owner_id, 'none')
where coalesce(touches.touch_count, 0) <> coalesce(activities.activity_count, 0) or activities.excess > 0
