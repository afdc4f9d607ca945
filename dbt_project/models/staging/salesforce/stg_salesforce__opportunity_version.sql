{{ config(enabled=connected("salesforce")) }}

-- The history of deals. OpportunityHistory has a row for the creation and one for each change of stage, amount,
-- probability or close date, but no owner: owners come from OpportunityFieldHistory. Both vanish with a deleted deal in
-- the org, not in raw. What no history covers comes from the versions of the deal itself that were loaded.
-- https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunityhistory.htm
{% set state_columns = [
    "stage_name",
    "amount",
    "probability",
    "forecast_category",
    "close_date",
    "currency_iso_code",
] %}
{% set touched_deals = [
    touched("salesforce", "opportunity", "id"),
    touched("salesforce", "opportunity_history", "opportunity_id"),
    touched("salesforce", "opportunity_field_history", "opportunity_id"),
] %}

with
    touched_deals as ({{ touched_deals | join(" union ") }}),

    deals as (
        {{
            latest(
                "salesforce",
                "opportunity",
                ["owner_id", "pipeline_c", "record_type_id", "is_closed", "is_won", "currency_iso_code"]
                + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=["select * from touched_deals"],
            )
        }}
    ),

    loaded_versions as (
        {{
            versions(
                "salesforce",
                "opportunity",
                state_columns + ["owner_id", "created_date", "is_deleted"],
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=["select * from touched_deals"],
            )
        }}
    ),

    history as (
        select every_row.*
        from
            (
                {{
                    versions(
                        "salesforce",
                        "opportunity_history",
                        state_columns + ["opportunity_id", "created_date"],
                        restrict=false,
                    )
                }}
            ) as every_row
        inner join
            touched_deals
            on every_row.source_system = touched_deals.source_system
            and every_row.opportunity_id = touched_deals.touched_key
        qualify
            row_number() over (partition by every_row.source_system, every_row.id order by load_seq desc, _seq desc) = 1
    ),

    owner_history as (
        select
            every_row.source_system,
            every_row.opportunity_id,
            {{ to_utc_timestamp("every_row.created_date") }} as changed_at,
            every_row.id,
            {{ unquoted("every_row.old_value") }} as old_owner_id,
            {{ unquoted("every_row.new_value") }} as new_owner_id,
            every_row.load_seq
        from
            (
                {{
                    versions(
                        "salesforce",
                        "opportunity_field_history",
                        ["opportunity_id", "created_date", "field", "old_value", "new_value"],
                        restrict=false,
                    )
                }}
            ) as every_row
        inner join
            touched_deals
            on every_row.source_system = touched_deals.source_system
            and every_row.opportunity_id = touched_deals.touched_key
        -- One change has two rows: one with the names of the owners, one with their ids.
        where every_row.field = 'Owner' and {{ unquoted("every_row.new_value") }} like '005%'
        qualify
            row_number() over (partition by every_row.source_system, every_row.id order by load_seq desc, _seq desc) = 1
    ),

    history_ends as (
        select
            source_system,
            opportunity_id,
            min({{ to_utc_timestamp("created_date") }}) as history_from,
            max({{ to_utc_timestamp("created_date") }}) as history_until
        from history
        group by source_system, opportunity_id
    ),

    owner_history_ends as (
        select
            source_system,
            opportunity_id,
            max(changed_at) as owners_until,
            min_by(old_owner_id, changed_at) as first_owner_id
        from owner_history
        group by source_system, opportunity_id
    ),

    numbered_versions as (
        select
            loaded_versions.*,
            {{ to_utc_timestamp("created_date") }} as made_at,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from loaded_versions
    ),

    -- What the deal was from an instant on: by the vendor's history, and after it or without it by the loaded versions.
    states as (
        select
            source_system,
            opportunity_id,
            {{ to_utc_timestamp("created_date") }} as at_instant,
            stage_name,
            amount,
            probability,
            forecast_category,
            close_date,
            currency_iso_code,
            'vendor' as basis,
            id as tie,
            load_seq
        from history
        union all
        select
            versions.source_system,
            versions.id as opportunity_id,
            case
                when versions.version_number = 1 and history_ends.history_from is null
                then versions.made_at
                else versions.stamp
            end as at_instant,
            versions.stage_name,
            versions.amount,
            versions.probability,
            versions.forecast_category,
            versions.close_date,
            versions.currency_iso_code,
            case
                when versions.version_number = 1 and versions.made_at < versions.stamp then 'assumed' else 'observed'
            end as basis,
            cast(versions.version_number as string) as tie,
            versions.load_seq
        from numbered_versions as versions
        left join
            history_ends
            on versions.source_system = history_ends.source_system
            and versions.id = history_ends.opportunity_id
        where
            (history_ends.history_until is null or versions.stamp > history_ends.history_until)
            and not coalesce(versions.is_deleted and history_ends.history_until is not null, false)
    ),

    distinct_states as (
        select
            states.*,
            concat_ws(
                '|',
                coalesce(stage_name, ''),
                coalesce(cast(cast(amount as decimal(18, 4)) as string), ''),
                coalesce(cast(cast(probability as decimal(9, 4)) as string), ''),
                coalesce(forecast_category, ''),
                coalesce(cast(close_date as string), ''),
                coalesce(currency_iso_code, '')
            ) as content
        from states
        qualify
            row_number() over (partition by source_system, opportunity_id, at_instant order by load_seq desc, tie desc)
            = 1
    ),

    changed_states as (
        select *
        from distinct_states
        qualify
            basis = 'vendor'
            or content
            is distinct from lag(content) over (partition by source_system, opportunity_id order by at_instant)
    ),

    -- Who owned the deal from an instant on: by the field history, after it or without it by the loaded versions.
    owners as (
        select source_system, opportunity_id, changed_at as at_instant, new_owner_id as owner_id, id as tie, load_seq
        from owner_history
        union all
        select
            versions.source_system,
            versions.id as opportunity_id,
            case when versions.version_number = 1 then versions.made_at else versions.stamp end as at_instant,
            case
                when versions.version_number = 1
                then coalesce(owner_history_ends.first_owner_id, versions.owner_id)
                else versions.owner_id
            end as owner_id,
            cast(versions.version_number as string) as tie,
            versions.load_seq
        from numbered_versions as versions
        left join
            owner_history_ends
            on versions.source_system = owner_history_ends.source_system
            and versions.id = owner_history_ends.opportunity_id
        where
            versions.version_number = 1
            or owner_history_ends.owners_until is null
            or versions.stamp > owner_history_ends.owners_until
    ),

    changed_owners as (
        select *
        from
            (
                select *
                from owners
                qualify
                    row_number() over (
                        partition by source_system, opportunity_id, at_instant order by load_seq desc, tie desc
                    )
                    = 1
            ) as distinct_owners
        qualify
            owner_id
            is distinct from lag(owner_id) over (partition by source_system, opportunity_id order by at_instant)
    ),

    instants as (
        select source_system, opportunity_id, at_instant
        from changed_states
        union
        select source_system, opportunity_id, at_instant
        from changed_owners
    ),

    numbered_instants as (
        select
            instants.*,
            count(changed_states.at_instant) over (
                partition by instants.source_system, instants.opportunity_id order by instants.at_instant
            ) as state_number,
            count(changed_owners.at_instant) over (
                partition by instants.source_system, instants.opportunity_id order by instants.at_instant
            ) as owner_number
        from instants
        left join
            changed_states
            on instants.source_system = changed_states.source_system
            and instants.opportunity_id = changed_states.opportunity_id
            and instants.at_instant = changed_states.at_instant
        left join
            changed_owners
            on instants.source_system = changed_owners.source_system
            and instants.opportunity_id = changed_owners.opportunity_id
            and instants.at_instant = changed_owners.at_instant
    ),

    numbered_states as (
        select
            changed_states.*,
            row_number() over (partition by source_system, opportunity_id order by at_instant) as state_number
        from changed_states
    ),

    numbered_owners as (
        select
            changed_owners.*,
            row_number() over (partition by source_system, opportunity_id order by at_instant) as owner_number
        from changed_owners
    )

