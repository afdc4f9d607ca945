{{ config(enabled=connected("kintone")) }}

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
] %}

-- The kind of an activity is its channel where the mapping names none.
with activities as ({{ mapped_latest("kintone", "activity", columns) }})

select
    {{ files_common() }},
    {{ files_key("person_ref") }} as person_key,
    {{ files_key("account_ref") }} as account_key,
    {{ files_key("opportunity_ref") }} as opportunity_key,
    {{ files_key("owner_ref") }} as owner_key,
    {{ to_utc_timestamp("occurred_at") }} as occurred_at,
    touch_type,
    coalesce(channel, touch_type) as source_channel,
    direction,
    outcome,
    subject,
    minutes,
    cast(null as string) as campaign_key
from activities
