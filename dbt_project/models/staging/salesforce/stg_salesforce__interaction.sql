{{ config(enabled=connected("salesforce")) }}

-- Tasks and events. A task that is still open is only planned, whatever its type. Type is a picklist that a company may
-- extend; TaskSubtype says call or e-mail also where Type is empty.
-- https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_task.htm
{% set activity_columns = [
    "owner_id",
    "who_id",
    "what_id",
    "account_id",
    "subject",
    "type",
    "activity_date",
    "direction_c",
    "outcome_c",
    "campaign_c",
] %}
{% set task_columns = [
    "status",
    "is_closed",
    "task_subtype",
    "call_duration_in_seconds",
    "call_type",
    "call_disposition",
    "completed_date_time",
] %}
{% set event_columns = ["start_date_time", "activity_date_time", "duration_in_minutes"] %}

with
    tasks as (
        {{
            latest(
                "salesforce",
                "task",
                activity_columns + task_columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    ),

    events as (
        {{
            latest(
                "salesforce",
                "event",
                activity_columns + event_columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    ),

    activities as (
        select
            {{
                common_columns(
                    "Task",
                    created="created_date",
                    flag="is_deleted",
                    url=instance_url("salesforce") ~ " || '/' || id",
                )
            }},
            who_id,
            what_id,
            account_id,
            owner_id,
            coalesce(
                {{ to_utc_timestamp("completed_date_time") }},
                {{ start_of_local_day("activity_date") }},
                {{ to_utc_timestamp("created_date") }}
            ) as occurred_at,
            case when not coalesce(is_closed, false) then 'task' else coalesce(type, task_subtype, 'task') end as kind,
            coalesce(direction_c, call_type) as direction,
            coalesce(outcome_c, call_disposition, status) as outcome,
            subject,
            call_duration_in_seconds / 60.0 as minutes,
            campaign_c as campaign_id
        from tasks
        union all
        select
            {{
                common_columns(
                    "Event",
                    created="created_date",
                    flag="is_deleted",
                    url=instance_url("salesforce") ~ " || '/' || id",
                )
            }},
            who_id,
            what_id,
            account_id,
            owner_id,
            coalesce(
                {{ to_utc_timestamp("start_date_time") }},
                {{ to_utc_timestamp("activity_date_time") }},
                {{ start_of_local_day("activity_date") }},
                {{ to_utc_timestamp("created_date") }}
            ) as occurred_at,
            coalesce(type, 'meeting') as kind,
            direction_c as direction,
            outcome_c as outcome,
            subject,
            cast(duration_in_minutes as double) as minutes,
            campaign_c as campaign_id
        from events
    ),

    typed as (
        select
            activities.*,
            case
                lower(kind)
                when 'call'
                then 'call'
                when 'email'
                then 'email'
                when 'listemail'
                then 'email'
                when 'meeting'
                then 'meeting'
                when 'visit'
                then 'visit'
                when 'note'
                then 'note'
                when 'form'
                then 'form'
                when 'web visit'
                then 'web_visit'
                when 'seminar'
                then 'seminar'
                when 'email open'
                then 'email_open'
                when 'email click'
                then 'email_click'
                else case source_object when 'Event' then 'meeting' else 'task' end
            end as touch_type
        from activities
    )

select
    record_key,
    source_system,
    vendor,
    source_object,
    source_id,
    created_at,
    updated_at,
    is_deleted,
    deleted_at,
    merged_into_key,
    record_url,
    extra_columns,
    load_id,
    load_seq,
    -- The first three characters of an id name the object: https://help.salesforce.com/s/articleView?id=000385203
    case
        when who_id like '00Q%'
        then {{ key_of("Lead", "who_id") }}
        when who_id like '003%'
        then {{ key_of("Contact", "who_id") }}
    end as person_key,
    {{ key_of("Account", "coalesce(account_id, case when what_id like '001%' then what_id end)") }} as account_key,
    {{ key_of("Opportunity", "case when what_id like '006%' then what_id end") }} as opportunity_key,
    {{ key_of("User", "owner_id") }} as owner_key,
    occurred_at,
    touch_type,
    touch_type as source_channel,
    lower(direction) as direction,
    outcome,
    subject,
    minutes,
    {{ key_of("Campaign", "coalesce(campaign_id, case when what_id like '701%' then what_id end)") }} as campaign_key
from typed
