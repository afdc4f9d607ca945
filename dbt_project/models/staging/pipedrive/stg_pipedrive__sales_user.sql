{{ config(enabled=connected("pipedrive")) }}

-- Users by version: differences between loads, the first one from the user's creation on.
with
    user_versions as (
        {{ versions("pipedrive", "users", ["name", "email", "active_flag", "created"], flag="is_deleted") }}
    ),

    users as ({{ latest("pipedrive", "users", [], flag="is_deleted") }}),

    changes as (
        select
            user_versions.*,
            row_number() over (partition by source_system, id order by load_seq, _seq) as version_number
        from user_versions
        qualify
            concat_ws(
                '|',
                coalesce(name, ''),
                coalesce(email, ''),
                cast(coalesce(active_flag, true) as string)
            ) is distinct from lag(
                concat_ws('|', coalesce(name, ''), coalesce(email, ''), cast(coalesce(active_flag, true) as string))
            ) over (partition by source_system, id order by load_seq, _seq)
    ),

    flagged as (
        select changes.*, users.is_deleted as flagged_now, users.is_gone, users.gone_at
        from changes
        inner join users on changes.source_system = users.source_system and changes.id = users.id
    )

select
    {{ common_columns("users", created="created", flag="flagged_now") }},
    name,
    email,
    cast(null as string) as team,
    cast(null as string) as department,
    cast(null as string) as manager_key,
    coalesce(active_flag, true) as is_active,
    case
        when version_number = 1
        then coalesce({{ to_utc_timestamp("created") }}, cast('1970-01-01 00:00:00' as timestamp))
        else committed_at
    end as valid_from,
    cast(null as timestamp) as valid_to
from flagged
