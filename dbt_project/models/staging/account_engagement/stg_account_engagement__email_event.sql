{{ config(enabled=connected("account_engagement")) }}

-- What happened to e-mails, by the types of visitor activities. A send is an e-mail to a prospect.
{% set events = {
    1: "clicked",
    6: "sent",
    11: "opened",
    12: "unsubscribed",
    13: "bounced",
    14: "complained",
} %}

with
    activities as (
        {{
            latest(
                "account_engagement",
                "visitor_activities",
                ["prospect_id", "type", "type_name", "campaign_id", "email_id", "list_email_id", "created_at"],
                cursor="updated_at",
            )
        }}
    ),

    of_emails as (
        select *
        from activities
        where
            type in ({{ events.keys() | join(", ") }})
            and (type_name = 'Email' or email_id is not null or list_email_id is not null)
            and prospect_id <> ''
    )

select
    {{ common_columns("visitor-activities", created="created_at") }},
    {{ key_of("prospects", "prospect_id") }} as person_key,
    {{ key_of("campaigns", "campaign_id") }} as campaign_key,
    md5(concat_ws('|', source_system, prospect_id, coalesce(list_email_id, ''), coalesce(email_id, ''))) as send_key,
    case type {% for number, event in events.items() %} when {{ number }} then '{{ event }}' {% endfor %} end as event,
    {{ to_utc_timestamp("created_at") }} as occurred_at,
    false as is_bot
from of_emails
