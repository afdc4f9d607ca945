-- When each person entered each stage of the funnel of people: the sources' own fields by the map lifecycle_authority,
-- creation as `lead`, and a won deal in which the person takes part as `customer`. One row per person, cycle and stage;
-- a disqualification is a row too. Who is taken in again after one is recycled: a new cycle begins.
{{ config(schema="work") }}

with
    told as (
        select
            people.entity_id as person_id,
            events.source_system,
            events.vendor,
            events.source_field,
            {{ word("events.source_value") }} as word,
            events.stage,
            events.entered_at
        from {{ ref("canonical_lifecycle_event") }} as events
        inner join {{ living("person") }} as people on events.record_key = people.record_key
        where events.stage <> 'unmapped' and events.entered_at is not null
    ),
    -- The rank that the nearest row of the map gives to a value; without one a stage ranks by its place in the funnel.
    ranks as (
        select words.source_system, words.source_field, words.word, authority.rank
        from (select distinct source_system, vendor, source_field, word from told) as words
        inner join
            ({{ map_rows("lifecycle_authority") }}) as authority
            on {{ applies_to("authority.source_system", "words.source_system", "words.vendor") }}
            and {{ word("authority.source_field") }} = {{ word("words.source_field") }}
            and {{ word("authority.source_value") }} = words.word
        qualify
            row_number() over (
                partition by words.source_system, words.source_field, words.word
                order by
                    {{ nearness("authority.source_system", "words.source_system", "words.vendor") }} desc,
                    authority.stage,
                    authority.rank
            )
            = 1
    ),
    events as (
        select told.person_id, told.stage, ranks.rank, told.entered_at, true as may_reopen
        from told
        left join
            ranks
            on told.source_system = ranks.source_system
            and told.source_field = ranks.source_field
            and told.word = ranks.word
        union all
        select person_id, 'lead' as stage, cast(null as bigint) as rank, created_at as entered_at, false as may_reopen
        from {{ ref("person_attributes") }}
        where created_at is not null
        union all
        select
            people.person_id,
            'customer' as stage,
            cast(null as bigint) as rank,
            closures.closed_at as entered_at,
            true as may_reopen
        from {{ ref("opportunity_closures") }} as closures
        inner join {{ ref("opportunity_members") }} as people on closures.opportunity_id = people.opportunity_id
        where closures.is_won
    ),
    -- Of entries at one instant a disqualification is the last word. A creation takes nobody in again.
    sequenced as (
        select
            events.*,
            stages.stage_order,
            lag(events.stage) over (
                partition by events.person_id, events.may_reopen
                order by
                    events.entered_at,
                    case when events.stage = 'disqualified' then 1 else 0 end,
                    stages.stage_order,
                    events.stage
            ) as stage_before
        from events
        left join {{ ref("funnel_stages") }} as stages on stages.entity_type = 'person' and events.stage = stages.stage
    ),
    cycles as (
        select
            sequenced.*,
            1 + sum(
                case when may_reopen and stage <> 'disqualified' and stage_before = 'disqualified' then 1 else 0 end
            ) over (partition by person_id order by entered_at, case when stage = 'disqualified' then 1 else 0 end)
            as cycle
        from sequenced
    )

select
    person_id,
    cast(cycle as bigint) as cycle,
    stage,
    cast(stage_order as bigint) as stage_order,
    cast(max(coalesce(rank, stage_order)) as bigint) as rank,
    min(entered_at) as entered_at,
    max(entered_at) as last_entered_at
from cycles
group by person_id, cycle, stage, stage_order
