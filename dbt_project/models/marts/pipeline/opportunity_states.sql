-- The versions of the records that count, in order, with owner ids and the instant from which each holds.
-- A record that is first seen closed and has no history was closed on its close date, not on the day of its creation:
-- what came before is unknown and is not made up.
{{ config(schema="work") }}

with
    versions as (
        select
            deals.record_key,
            deals.opportunity_id,
            deals.is_in_marts,
            row_number() over (
                partition by deals.record_key order by versions.valid_from, versions.valid_to nulls last
            ) as version_number,
            lead(versions.valid_from) over (
                partition by deals.record_key order by versions.valid_from, versions.valid_to nulls last
            ) as next_valid_from,
            versions.valid_from,
            versions.stage,
            versions.source_stage,
            versions.stage_order,
            coalesce(versions.is_closed, false) as is_closed,
            coalesce(versions.is_won, false) as is_won,
            versions.amount_original,
            versions.currency,
            versions.expected_close_date,
            owners.entity_id as owner_id,
            versions.probability,
            versions.forecast_category,
            versions.history_basis,
            {{ start_of_day("deals.close_date") }} as close_day_start
        from {{ ref("canonical_opportunity_version") }} as versions
        inner join {{ ref("opportunity_records") }} as deals on versions.record_key = deals.record_key
        left join {{ living("user") }} as owners on versions.owner_key = owners.record_key
    )

select
    record_key,
    opportunity_id,
    is_in_marts,
    cast(version_number as bigint) as version_number,
    case
        when
            version_number = 1
            and is_closed
            and history_basis = 'assumed'
            and close_day_start > valid_from
            and (next_valid_from is null or next_valid_from >= close_day_start)
        then close_day_start
        else valid_from
    end as valid_from,
    stage,
    source_stage,
    stage_order,
    is_closed,
    is_won,
    amount_original,
    currency,
    expected_close_date,
    owner_id,
    probability,
    forecast_category,
    history_basis
from versions
