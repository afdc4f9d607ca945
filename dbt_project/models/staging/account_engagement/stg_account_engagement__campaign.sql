{{ config(enabled=connected("account_engagement")) }}

with
    campaigns as (
        {{
            latest(
                "account_engagement",
                "campaigns",
                ["created_at", "name", "parent_campaign_id", "cost"],
                cursor="updated_at",
                flag="is_deleted",
            )
        }}
    )

select
    {{
        common_columns(
            "campaigns",
            created="created_at",
            flag="is_deleted",
            url=instance_url("account_engagement") ~ " || '/campaign/read/id/' || id",
        )
    }},
    name,
    {{ key_of("campaigns", "parent_campaign_id") }} as parent_key,
    cast(null as string) as source_channel,
    cast(null as string) as campaign_type,
    cast(null as string) as status,
    cast(null as date) as start_date,
    cast(null as date) as end_date,
    cast(null as decimal(18, 4)) as budget,
    cost as actual_cost,
    '{{ var("default_currency") }}' as currency
from campaigns
