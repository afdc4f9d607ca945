{{ config(enabled=connected("pipedrive")) }}

-- Activities. What is not done yet is only planned, a task, whatever its type. Due date and time are in UTC.
-- https://developers.pipedrive.com/docs/api/v1/Activities
{% set columns = [
    "person_id",
    "org_id",
    "deal_id",
    "owner_id",
    "type",
    "subject",
    "done",
    "due_date",
    "due_time",
    "duration",
    "marked_as_done_time",
] %}

with
    activities as (
        {{ latest("pipedrive", "activities", columns + ["add_time"], cursor="update_time", flag="is_deleted") }}
    ),

    timed as (
        select
            *,
            coalesce(
                {{ try_utc_timestamp("due_date || ' ' || nullif(due_time, '')") }},
                {{ to_utc_timestamp("marked_as_done_time") }},
                {{ start_of_local_day("cast(due_date as date)") }},
                {{ to_utc_timestamp("add_time") }}
            ) as occurred_at,
            case when coalesce(done, false) then type else 'task' end as kind
        from activities
    )

select
    {{
        common_columns(
            "activities",
            created="add_time",
            flag="is_deleted",
            url=instance_url("pipedrive") ~ " || '/activities/' || id",
        )
    }},
    {{ key_of("persons", "person_id") }} as person_key,
    {{ key_of("organizations", "org_id") }} as account_key,
    {{ key_of("deals", "deal_id") }} as opportunity_key,
    {{ key_of("users", "owner_id") }} as owner_key,
    occurred_at,
    kind as touch_type,
    kind as source_channel,
    cast(null as string) as direction,
    cast(null as string) as outcome,
    subject,
    cast(split_part(duration, ':', 1) as double) * 60 + cast(split_part(duration, ':', 2) as double) as minutes,
    cast(null as string) as campaign_key
from timed
