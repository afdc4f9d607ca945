{{ config(enabled=connected("hubspot")) }}

-- Deals. One with several companies belongs to the primary one (association type 5), else to the one associated first.
-- A deal that carries a Salesforce id is the copy that HubSpot's sync keeps; which instance it mirrors is a map's
-- matter.
{% set columns = [
    "createdate",
    "dealname",
    "dealtype",
    "pipeline",
    "dealstage",
    "amount",
    "deal_currency_code",
    "closedate",
    "hs_deal_stage_probability",
    "hs_manual_forecast_category",
    "hs_next_step",
    "closed_lost_reason",
    "closed_won_reason",
    "competitor",
    "lead_source",
    "hs_analytics_source",
    "hubspot_owner_id",
    "hs_salesforceopportunityid",
    "hs_is_closed",
    "hs_is_closed_won",
    "properties_with_history",
] %}
{% set touched_deals = [
    touched("hubspot", "deals", "id"),
    touched("hubspot", "deals", "hs_merged_object_ids", ";"),
    touched("hubspot", "deals_companies", "from_id"),
    touched("hubspot", "deals_contacts", "from_id"),
    touched_by_lookup("hubspot", "pipelines", "deals"),
    touched_by_lookup("hubspot", "account_info", "deals"),
] %}

with
    touched_deals as ({{ touched_deals | join(" union ") }}),

    deals as (
        {{
            latest(
                "hubspot",
                "deals",
                columns,
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=["select * from touched_deals"],
            )
        }}
    ),

    companies as (
        select
            source_system,
            from_id,
            to_id,
            row_number() over (
                partition by source_system, from_id
                order by
                    case when details like '%"type_id":5,%' then 0 else 1 end,
                    linked_at,
                    try_cast(to_id as bigint),
                    to_id
            ) as choice
        from
            (
                {{ link_sets("hubspot", "deals_companies", "$.to", also_touched=["select * from touched_deals"]) }}
            ) as sets
        where is_current
    ),

    contacts as (
        select
            source_system,
            from_id,
            to_id,
            row_number() over (
                partition by source_system, from_id
                order by
                    case when lower(details) like '%"label":"primary"%' then 0 else 1 end,
                    linked_at,
                    try_cast(to_id as bigint),
                    to_id
            ) as choice
        from
            ({{ link_sets("hubspot", "deals_contacts", "$.to", also_touched=["select * from touched_deals"]) }}) as sets
        where is_current
    ),

    pipelines as (
        select distinct source_system, pipeline_id, pipeline_label
        from {{ ref("stg_hubspot__stage") }}
        qualify row_number() over (partition by source_system, pipeline_id order by pipeline_label) = 1
    ),

    mirrors as ({{ mirrored_instances("opportunity", "hubspot") }}),

    joined_deals as (
        select
            deals.*,
            companies.to_id as company_id,
            contacts.to_id as contact_id,
            pipelines.pipeline_label,
            mirrors.mirrors_source_system,
            merges.winner_id,
            greatest(deals.load_seq, coalesce(merges.load_seq, 0)) as news_seq,
            portals.record_base
        from deals
        left join
            companies
            on deals.source_system = companies.source_system
            and deals.id = companies.from_id
            and companies.choice = 1
        left join
            contacts
            on deals.source_system = contacts.source_system
            and deals.id = contacts.from_id
            and contacts.choice = 1
        left join pipelines on deals.source_system = pipelines.source_system and deals.pipeline = pipelines.pipeline_id
        left join mirrors on deals.source_system = mirrors.source_system
        left join
            {{ ref("stg_hubspot__merge") }} as merges
            on deals.source_system = merges.source_system
            and deals.id = merges.loser_id
            and merges.object = 'deals'
        left join {{ ref("stg_hubspot__portal") }} as portals on deals.source_system = portals.source_system
    ),

    -- Merged away before the first load: the API gives nothing of them but their ids.
    unseen_merges as (
        select merges.source_system, merges.loser_id, merges.winner_id, merges.load_seq
        from {{ ref("stg_hubspot__merge") }} as merges
        left join
            ({{ versions("hubspot", "deals", [], flag="archived", restrict=false) }}) as every_version
            on merges.source_system = every_version.source_system
            and merges.loser_id = every_version.id
        where merges.object = 'deals' and every_version.id is null
    )

select
    {{
        common_columns(
            "deals",
            created="createdate",
            flag="archived",
            merged_into="winner_id",
            url="record_base || '0-3/' || id",
            seq="news_seq",
        )
    }},
    {{ key_of("companies", "company_id") }} as account_key,
    {{ key_of("contacts", "contact_id") }} as primary_person_key,
    dealname as name,
    dealtype as opportunity_type,
    cast(null as string) as campaign_key,
    coalesce(lead_source, hs_analytics_source) as lead_source,
    closed_lost_reason as loss_reason,
    competitor,
    {{ local_date(to_utc_timestamp("closedate")) }} as close_date,
    hs_next_step as next_step,
    {{ record_key("mirrors_source_system", "'Opportunity'", "hs_salesforceopportunityid") }} as mirror_of_key,
    pipeline as source_pipeline_id,
    pipeline_label as source_pipeline
from joined_deals
union all
{{ merged_stub("opportunity", "deals", "hubspot", "unseen_merges") }}
