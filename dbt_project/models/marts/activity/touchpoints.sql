-- Every interaction, once: with the person, the account of its day, the deal, the owner and the campaign. Planned ones
-- are here too: their occurred_at lies after as-of. Depends on no as-of.
with
    interactions as (
        select
            clusters.entity_id as touchpoint_id,
            people.entity_id as person_id,
            accounts.entity_id as account_id,
            deals.entity_id as opportunity_id,
            owners.entity_id as owner_id,
            campaigns.entity_id as campaign_id,
            records.occurred_at,
            records.channel,
            records.touch_type,
            records.direction,
            records.outcome,
            records.subject,
            records.minutes,
            records.source_system,
            records.source_id,
            records.record_url
        from {{ ref("canonical_interaction") }} as records
        inner join
            {{ source("identity", "clusters") }} as clusters
            on clusters.entity_type = 'activity'
            and records.record_key = clusters.record_key
        left join {{ living("person") }} as people on records.person_key = people.record_key
        left join {{ living("account") }} as accounts on records.account_key = accounts.record_key
        left join {{ living("opportunity") }} as deals on records.opportunity_key = deals.record_key
        left join {{ living("user") }} as owners on records.owner_key = owners.record_key
        left join {{ living("campaign") }} as campaigns on records.campaign_key = campaigns.record_key
        where not coalesce(records.is_deleted, false) and records.merged_into_key is null
        qualify
            row_number() over (
                partition by clusters.entity_id order by records.created_at nulls last, records.record_key
            )
            = 1
    ),
    -- Where the record names no account: the person's account on that day, else the deal's.
    accounts_of_the_day as (
        select interactions.touchpoint_id, relations.account_id
        from interactions
        inner join
            {{ ref("person_accounts") }} as relations
            on interactions.person_id = relations.person_id
            and (relations.valid_from <= interactions.occurred_at or relations.valid_from is null)
            and (relations.valid_to > interactions.occurred_at or relations.valid_to is null)
        where interactions.account_id is null
        qualify
            row_number() over (
                partition by interactions.touchpoint_id
                order by relations.is_primary desc, relations.valid_from desc nulls last, relations.account_id
            )
            = 1
    ),
    accounts_of_deals as (select opportunity_id, account_id from {{ ref("opportunity_records") }} where is_in_marts)

select
    interactions.touchpoint_id,
    interactions.person_id,
    coalesce(
        interactions.account_id,
        accounts_of_the_day.account_id,
        accounts_of_deals.account_id,
        current_accounts.account_id
    ) as account_id,
    interactions.opportunity_id,
    interactions.owner_id,
    interactions.occurred_at,
    coalesce(interactions.channel, 'none') as channel,
    interactions.touch_type,
    interactions.direction,
    interactions.outcome,
    interactions.campaign_id,
    interactions.subject,
    interactions.minutes,
    interactions.source_system,
    interactions.source_id,
    interactions.record_url
from interactions
left join accounts_of_the_day on interactions.touchpoint_id = accounts_of_the_day.touchpoint_id
left join accounts_of_deals on interactions.opportunity_id = accounts_of_deals.opportunity_id
left join
    {{ ref("person_primary_accounts") }} as current_accounts on interactions.person_id = current_accounts.person_id
