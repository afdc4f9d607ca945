{{ config(enabled=connected("salesforce")) }}

{% set columns = [
    "name",
    "parent_id",
    "type",
    "status",
    "start_date",
    "end_date",
    "budgeted_cost",
    "actual_cost",
    "currency_iso_code",
    "channel_c",
] %}

with
    campaigns as (
        {{ latest("salesforce", "campaign", columns + ["created_date"], cursor="system_modstamp", flag="is_deleted") }}
    )

select
    {{
        common_columns(
            "Campaign", created="created_date", flag="is_deleted", url=instance_url("salesforce") ~ " || '/' || id"
        )
    }},
    name,
    {{ key_of("Campaign", "parent_id") }} as parent_key,
    coalesce(channel_c, type) as source_channel,
    type as campaign_type,
    status,
    start_date,
    end_date,
    budgeted_cost as budget,
    actual_cost,
    coalesce(currency_iso_code, '{{ var("default_currency") }}') as currency
from campaigns
