-- One row per person, as known at as-of.
with
    today as (select {{ as_of() }} as as_of_at),
    stages as (
        select
            person_id,
            min(case when stage = 'mql' then entered_at end) as mql_at,
            min(case when stage = 'sql' then entered_at end) as sql_at,
            min(case when stage = 'customer' then entered_at end) as customer_at
        from {{ ref("person_stages") }}
        group by person_id
    ),
    -- The stage that ranks highest in the present cycle; a disqualification in it was said last, else it had ended it.
    -- A customer stays one, whatever is said of a lead of the same person later.
    present_stages as (
        select person_id, stage
        from
            (
                select
                    person_id,
                    stage,
                    stage_order,
                    rank,
                    cycle,
                    max(case when stage = 'customer' then 1 else 0 end) over (partition by person_id) = 1 as is_customer
                from {{ ref("person_stages") }}
            ) as entries
        qualify
            row_number() over (
                partition by person_id
                order by
                    case when is_customer then 0 else cycle end desc,
                    case when stage = 'disqualified' and not is_customer then 0 else 1 end,
                    rank desc nulls last,
                    stage_order desc nulls last,
                    stage
            )
            = 1
    ),
    -- Engaged: a touch of the person's own making, or one with both sides present.
    engagement as (
        select
            touches.person_id,
            max(touches.occurred_at) as last_engaged_at,
            sum(
                case
                    when {{ elapsed_days("touches.occurred_at", "today.as_of_at") }} < {{ var("engagement_days") }}
                    then 1
                    else 0
                end
            ) as engagement_count
        from {{ ref("touchpoints") }} as touches
        cross join today
        where
            touches.person_id is not null
            and touches.occurred_at <= today.as_of_at
            and (
                touches.direction = 'inbound'
                or touches.touch_type
                in ({% for kind in var("two_way_touch_types") %}'{{ kind }}'{{ ', ' if not loop.last }}{% endfor %})
            )
        group by touches.person_id
    )

select
    people.person_id,
    accounts.account_id,
    people.full_name,
    people.email,
    people.phone,
    people.job_title,
    coalesce(present_stages.stage, 'lead') as lifecycle_stage,
    people.lead_source,
    people.lead_score,
    people.is_email_opted_out or people.is_call_opted_out as is_opted_out,
    case
        when people.is_email_opted_out and people.is_call_opted_out
        then 'call,email'
        when people.is_email_opted_out
        then 'email'
        when people.is_call_opted_out
        then 'call'
    end as opted_out_channels,
    people.created_at,
    stages.mql_at,
    stages.sql_at,
    stages.customer_at,
    engagement.last_engaged_at,
    cast(coalesce(engagement.engagement_count, 0) as bigint) as engagement_count_90d,
    people.source_systems,
    cast(people.source_record_count as bigint) as source_record_count
from {{ ref("person_attributes") }} as people
left join {{ ref("person_primary_accounts") }} as accounts on people.person_id = accounts.person_id
left join stages on people.person_id = stages.person_id
left join present_stages on people.person_id = present_stages.person_id
left join engagement on people.person_id = engagement.person_id
