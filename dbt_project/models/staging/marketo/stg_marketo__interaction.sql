{{ config(enabled=connected("marketo")) }}

-- What people did, and e-mails sent to them. A subscription's own types of activities (ids from 100000) are touches
-- of the
-- type's name: a type Seminar gives `seminar`. Names of assets in programs are "program.asset"; an own type may name
-- its
-- program in an attribute Program. What Marketo takes for a bot is no touch.
-- https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-activity-extract
{% set touch_types = {
    1: ("web_visit", "inbound"),
    2: ("form", "inbound"),
    3: ("web_visit", "inbound"),
    6: ("email", "outbound"),
    10: ("email_open", "inbound"),
    11: ("email_click", "inbound"),
} %}

{% set program_name %}
    case
        when activity_type_id in (2, 6, 10, 11)
        then split_part(cast(primary_attribute_value as string), '.', 1)
        else {{ json_key("cast(attributes as string)", "Program") }}
    end
{% endset %}

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
                        ["activity_type_id", "primary_attribute_value", "attributes"],
                        program_name,
                        "programs",
                    ),
                    touched_by_lookup("marketo", "activity_types", "activities", key="marketo_guid"),
                ],
            )
        }}
    ),

    types as ({{ latest("marketo", "activity_types", ["name"], restrict=false) }}),

    touches as (
        select
            activities.*,
            case
                activities.activity_type_id
                {% for id, (touch_type, direction) in touch_types.items() %}
                    when {{ id }} then '{{ touch_type }}'
                {% endfor %}
                else
                    {{
                        regexp_replace_all(
                            "lower(coalesce(cast(types.name as string), 'type ' || activities.activity_type_id))",
                            "[ -]+",
                            "_",
                        )
                    }}
            end as touch_type,
            case activities.activity_type_id when 6 then 'outbound' else 'inbound' end as direction,
            {{ program_name }} as program_name
        from activities
        left join
            types
            on activities.source_system = types.source_system
            and cast(activities.activity_type_id as string) = types.id
        where
            (
                activities.activity_type_id in ({{ touch_types.keys() | join(", ") }})
                or activities.activity_type_id >= 100000
            )
            and lower(coalesce({{ json_key("cast(activities.attributes as string)", "Is Bot Activity") }}, 'false'))
            <> 'true'
    ),

    of_programs as (
        select touches.*, names.program_id
        from touches
        left join
            {{ ref("stg_marketo__program_name") }} as names
            on touches.source_system = names.source_system
            and touches.program_name = names.name
    )

select
    {{ common_columns("activities", source_id="marketo_guid", created="activity_date") }},
    {{ key_of("leads", "lead_id") }} as person_key,
    cast(null as string) as account_key,
    cast(null as string) as opportunity_key,
    cast(null as string) as owner_key,
    {{ to_utc_timestamp("activity_date") }} as occurred_at,
    touch_type,
    touch_type as source_channel,
    direction,
    case when activity_type_id = 2 then 'submitted' end as outcome,
    primary_attribute_value as subject,
    cast(null as double) as minutes,
    {{ key_of("programs", "program_id") }} as campaign_key
from of_programs
