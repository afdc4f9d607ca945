{{ config(enabled=connected("files")) }}

-- The history of deals, from what files give: reports of states (`opportunity_state`), else the entry into the
-- present stage
-- and the stage at creation where the mapping names them; and, after what they tell, differences between loads.
{% set state = [
    "stage",
    "amount",
    "currency",
    "probability",
    "forecast_category",
    "expected_close_date",
    "owner_ref",
] %}
{% set touched_deals = [
    touched("files", "opportunity", "id"),
    touched("files", "opportunity_state", "opportunity_ref"),
] %}

with
    touched_deals as ({{ touched_deals | join(" union ") }}),

    deals as ({{ files_latest("opportunity", ["pipeline"], also_touched=touched_deals) }}),

    loaded as (
        {{
            files_versions(
                "opportunity",
                state + ["stage_entered_at", "created_stage", "assumed_created_stage"],
                also_touched=touched_deals,
            )
        }}
    ),

    numbered as (
        select
            loaded.*,
            {{ to_utc_timestamp("created_at") }} as made_at,
            {{ to_utc_timestamp("stage_entered_at") }} as entered_at,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number,
            -- A later file may say that the stage had changed before this version was loaded: then it was stale.
            min({{ to_utc_timestamp("stage_entered_at") }}) over (
                partition by source_system, id
                order by stamp, load_seq, _seq
                rows between 1 following and unbounded following
            ) as next_entered_at
        from loaded
    ),

    every_report as (
        {{ files_latest("opportunity_state", state + ["opportunity_ref", "entered_at"], restrict=false) }}
    ),

    reports as (
        select every_report.*, {{ to_utc_timestamp("every_report.entered_at") }} as reported_at
        from every_report
        inner join
            touched_deals
            on every_report.source_system = touched_deals.source_system
            and every_report.opportunity_ref = touched_deals.touched_key
        inner join deals on every_report.source_system = deals.source_system and every_report.opportunity_ref = deals.id
        -- Reports that go with their deal stay its history; one taken back while the deal lives was never true.
        where deals.is_gone or not every_report.is_gone
    ),

    reported_deals as (select distinct source_system, opportunity_ref from reports where reported_at is not null),

    entries as (
        select numbered.*
        from numbered
        left join
            reported_deals
            on numbered.source_system = reported_deals.source_system
            and numbered.id = reported_deals.opportunity_ref
        where numbered.entered_at is not null and reported_deals.opportunity_ref is null
        -- The first version that shows an entry is the nearest to it.
        qualify
            row_number() over (
                partition by numbered.source_system, numbered.id, numbered.entered_at, numbered.stage
                order by numbered.version_number
            )
            = 1
    ),

    told as (
        select
            source_system,
            opportunity_ref as deal_ref,
            reported_at as at_instant,
            'vendor' as basis,
            id as tie,
            load_seq,
            {{ state | join(", ") }}
        from reports
        where reported_at is not null
        union all
        select
            source_system,
            id as deal_ref,
            entered_at as at_instant,
            'vendor' as basis,
            cast(version_number as string) as tie,
            load_seq,
            {{ state | join(", ") }}
        from entries
    ),

    told_bounds as (
        select source_system, deal_ref, min(at_instant) as told_from, max(at_instant) as told_until
        from told
        group by source_system, deal_ref
    ),

    states as (
        select source_system, deal_ref, at_instant, basis, tie, load_seq, {{ state | join(", ") }}
        from told
        union all
        -- The state at creation, where it is known or assumed, and nothing older is told.
        select
            numbered.source_system,
            numbered.id as deal_ref,
            numbered.made_at as at_instant,
            case when numbered.created_stage is not null then 'vendor' else 'assumed' end as basis,
            '0' as tie,
            numbered.load_seq,
            coalesce(numbered.created_stage, numbered.assumed_created_stage) as stage,
            {{ state[1:] | join(", ") }}
        from numbered
        left join
            told_bounds on numbered.source_system = told_bounds.source_system and numbered.id = told_bounds.deal_ref
        where
            numbered.version_number = 1
            and coalesce(numbered.created_stage, numbered.assumed_created_stage) is not null
            and numbered.made_at < coalesce(told_bounds.told_from, numbered.stamp)
        union all
        select
            numbered.source_system,
            numbered.id as deal_ref,
            case
                when
                    numbered.version_number = 1
                    and told_bounds.told_from is null
                    and coalesce(numbered.created_stage, numbered.assumed_created_stage) is null
                then coalesce(numbered.made_at, numbered.stamp)
                else numbered.stamp
            end as at_instant,
            case
                when
                    numbered.version_number = 1
                    and told_bounds.told_from is null
                    and coalesce(numbered.created_stage, numbered.assumed_created_stage) is null
                    and numbered.made_at < numbered.stamp
                then 'assumed'
                else 'observed'
            end as basis,
            cast(numbered.version_number as string) as tie,
            numbered.load_seq,
            {{ state | join(", ") }}
        from numbered
        left join
            told_bounds on numbered.source_system = told_bounds.source_system and numbered.id = told_bounds.deal_ref
        where
            (told_bounds.told_until is null or numbered.stamp > told_bounds.told_until)
            and (numbered.next_entered_at is null or numbered.next_entered_at > numbered.stamp)
    ),

    distinct_states as (
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
        qualify
            row_number() over (
                partition by source_system, deal_ref, at_instant
                order by case basis when 'vendor' then 0 when 'observed' then 1 else 2 end, load_seq desc, tie desc
            )
            = 1
    ),

    changes as (
        select *
        from distinct_states
        qualify
            basis = 'vendor'
            or content is distinct from lag(content) over (partition by source_system, deal_ref order by at_instant)
    )

select
    md5(changes.source_system || '|' || changes.deal_ref) as record_key,
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
        lead(changes.at_instant) over (
            partition by changes.source_system, changes.deal_ref order by changes.at_instant
        ),
        case when deals.is_gone or coalesce(deals.is_deleted, false) then coalesce(deals.gone_at, deals.stamp) end
    ) as valid_to,
    changes.basis as history_basis,
    deals.load_seq
from changes
inner join deals on changes.source_system = deals.source_system and changes.deal_ref = deals.id
