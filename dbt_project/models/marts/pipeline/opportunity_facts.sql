-- What is known of each deal in the marts, as far as it does not depend on as-of.
{{ config(schema="work") }}

with
    channels as (
        {{ mapped_words(ref("canonical_opportunity"), ["lead_source"], "channels", "source_value", "channel") }}
    ),
    deals as (
        select
            records.entity_id as opportunity_id,
            records.precedence,
            records.is_live,
            opportunities.record_key,
            opportunities.account_key,
            opportunities.primary_person_key,
            opportunities.name,
            opportunities.pipeline,
            opportunities.opportunity_type,
            opportunities.lead_source,
            case
                when {{ word("opportunities.lead_source") }} <> '' then coalesce(channels.channel, 'unmapped')
            end as channel,
            opportunities.campaign_key,
            opportunities.loss_reason,
            opportunities.competitor,
            opportunities.close_date,
            opportunities.next_step,
            opportunities.created_at,
            opportunities.source_system,
            opportunities.source_id,
            opportunities.record_url
        from {{ ref("canonical_opportunity") }} as opportunities
        inner join
            {{ ref("entity_records") }} as records
            on opportunities.record_key = records.record_key
            and records.entity_type = 'opportunity'
        left join
            channels
            on opportunities.source_system = channels.source_system
            and {{ word("opportunities.lead_source") }} = channels.word
        where records.entity_is_live and records.is_live
    ),
    survivors as (
        select
            opportunity_id,
            {{ survivor("account_key") }} as account_key,
            {{ survivor("primary_person_key") }} as primary_person_key,
            {{ survivor("opportunity_type") }} as opportunity_type,
            {{ survivor("lead_source") }} as lead_source,
            {{ survivor("channel") }} as channel,
            {{ survivor("campaign_key") }} as campaign_key,
            {{ survivor("loss_reason") }} as loss_reason,
            {{ survivor("competitor") }} as competitor,
            {{ survivor("next_step") }} as next_step
        from deals
        group by opportunity_id
    ),
    last_versions as (
        select *
        from {{ ref("opportunity_states") }}
        where is_in_marts
        qualify row_number() over (partition by record_key order by version_number desc) = 1
    ),
    current_visits as (select opportunity_id, entered_at from {{ ref("opportunity_visits") }} where exited_at is null),
    -- Times that the expected close date was moved to a later day while the deal was open.
    pushes as (
        select
            opportunity_id,
            sum(case when not is_closed and expected_close_date > expected_before then 1 else 0 end) as push_count
        from
            (
                select
                    opportunity_id,
                    is_closed,
                    expected_close_date,
                    lag(expected_close_date) over (partition by record_key order by version_number) as expected_before
                from {{ ref("opportunity_states") }}
                where is_in_marts
            ) as expectations
        group by opportunity_id
    ),
    primary_people as (
        select opportunity_id, person_id
        from {{ ref("opportunity_members") }}
        where is_primary
        qualify row_number() over (partition by opportunity_id order by person_id) = 1
    ),
    decision_makers as (
        select opportunity_id, max(case when is_decision_maker then 1 else 0 end) = 1 as has_decision_maker
        from {{ ref("opportunity_members") }}
        group by opportunity_id
    )

select
    deals.opportunity_id,
    deals.record_key,
    accounts.entity_id as account_id,
    coalesce(named_people.entity_id, primary_people.person_id) as primary_person_id,
    deals.name,
    coalesce(deals.pipeline, 'none') as pipeline_id,
    last_versions.owner_id,
    last_versions.stage,
    last_versions.source_stage,
    last_versions.stage_order,
    last_versions.is_closed,
    last_versions.is_won,
    last_versions.amount_original,
    last_versions.currency,
    last_versions.probability,
    last_versions.forecast_category,
    coalesce(closures.close_date, last_versions.expected_close_date, deals.close_date) as expected_close_date,
    survivors.opportunity_type,
    survivors.lead_source,
    coalesce(survivors.channel, 'none') as channel,
    campaigns.entity_id as campaign_id,
    survivors.loss_reason,
    survivors.competitor,
    survivors.next_step,
    deals.created_at,
    closures.close_date,
    closures.closed_day,
    case when not closures.is_assumed then closures.closed_at end as closed_at,
    closures.amount as closed_amount,
    current_visits.entered_at as stage_entered_at,
    coalesce(pushes.push_count, 0) as push_count,
    coalesce(decision_makers.has_decision_maker, false) as has_decision_maker,
    deals.source_system,
    deals.source_id,
    deals.record_url
from deals
inner join survivors on deals.opportunity_id = survivors.opportunity_id
inner join last_versions on deals.record_key = last_versions.record_key
left join current_visits on deals.opportunity_id = current_visits.opportunity_id
left join {{ ref("opportunity_closures") }} as closures on deals.record_key = closures.record_key
left join pushes on deals.opportunity_id = pushes.opportunity_id
left join primary_people on deals.opportunity_id = primary_people.opportunity_id
left join decision_makers on deals.opportunity_id = decision_makers.opportunity_id
left join {{ living("account") }} as accounts on survivors.account_key = accounts.record_key
left join {{ living("person") }} as named_people on survivors.primary_person_key = named_people.record_key
left join {{ living("campaign") }} as campaigns on survivors.campaign_key = campaigns.record_key
where deals.precedence = 1
