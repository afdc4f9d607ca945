-- When each member first reached each stage of its funnel, or any later stage on the way to won: one row per unit,
-- member and stage reached. Lost, disqualified and unmapped are never later. Depends on no as-of.
{{ config(schema="work") }}

with
    person_entries as (
        select person_id, stage_order, min(entered_at) as entered_at
        from {{ ref("person_stages") }}
        where stage_order > 0
        group by person_id, stage_order
    ),
    accounts_of_people as (select person_id, account_id from {{ ref("person_primary_accounts") }}),
    new_business as (
        select facts.*
        from {{ ref("opportunity_facts") }} as facts
        left join ({{ map_rows("pipelines") }}) as pipelines on facts.pipeline_id = pipelines.pipeline
        where coalesce(pipelines.is_new_business, true)
    ),
    stages as (
        select
            entity_type,
            stage,
            stage_order,
            stage_order = max(stage_order) over (partition by entity_type) as is_last_stage
        from {{ ref("funnel_stages") }}
        where stage_order > 0 and (not is_closed or is_won)
    ),
    entries as (
        -- People.
        select 'person' as unit, person_id as member_id, stage_order, entered_at
        from person_entries
        union all
        -- Accounts: their people's entries, their first deal as `sql`, their first win as `customer`.
        select 'account' as unit, accounts_of_people.account_id as member_id, person_entries.stage_order, entered_at
        from person_entries
        inner join accounts_of_people on person_entries.person_id = accounts_of_people.person_id
        union all
        select
            'account' as unit, accounts.account_id as member_id, stages.stage_order, accounts.created_at as entered_at
        from {{ ref("account_attributes") }} as accounts
        inner join stages on stages.entity_type = 'person' and stages.stage = 'lead'
        where accounts.created_at is not null
        union all
        select 'account' as unit, deals.account_id as member_id, stages.stage_order, deals.created_at as entered_at
        from {{ ref("opportunity_facts") }} as deals
        inner join stages on stages.entity_type = 'person' and stages.stage = 'sql'
        where deals.account_id is not null and deals.created_at is not null
        union all
        select 'account' as unit, deals.account_id as member_id, stages.stage_order, closures.closed_at as entered_at
        from {{ ref("opportunity_closures") }} as closures
        inner join {{ ref("opportunity_facts") }} as deals on closures.opportunity_id = deals.opportunity_id
        inner join stages on stages.entity_type = 'person' and stages.stage = 'customer'
        where closures.is_won and deals.account_id is not null
        union all
        -- Deals: creation is the entry to the first stage. A win that was undone is no entry to `won`.
        select 'opportunity' as unit, deals.opportunity_id as member_id, visits.stage_order, visits.entered_at
        from {{ ref("opportunity_visits") }} as visits
        inner join new_business as deals on visits.record_key = deals.record_key
        inner join stages on stages.entity_type = 'opportunity' and visits.stage = stages.stage
        where not visits.is_closed or visits.exited_at is null
        union all
        select
            'opportunity' as unit, deals.opportunity_id as member_id, 1 as stage_order, deals.created_at as entered_at
        from new_business as deals
        where deals.created_at is not null
    ),
    first_entries as (
        select unit, member_id, stage_order, min(entered_at) as entered_at
        from entries
        where entered_at is not null
        group by unit, member_id, stage_order
    ),
    members as (
        select unit, member_id, max(stage_order) as furthest_order, min(entered_at) as first_at
        from first_entries
        group by unit, member_id
    ),
    reached as (
        select
            members.unit,
            members.member_id,
            stages.stage,
            stages.stage_order,
            stages.is_last_stage,
            members.furthest_order,
            members.first_at,
            first_entries.entered_at,
            min(first_entries.entered_at) over (
                partition by members.unit, members.member_id
                order by stages.stage_order desc
                rows between unbounded preceding and current row
            ) as reached_at
        from members
        inner join
            stages
            on stages.entity_type = case when members.unit = 'opportunity' then 'opportunity' else 'person' end
            and stages.stage_order <= members.furthest_order
        left join
            first_entries
            on members.unit = first_entries.unit
            and members.member_id = first_entries.member_id
            and stages.stage_order = first_entries.stage_order
    ),
    first_channels as (
        select accounts_of_people.account_id, people.channel
        from {{ ref("person_attributes") }} as people
        inner join accounts_of_people on people.person_id = accounts_of_people.person_id
        where people.channel <> 'none'
        qualify
            row_number() over (
                partition by accounts_of_people.account_id order by people.created_at nulls last, people.person_id
            )
            = 1
    ),
    traits as (
        select
            'person' as unit,
            people.person_id as member_id,
            'none' as pipeline_id,
            people.channel,
            coalesce(accounts.segment, 'none') as segment
        from {{ ref("person_attributes") }} as people
        left join accounts_of_people on people.person_id = accounts_of_people.person_id
        left join {{ ref("account_attributes") }} as accounts on accounts_of_people.account_id = accounts.account_id
        union all
        -- An account came by the channel of the first of its people who has one.
        select
            'account' as unit,
            accounts.account_id as member_id,
            'none' as pipeline_id,
            coalesce(first_channels.channel, 'none') as channel,
            accounts.segment
        from {{ ref("account_attributes") }} as accounts
        left join first_channels on accounts.account_id = first_channels.account_id
        union all
        select
            'opportunity' as unit,
            deals.opportunity_id as member_id,
            deals.pipeline_id,
            deals.channel,
            coalesce(accounts.segment, 'none') as segment
        from new_business as deals
        left join {{ ref("account_attributes") }} as accounts on deals.account_id = accounts.account_id
    )

select
    reached.unit,
    reached.member_id,
    traits.pipeline_id,
    traits.channel,
    traits.segment,
    reached.stage,
    reached.stage_order,
    reached.is_last_stage,
    reached.furthest_order,
    reached.reached_at,
    cast(date_trunc('month', {{ local_date("reached.first_at") }}) as date) as cohort_month,
    cast(date_trunc('month', {{ local_date("reached.reached_at") }}) as date) as reached_month,
    -- False where the stage itself was skipped, or visited only after a later one.
    coalesce(reached.entered_at = reached.reached_at, false) as is_actual,
    lead(reached.reached_at) over (
        partition by reached.unit, reached.member_id order by reached.stage_order
    ) as next_reached_at,
    lead(reached.entered_at) over (
        partition by reached.unit, reached.member_id order by reached.stage_order
    ) as next_entered_at
from reached
inner join traits on reached.unit = traits.unit and reached.member_id = traits.member_id
