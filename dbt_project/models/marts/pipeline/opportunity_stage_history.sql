-- One row per visit of a deal to a stage; a skipped stage is a zero-length row. No duration runs up to as-of.
with
    visits as (
        select
            visits.opportunity_id,
            visits.record_key,
            visits.visit_number,
            visits.stage,
            visits.source_stage,
            visits.stage_order,
            visits.is_closed,
            visits.is_won,
            visits.entered_at,
            visits.exited_at,
            visits.open_order_before,
            visits.amount_original,
            visits.currency,
            visits.owner_id,
            visits.history_basis,
            {{ local_date("visits.entered_at") }} as entered_day
        from {{ ref("opportunity_visits") }} as visits
    ),
    converted as (
        select
            visits.*,
            {{
                converted(
                    "visits.amount_original",
                    "case when visits.currency = '" ~ var("reporting_currency") ~ "' then 1 else rates.rate end",
                )
            }} as amount_at_entry
        from visits
        left join
            {{ ref("currency_rates") }} as rates
            on visits.currency = rates.currency
            and (
                (
                    not visits.is_closed
                    and rates.basis = 'budget'
                    and rates.fiscal_year = {{ fiscal_year("visits.entered_day") }}
                )
                or (
                    visits.is_closed
                    and rates.basis = 'daily'
                    and visits.entered_day >= rates.valid_from
                    and (visits.entered_day < rates.valid_to or rates.valid_to is null)
                )
            )
    ),
    skipped as (
        select converted.*, stages.stage as skipped_stage, stages.stage_order as skipped_order
        from converted
        inner join
            {{ ref("funnel_stages") }} as stages
            on stages.entity_type = 'opportunity'
            and not stages.is_closed
            and stages.stage_order > coalesce(converted.open_order_before, 0)
            and stages.stage_order < converted.stage_order
        where not converted.is_closed or converted.is_won
    ),
    rows_of_history as (
        select
            opportunity_id,
            stage,
            source_stage,
            stage_order,
            entered_at,
            exited_at,
            {{ elapsed_days("entered_at", "exited_at") }} as days_in_stage,
            amount_at_entry,
            owner_id,
            exited_at is null as is_current,
            not is_closed and coalesce(stage_order < open_order_before, false) as moved_backward,
            false as is_inferred,
            history_basis
        from converted
        union all
        select
            opportunity_id,
            skipped_stage as stage,
            cast(null as string) as source_stage,
            skipped_order as stage_order,
            entered_at,
            entered_at as exited_at,
            cast(0 as double) as days_in_stage,
            amount_at_entry,
            owner_id,
            false as is_current,
            false as moved_backward,
            true as is_inferred,
            history_basis
        from skipped
    )

select
    opportunity_id,
    stage,
    source_stage,
    cast(stage_order as bigint) as stage_order,
    entered_at,
    exited_at,
    days_in_stage,
    amount_at_entry,
    owner_id,
    is_current,
    moved_backward,
    is_inferred,
    history_basis
from rows_of_history
