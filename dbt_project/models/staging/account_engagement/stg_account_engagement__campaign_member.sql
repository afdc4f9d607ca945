{{ config(enabled=connected("account_engagement")) }}

-- The campaign by which a prospect came: Account Engagement keeps one a prospect. Memberships in lists are none of
-- campaigns. A prospect that no longer has one keeps the row of its last one, as deleted.
with
    versions_with_campaign as (
        {{
            versions(
                "account_engagement",
                "prospects",
                ["campaign_id"],
                cursor="updated_at",
                flag="is_deleted",
            )
        }}
    ),

    last_campaigns as (
        select source_system, id, max_by(campaign_id, (stamp, load_seq, _seq)) as last_campaign_id
        from versions_with_campaign
        where campaign_id <> ''
        group by source_system, id
    ),

    prospects as (
        {{
            latest(
                "account_engagement",
                "prospects",
                ["created_at", "campaign_id"],
                cursor="updated_at",
                flag="is_deleted",
            )
        }}
    ),

    members as (
        select prospects.*, last_campaigns.last_campaign_id
        from prospects
        inner join
            last_campaigns
            on prospects.source_system = last_campaigns.source_system
            and prospects.id = last_campaigns.id
    )

select
    {{ common_columns("prospect-campaigns", created="created_at", flag="is_deleted", deleted="campaign_id is null") }},
    {{ key_of("campaigns", "last_campaign_id") }} as campaign_key,
    {{ key_of("prospects", "id") }} as person_key,
    'Source' as status,
    cast(null as timestamp) as responded_at
from members
