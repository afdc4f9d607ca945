{{ config(pre_hook='{{ forget_changed(["opportunity"]) }}') }}

-- Versions of deals as one history without overlaps or gaps. The vendor's own history beats differences between loads
-- up to where it ends; of two versions that start at one instant the one that landed last counts.
with
    given as (select * from {{ ref("united_opportunity_version") }}),

    vendor_history_ends as (
        select record_key, max(valid_from) as vendor_until from given where history_basis = 'vendor' group by record_key
    ),

    chosen as (
        select given.*, {{ stage_word() }} as stage_word
        from given
        left join vendor_history_ends on given.record_key = vendor_history_ends.record_key
        where
            given.valid_from is not null
            and (
                given.history_basis <> 'observed'
                or vendor_history_ends.vendor_until is null
                or given.valid_from > vendor_history_ends.vendor_until
            )
        qualify
            row_number() over (
                partition by given.record_key, given.valid_from
                order by
                    case given.history_basis when 'vendor' then 0 when 'observed' then 1 else 2 end,
                    given.load_seq desc,
                    given.source_stage_id,
                    given.source_stage,
                    given.amount_original
            )
            = 1
    ),

    mapped as ({{ mapped_stages("given") }}),

    stage_list as ({{ map_rows("stages") }}),

    opportunity_stages as (
        select stage, cast(stage_order as bigint) as stage_order, is_closed, is_won
        from stage_list
        where entity = 'opportunity'
    ),

    intervals as (
        select
            chosen.*,
            lead(chosen.valid_from) over (partition by chosen.record_key order by chosen.valid_from) as next_from,
            max(chosen.load_seq) over (partition by chosen.record_key) as newest_load_seq
        from chosen
    )

select
    intervals.record_key,
    intervals.source_system,
    intervals.vendor,
    coalesce(intervals.source_stage, intervals.source_stage_id) as source_stage,
    coalesce(mapped.stage, 'unmapped') as stage,
    opportunity_stages.stage_order,
    coalesce(opportunity_stages.is_closed, intervals.source_is_closed, false) as is_closed,
    coalesce(opportunity_stages.is_won, intervals.source_is_won, false) as is_won,
    intervals.amount_original,
    intervals.currency,
    intervals.expected_close_date,
    intervals.owner_key,
    {{ as_share("intervals.probability") }} as probability,
    intervals.forecast_category,
    intervals.valid_from,
    case
        when intervals.valid_to is null or intervals.next_from < intervals.valid_to
        then intervals.next_from
        else intervals.valid_to
    end as valid_to,
    intervals.history_basis,
    intervals.newest_load_seq as load_seq
from intervals
left join
    mapped
    on intervals.stage_word = mapped.stage_word
    and cast(intervals.valid_from as date) >= mapped.maps_from
    and (mapped.maps_until is null or cast(intervals.valid_from as date) < mapped.maps_until)
left join opportunity_stages on mapped.stage = opportunity_stages.stage
where intervals.valid_to is null or intervals.valid_to > intervals.valid_from
