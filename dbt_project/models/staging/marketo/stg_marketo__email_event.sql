{{ config(enabled=connected("marketo")) }}

-- What happened to e-mails, by the types of activities. A send is a person, an e-mail, and the run of the campaign
-- that sent
-- it. Opens and clicks of bots are marked by Marketo where its filter is on.
{% set events = {
    6: "sent",
    7: "delivered",
    8: "bounced",
    9: "unsubscribed",
    10: "opened",
    11: "clicked",
    27: "soft_bounced",
} %}

with
    activities as (
        {{
            latest(
                "marketo",
                "activities",
                [
                    "lead_id",
                    "activity_date",
                    "activity_type_id",
                    "primary_attribute_value_id",
                    "primary_attribute_value",
                    "attributes",
                ],
                keys=["marketo_guid"],
                cursor="activity_date",
                also_touched=[
                    touched_by_name(
                        "marketo",
                        "activities",
                        "marketo_guid",
                        ["primary_attribute_value"],
                        "split_part(cast(primary_attribute_value as string), '.', 1)",
                        "programs",
                    )
                ],
            )
        }}
    ),

    of_emails as (
        select activities.*, names.program_id
        from activities
        left join
            {{ ref("stg_marketo__program_name") }} as names
            on activities.source_system = names.source_system
            and split_part(cast(activities.primary_attribute_value as string), '.', 1) = names.name
        where activities.activity_type_id in ({{ events.keys() | join(", ") }})
    )

select
    {{ common_columns("activities", source_id="marketo_guid", created="activity_date") }},
    {{ key_of("leads", "lead_id") }} as person_key,
    {{ key_of("programs", "program_id") }} as campaign_key,
    md5(
        concat_ws(
            '|',
            source_system,
            lead_id,
            coalesce(primary_attribute_value_id, primary_attribute_value, ''),
            coalesce({{ json_key("cast(attributes as string)", "Campaign Run ID") }}, ''),
            coalesce({{ json_key("cast(attributes as string)", "Step ID") }}, '')
        )
    ) as send_key,
    case
        activity_type_id {% for id, event in events.items() %} when {{ id }} then '{{ event }}' {% endfor %}
    end as event,
    {{ to_utc_timestamp("activity_date") }} as occurred_at,
    lower(coalesce({{ json_key("cast(attributes as string)", "Is Bot Activity") }}, 'false')) = 'true' as is_bot
from of_emails
