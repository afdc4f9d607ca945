-- Visits of the ruling records to stages: runs of versions in one stage (in one source stage where it is unmapped).
{{ config(schema="work") }}

with
    versions as (
        select
            record_key,
            opportunity_id,
            version_number,
            valid_from,
            stage,
            source_stage,
            stage_order,
            is_closed,
            is_won,
            amount_original,
            currency,
            owner_id,
            history_basis,
            case
                when stage = 'unmapped'
                then 'unmapped ' || case when is_closed then 'closed ' else 'open ' end || coalesce(source_stage, '')
                else stage
            end as visited
        from {{ ref("opportunity_states") }}
        where is_in_marts
    ),
    marked as (
        select versions.*, lag(visited) over (partition by record_key order by version_number) as visited_before
        from versions
    ),
    starts as (
        select
            marked.*,
            case when not is_closed then stage_order end as open_order,
            lead(valid_from) over (partition by record_key order by version_number) as exited_at,
            row_number() over (partition by record_key order by version_number) as visit_number
        from marked
        where visited_before is null or visited_before <> visited
    ),
    -- Closed and unmapped visits carry the last known open place, so that the next visit can tell whether it went back.
    numbered as (
        select starts.*, count(open_order) over (partition by record_key order by version_number) as known_places
        from starts
    ),
    carried as (select numbered.*, max(open_order) over (partition by record_key, known_places) as place from numbered)

select
    record_key,
    opportunity_id,
    cast(visit_number as bigint) as visit_number,
    version_number,
    stage,
    source_stage,
    stage_order,
    is_closed,
    is_won,
    valid_from as entered_at,
    exited_at,
    lag(place) over (partition by record_key order by version_number) as open_order_before,
    amount_original,
    currency,
    owner_id,
    history_basis
from carried
