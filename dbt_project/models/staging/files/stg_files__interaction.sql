{{ config(enabled=connected("files")) }}

{% set columns = [
    "person_ref",
    "account_ref",
    "opportunity_ref",
    "owner_ref",
    "occurred_at",
    "touch_type",
    "channel",
    "direction",
    "outcome",
    "subject",
    "minutes",
    "campaign_ref",
] %}

with activities as ({{ files_latest("activity", columns) }})

select
    {{ files_common() }},
    {{ files_key("person_ref") }} as person_key,
    {{ files_key("account_ref") }} as account_key,
    {{ files_key("opportunity_ref") }} as opportunity_key,
    {{ files_key("owner_ref") }} as owner_key,
    {{ to_utc_timestamp("occurred_at") }} as occurred_at,
    touch_type,
    channel as source_channel,
    direction,
    outcome,
    subject,
    minutes,
    {{ files_key("campaign_ref") }} as campaign_key
from activities