select
    {{ record_key("instants.source_system", "'Opportunity'", "instants.opportunity_id") }} as record_key,
    instants.source_system,
    deals.vendor,
    deals.record_type_id as source_pipeline_id,
    deals.pipeline_c as source_pipeline,
    cast(null as string) as source_stage_id,
    states.stage_name as source_stage,
    -- Whether a stage is closed is known of the present one only.
    case when instants.next_instant is null then deals.is_closed end as source_is_closed,
    case when instants.next_instant is null then deals.is_won end as source_is_won,
    states.amount as amount_original,
    coalesce(states.currency_iso_code, deals.currency_iso_code, '{{ var("default_currency") }}') as currency,
    states.close_date as expected_close_date,
    {{ record_key("instants.source_system", "'User'", "owners.owner_id") }} as owner_key,
    states.probability / 100.0 as probability,
    -- The API says Forecast where people read Commit.
    case
        lower(replace(states.forecast_category, ' ', ''))
        when 'pipeline'
        then 'pipeline'
        when 'bestcase'
        then 'best_case'
        when 'mostlikely'
        then 'commit'
        when 'forecast'
        then 'commit'
        when 'commit'
        then 'commit'
        when 'closed'
        then 'closed'
        when 'omitted'
        then 'omitted'
    end as forecast_category,
    instants.at_instant as valid_from,
    case
        when instants.next_instant is null and (deals.is_gone or coalesce(deals.is_deleted, false))
        then coalesce(deals.gone_at, deals.stamp)
        else instants.next_instant
    end as valid_to,
    case when instants.state_number = 0 then 'assumed' else states.basis end as history_basis,
    deals.load_seq
from
    (
        select
            numbered_instants.*,
            lead(at_instant) over (partition by source_system, opportunity_id order by at_instant) as next_instant
        from numbered_instants
    ) as instants
inner join deals on instants.source_system = deals.source_system and instants.opportunity_id = deals.id
inner join
    numbered_states as states
    on instants.source_system = states.source_system
    and instants.opportunity_id = states.opportunity_id
    and states.state_number = greatest(instants.state_number, 1)
left join
    numbered_owners as owners
    on instants.source_system = owners.source_system
    and instants.opportunity_id = owners.opportunity_id
    and owners.owner_number = greatest(instants.owner_number, 1)
