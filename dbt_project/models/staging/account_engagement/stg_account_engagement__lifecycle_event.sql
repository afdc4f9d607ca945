{{ config(enabled=connected("account_engagement")) }}

-- Moves of prospects through the lifecycle, by the names of its stages, which a company words as it likes.
{% set touched_moves = touched("account_engagement", "lifecycle_histories", "prospect_id") %}
{% set renamed = touched_by_lookup("account_engagement", "lifecycle_stages", "prospects") %}

with
    prospects as (
        {{
            latest(
                "account_engagement",
                "prospects",
                [],
                cursor="updated_at",
                flag="is_deleted",
                also_touched=[touched_moves, renamed],
            )
        }}
    ),

    moves as (
        {{
            latest(
                "account_engagement",
                "lifecycle_histories",
                ["prospect_id", "next_stage_id"],
                cursor="created_at",
                restrict=false,
            )
        }}
    ),

    stages as (
        {{
            latest(
                "account_engagement",
                "lifecycle_stages",
                ["name"],
                cursor="updated_at",
                flag="is_deleted",
                restrict=false,
            )
        }}
    )

select
    {{ record_key("prospects.source_system", "'prospects'", "prospects.id") }} as record_key,
    prospects.source_system,
    prospects.vendor,
    'lifecycleStage' as source_field,
    coalesce(stages.name, moves.next_stage_id) as source_value,
    moves.stamp as entered_at,
    prospects.load_seq
from moves
inner join prospects on moves.source_system = prospects.source_system and moves.prospect_id = prospects.id
left join stages on moves.source_system = stages.source_system and moves.next_stage_id = stages.id
where moves.next_stage_id <> ''
