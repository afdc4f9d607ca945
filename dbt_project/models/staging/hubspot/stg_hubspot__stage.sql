{{ config(enabled=connected("hubspot")) }}

-- Stages of deal pipelines with their labels, those included that the portal has no more: history still names them.
{% set columns = ["pipeline_label", "stage_label", "probability", "is_closed"] %}

with
    stages as (
        {{
            latest(
                "hubspot",
                "pipelines",
                columns,
                keys=["pipeline_id", "stage_id"],
                cursor="updated_at",
                restrict=false,
            )
        }}
    )

select
    source_system,
    pipeline_id,
    pipeline_label,
    stage_id,
    stage_label,
    -- A portal from before isClosed says it by the probability.
    coalesce(is_closed, probability in (0, 1), false) as is_closed,
    coalesce(is_closed, probability in (0, 1), false) and coalesce(probability = 1, false) as is_won
from stages
