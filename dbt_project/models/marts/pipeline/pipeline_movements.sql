-- Signed changes of the open pipeline: opportunity × day × stage × owner × cause. At the closure that counts, the
-- change
-- to the rate of the close date is `revalued`, then the deal leaves as `won` or `lost`. A closure that was undone
-- later,
-- a deletion and a merge leave as `removed`.
{{ config(schema="work") }}

with
    changes as (select * from {{ ref("pipeline_transitions") }}),
    movements as (
        -- The deal appears, or comes back from a closure.
        select
            record_key,
            state_date as movement_date,
            stage,
            owner_id,
            seat_id,
            case when has_before then 'reopened' else 'created' end as cause,
            amount,
            1 as opportunity_count
        from changes
        where not was_open and (is_open or is_final_closure)
        union all
        -- It changes hands, or goes with its owner to another team, and stays where it is.
        select
            record_key,
            state_date as movement_date,
            stage_before as stage,
            owner_before as owner_id,
            seat_before as seat_id,
            'reassigned' as cause,
            - amount_before as amount,
            -1 as opportunity_count
        from changes
        where was_open and (is_open or is_final_closure) and seat_id <> seat_before
        union all
        select
            record_key,
            state_date as movement_date,
            stage_before as stage,
            owner_id,
            seat_id,
            'reassigned' as cause,
            amount_before as amount,
            1 as opportunity_count
        from changes
        where was_open and (is_open or is_final_closure) and seat_id <> seat_before
        union all
        -- It goes to another open stage.
        select
            record_key,
            state_date as movement_date,
            stage_before as stage,
            owner_id,
            seat_id,
            'moved_out' as cause,
            - amount_before as amount,
            -1 as opportunity_count
        from changes
        where was_open and is_open and stage <> stage_before
        union all
        select
            record_key,
            state_date as movement_date,
            stage,
            owner_id,
            seat_id,
            'moved_in' as cause,
            amount_before as amount,
            1 as opportunity_count
        from changes
        where was_open and is_open and stage <> stage_before
        union all
        -- Its amount changes, at the rate before.
        select
            record_key,
            state_date as movement_date,
            case when is_open then stage else stage_before end as stage,
            owner_id,
            seat_id,
            'changed' as cause,
            amount_at_rate_before - amount_before as amount,
            0 as opportunity_count
        from changes
        where was_open and (is_open or is_final_closure) and amount_at_rate_before <> amount_before
        union all
        -- The rate changes.
        select
            record_key,
            state_date as movement_date,
            case when is_open then stage else stage_before end as stage,
            owner_id,
            seat_id,
            'revalued' as cause,
            amount - amount_at_rate_before as amount,
            0 as opportunity_count
        from changes
        where was_open and (is_open or is_final_closure) and amount <> amount_at_rate_before
        union all
        -- It closes for good; one that was never seen open leaves from the row of its own closed stage.
        select
            record_key,
            state_date as movement_date,
            case when was_open then stage_before else stage end as stage,
            owner_id,
            seat_id,
            case when is_won then 'won' else 'lost' end as cause,
            - amount as amount,
            -1 as opportunity_count
        from changes
        where is_final_closure
        union all
        -- It closes, but not for good.
        select
            record_key,
            state_date as movement_date,
            stage_before as stage,
            owner_before as owner_id,
            seat_before as seat_id,
            'removed' as cause,
            - amount_before as amount,
            -1 as opportunity_count
        from changes
        where was_open and not is_open and not is_final_closure
        union all
        -- It is deleted or merged away while open.
        select
            record_key,
            removed_date as movement_date,
            stage,
            owner_id,
            seat_id,
            'removed' as cause,
            - amount as amount,
            -1 as opportunity_count
        from changes
        where removed_date is not null
    )

select
    movements.record_key,
    deals.opportunity_id,
    deals.account_id,
    movements.movement_date,
    movements.stage,
    movements.owner_id,
    movements.seat_id,
    movements.cause,
    cast(movements.amount as decimal(18, 2)) as amount,
    cast(movements.opportunity_count as bigint) as opportunity_count
from movements
inner join {{ ref("opportunity_records") }} as deals on movements.record_key = deals.record_key
