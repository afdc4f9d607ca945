{{ config(enabled=connected("kintone")) }}

-- kintone tells no history: the versions of the raw log are the history, each from the record's own stamp on. A first
-- read
-- knows the last change of a deal exactly, for a closed one its closing. What was before is the stage in which the
-- mapping says that deals begin (`assumed_created_stage`), else the first version by assumption.
{% set state = [
    "stage",
    "amount",
    "currency",
    "probability",
    "forecast_category",
    "expected_close_date",
    "owner_ref",
] %}

with
    loaded as ({{ mapped_versions("kintone", "opportunity", state + ["assumed_created_stage"]) }}),

    deals as ({{ mapped_latest("kintone", "opportunity", ["pipeline"]) }}),

    numbered as (
        select
            loaded.*,
            {{ to_utc_timestamp("created_at") }} as made_at,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from loaded
    ),

    states as (
        select
            source_system,
            id,
            made_at as at_instant,
            'assumed' as basis,
            0 as version_number,
            load_seq,
            coalesce(assumed_created_stage, stage) as stage,
            {{ state[1:] | join(", ") }}
        from numbered
        where version_number = 1 and made_at < stamp
        union all
        select
            source_system,
            id,
            stamp as at_instant,
            'observed' as basis,
            version_number,
            load_seq,
            {{ state | join(", ") }}
        from numbered
    ),

    worded as (
        select
            states.*,
            concat_ws(
                '|',
                coalesce(stage, ''),
                coalesce(cast(cast(amount as decimal(18, 4)) as string), ''),
                coalesce(currency, ''),
                coalesce(cast(cast(probability as decimal(9, 4)) as string), ''),
                coalesce(forecast_category, ''),
                coalesce(cast(expected_close_date as string), ''),
                coalesce(owner_ref, '')
            ) as content
        from states
        -- Two versions of one minute: the later one is what the minute left.
        qualify row_number() over (partition by source_system, id, at_instant order by version_number desc) = 1
    ),

    changes as (
        select *
        from worded
        qualify content is distinct from lag(content) over (partition by source_system, id order by at_instant)
    )

select
    md5(changes.source_system || '|' || changes.id) as record_key,
    changes.source_system,
    deals.vendor,
    cast(null as string) as source_pipeline_id,
    deals.pipeline as source_pipeline,
    cast(null as string) as source_stage_id,
    changes.stage as source_stage,
    cast(null as boolean) as source_is_closed,
    cast(null as boolean) as source_is_won,
    changes.amount as amount_original,
    coalesce(changes.currency, '{{ var("default_currency") }}') as currency,
    changes.expected_close_date,
    md5(changes.source_system || '|' || changes.owner_ref) as owner_key,
    changes.probability,
    changes.forecast_category,
    changes.at_instant as valid_from,
    coalesce(
        lead(changes.at_instant) over (partition by changes.source_system, changes.id order by changes.at_instant),
        case when deals.is_gone or coalesce(deals.is_deleted, false) then coalesce(deals.gone_at, deals.stamp) end
    ) as valid_to,
    changes.basis as history_basis,
    deals.load_seq
from changes
inner join deals on changes.source_system = deals.source_system and changes.id = deals.id
