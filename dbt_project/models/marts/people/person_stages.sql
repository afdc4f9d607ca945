-- When each person first entered each stage of the funnel of people: the sources' own fields by the map
-- lifecycle_authority, creation as `lead`, and a won deal in which the person takes part as `customer`. One row per
-- person and stage; a disqualification is a row too.
{{ config(schema="work") }}

with
    events as (
        select people.entity_id as person_id, events.stage, events.entered_at
        from {{ ref("canonical_lifecycle_event") }} as events
        inner join {{ living("person") }} as people on events.record_key = people.record_key
        where events.stage <> 'unmapped' and events.entered_at is not null
        union all
        select person_id, 'lead' as stage, created_at as entered_at
        from {{ ref("person_attributes") }}
        where created_at is not null
        union all
        select people.person_id, 'customer' as stage, closures.closed_at as entered_at
        from {{ ref("opportunity_closures") }} as closures
        inner join {{ ref("opportunity_members") }} as people on closures.opportunity_id = people.opportunity_id
        where closures.is_won
    )

select
    events.person_id,
    events.stage,
    cast(stages.stage_order as bigint) as stage_order,
    min(events.entered_at) as entered_at,
    max(events.entered_at) as last_entered_at
from events
left join {{ ref("funnel_stages") }} as stages on stages.entity_type = 'person' and events.stage = stages.stage
group by events.person_id, events.stage, stages.stage_order
