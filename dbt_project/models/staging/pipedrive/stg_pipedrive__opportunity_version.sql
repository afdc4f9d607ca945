{{ config(enabled=connected("pipedrive")) }}

-- The versions of the raw log are the history. Each tells since when the deal is in its stage, and when it was won or
-- lost;
-- then it keeps its stage. Where it was before the first version is an assumption: in the first stage of its pipeline.
{% set columns = [
    "pipeline_id",
    "stage_id",
    "status",
    "value",
    "currency",
    "probability",
    "expected_close_date",
    "owner_id",
    "stage_change_time",
    "won_time",
    "lost_time",
    "add_time",
] %}
{% set renamed = [
    touched_by_lookup("pipedrive", "pipelines", "deals"),
    touched_by_lookup("pipedrive", "stages", "deals"),
] %}

with
    loaded as (
        {{
            versions(
                "pipedrive",
                "deals",
                columns,
                cursor="update_time",
                flag="is_deleted",
                also_touched=renamed,
            )
        }}
    ),

    deals as ({{ latest("pipedrive", "deals", [], cursor="update_time", flag="is_deleted", also_touched=renamed) }}),

    pipelines as ({{ latest("pipedrive", "pipelines", ["name"], cursor="update_time", restrict=false) }}),

    stages as (
        {{ latest("pipedrive", "stages", ["name", "pipeline_id", "order_nr"], cursor="update_time", restrict=false) }}
    ),

    first_stages as (
        select source_system, pipeline_id, id
        from stages
        qualify row_number() over (partition by source_system, pipeline_id order by is_gone, order_nr, id) = 1
    ),

    numbered as (
        select
            loaded.*,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number,
            lag(status) over (partition by source_system, id order by stamp, load_seq, _seq) as status_before,
            lag(stage_id) over (partition by source_system, id order by stamp, load_seq, _seq) as stage_before,
            coalesce({{ to_utc_timestamp("add_time") }}, stamp) as made_at,
            coalesce({{ to_utc_timestamp("stage_change_time") }}, stamp) as moved_at,
            coalesce({{ to_utc_timestamp("won_time") }}, {{ to_utc_timestamp("lost_time") }}, stamp) as closed_at
        from loaded
        where status is distinct from 'deleted'
    ),

    told as (
        select
            numbered.*,
            'open' as told_status,
            case when moved_at > made_at then first_stages.id else stage_id end as told_stage_id,
            made_at as at_instant,
            'assumed' as history_basis
        from numbered
        left join
            first_stages
            on numbered.source_system = first_stages.source_system
            and numbered.pipeline_id = first_stages.pipeline_id
        where version_number = 1
        union all
        select
            numbered.*,
            'open' as told_status,
            stage_id as told_stage_id,
            moved_at as at_instant,
            'observed' as history_basis
        from numbered
        where version_number = 1 and moved_at > made_at
        union all
        select
            numbered.*,
            status as told_status,
            stage_id as told_stage_id,
            case
                when status <> 'open' and status is distinct from status_before
                then least(closed_at, stamp)
                when stage_id is distinct from stage_before
                then least(moved_at, stamp)
                else stamp
            end as at_instant,
            'observed' as history_basis
        from numbered
        where version_number > 1 or status <> 'open'
    ),

    -- Of what began at one instant the last word counts.
    steps as (
        select *
        from told
        qualify
            row_number() over (
                partition by source_system, id, at_instant
                order by version_number desc, case when told_status = 'open' then 0 else 1 end desc
            )
            = 1
    )

select
    {{ record_key("steps.source_system", "'deals'", "steps.id") }} as record_key,
    steps.source_system,
    steps.vendor,
    steps.pipeline_id as source_pipeline_id,
    pipelines.name as source_pipeline,
    case when steps.told_status = 'open' then steps.told_stage_id end as source_stage_id,
    case when steps.told_status = 'open' then stages.name else steps.told_status end as source_stage,
    steps.told_status <> 'open' as source_is_closed,
    steps.told_status = 'won' as source_is_won,
    steps.value as amount_original,
    steps.currency,
    steps.expected_close_date,
    {{ record_key("steps.source_system", "'users'", "steps.owner_id") }} as owner_key,
    steps.probability / 100 as probability,
    cast(null as string) as forecast_category,
    steps.at_instant as valid_from,
    coalesce(
        lead(steps.at_instant) over (partition by steps.source_system, steps.id order by steps.at_instant),
        case when deals.is_gone or deals.is_deleted then coalesce(deals.gone_at, deals.stamp) end
    ) as valid_to,
    steps.history_basis,
    deals.load_seq
from steps
inner join deals on steps.source_system = deals.source_system and steps.id = deals.id
left join pipelines on steps.source_system = pipelines.source_system and steps.pipeline_id = pipelines.id
left join stages on steps.source_system = stages.source_system and steps.told_stage_id = stages.id
