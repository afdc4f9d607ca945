{{ config(enabled=connected("account_engagement")) }}

-- Copies of Salesforce's opportunities: each names the one that it mirrors, and tells nothing else that counts (no
-- versions, no lines). One without a Salesforce id, of a unit that has no connector, is left out.
with
    opportunities as (
        {{
            latest(
                "account_engagement",
                "opportunities",
                ["created_at", "name", "type", "campaign_id", "salesforce_id", "closed_at"],
                cursor="updated_at",
            )
        }}
    ),

    mirrors as ({{ mirrored_instances("opportunity", "account_engagement") }}),

    mirrored as (
        select opportunities.*, mirrors.mirrors_source_system
        from opportunities
        inner join mirrors on opportunities.source_system = mirrors.source_system
        where opportunities.salesforce_id <> ''
    )

select
    {{ common_columns("opportunities", created="created_at") }},
    cast(null as string) as account_key,
    cast(null as string) as primary_person_key,
    name,
    type as opportunity_type,
    {{ key_of("campaigns", "campaign_id") }} as campaign_key,
    cast(null as string) as lead_source,
    cast(null as string) as loss_reason,
    cast(null as string) as competitor,
    {{ local_date(to_utc_timestamp("closed_at")) }} as close_date,
    cast(null as string) as next_step,
    {{ record_key("mirrors_source_system", "'Opportunity'", "salesforce_id") }} as mirror_of_key,
    cast(null as string) as source_pipeline_id,
    cast(null as string) as source_pipeline
from mirrored
