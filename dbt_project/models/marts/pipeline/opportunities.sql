-- One row per deal, as it stands at as-of.
with
    today as (select {{ as_of() }} as as_of_at, {{ as_of_date() }} as as_of_date),
    activities as (
        select
            touches.opportunity_id,
            max(case when touches.occurred_at <= today.as_of_at then touches.occurred_at end) as last_activity_at,
            min(case when touches.occurred_at > today.as_of_at then touches.occurred_at end) as next_activity_at
        from {{ ref("touchpoints") }} as touches
        cross join today
        where touches.opportunity_id is not null
        group by touches.opportunity_id
    ),
    valued as (
        select
            facts.*,
            today.as_of_at,
            today.as_of_date,
            case
                when facts.is_closed
                then facts.closed_amount
                else
                    {{
                        converted(
                            "facts.amount_original",
                            "case when facts.currency = '"
                            ~ var("reporting_currency")
                            ~ "' then 1 else rates.rate end",
                        )
                    }}
            end as amount,
            case
                when not facts.is_closed then {{ elapsed_days("facts.stage_entered_at", "today.as_of_at") }}
            end as days_in_stage
        from {{ ref("opportunity_facts") }} as facts
        cross join today
        left join
            {{ ref("currency_rates") }} as rates
            on rates.basis = 'budget'
            and facts.currency = rates.currency
            and rates.fiscal_year = {{ fiscal_year("today.as_of_date") }}
    )

select
    valued.opportunity_id,
    valued.account_id,
    valued.primary_person_id,
    valued.name,
    valued.pipeline_id,
    valued.owner_id,
    owners.owner_name,
    seats.team,
    valued.stage,
    valued.source_stage,
    valued.amount,
    cast(valued.amount_original as decimal(18, 2)) as amount_original,
    valued.currency,
    valued.probability,
    -- The win model comes later.
    cast(null as double) as win_probability,
    valued.forecast_category,
    valued.opportunity_type,
    valued.lead_source,
    valued.campaign_id,
    valued.created_at,
    valued.expected_close_date,
    valued.close_date,
    valued.closed_at,
    valued.is_closed,
    valued.is_won,
    valued.loss_reason,
    valued.competitor,
    cast(
        {{ days_between(local_date("valued.created_at"), "coalesce(valued.close_date, valued.as_of_date)") }} as bigint
    ) as age_days,
    valued.days_in_stage,
    not valued.is_closed and coalesce(valued.days_in_stage > {{ var("stalled_days") }}, false) as is_stalled,
    cast(valued.push_count as bigint) as push_count,
    valued.next_step,
    activities.next_activity_at,
    activities.last_activity_at,
    valued.has_decision_maker,
    valued.source_system,
    valued.source_id,
    valued.record_url
from valued
left join activities on valued.opportunity_id = activities.opportunity_id
left join {{ ref("owners") }} as owners on valued.owner_id = owners.owner_id
left join
    {{ ref("owner_seats") }} as seats
    on valued.owner_id = seats.owner_id
    and coalesce(valued.closed_day, valued.as_of_date) >= seats.valid_from
    and (coalesce(valued.closed_day, valued.as_of_date) < seats.valid_to or seats.valid_to is null)
