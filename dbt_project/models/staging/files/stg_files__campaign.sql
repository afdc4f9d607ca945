{{ config(enabled=connected("files")) }}

{% set columns = [
    "name",
    "parent_ref",
    "channel",
    "campaign_type",
    "status",
    "start_date",
    "end_date",
    "budget",
    "actual_cost",
    "currency",
] %}

with campaigns as ({{ files_latest("campaign", columns) }})

select
    {{ files_common() }},
    name,
    {{ files_key("parent_ref") }} as parent_key,
    channel as source_channel,
    campaign_type,
    status,
    start_date,
    end_date,
    budget,
    actual_cost,
    coalesce(currency, '{{ var("default_currency") }}') as currency
from campaigns
