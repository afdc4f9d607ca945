{{ config(enabled=connected("account_engagement")) }}

-- What prospects did, and e-mails sent to them, by the numbers of the types of visitor activities. Views (2) are left
-- out: they are part of a visit. Clicks are of e-mails, or else of links on the web. An activity of a visitor whom
-- nobody knows yet comes when its prospect is known. Account Engagement marks no bots.
{% set touch_types = {
    4: "form",
    6: "email",
    11: "email_open",
    17: "web_visit",
    20: "web_visit",
    21: "web_visit",
    24: "seminar",
    26: "social",
    29: "seminar",
} %}

with
    activities as (
        {{
            latest(
                "account_engagement",
                "visitor_activities",
                [
                    "prospect_id",
                    "type",
                    "type_name",
                    "details",
                    "campaign_id",
                    "email_id",
                    "list_email_id",
                    "created_at",
                ],
                cursor="updated_at",
            )
        }}
    ),

    touches as (
        select
            *,
            case
                {% for number, touch_type in touch_types.items() %}
                    when type = {{ number }} then '{{ touch_type }}'
                {% endfor %}
                when type = 1 and (type_name = 'Email' or email_id is not null or list_email_id is not null)
                then 'email_click'
                else 'web_visit'
            end as touch_type
        from activities
        where type in (1, {{ touch_types.keys() | join(", ") }}) and prospect_id <> ''
    )

select
    {{ common_columns("visitor-activities", created="created_at") }},
    {{ key_of("prospects", "prospect_id") }} as person_key,
    cast(null as string) as account_key,
    cast(null as string) as opportunity_key,
    cast(null as string) as owner_key,
    {{ to_utc_timestamp("created_at") }} as occurred_at,
    touch_type,
    touch_type as source_channel,
    case when touch_type = 'email' then 'outbound' else 'inbound' end as direction,
    case when touch_type = 'form' then 'submitted' end as outcome,
    details as subject,
    cast(null as double) as minutes,
    {{ key_of("campaigns", "campaign_id") }} as campaign_key
from touches
