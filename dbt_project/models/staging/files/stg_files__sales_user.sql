{{ config(enabled=connected("files")) }}

-- Users by version: differences between loads. The first one holds from the user's creation on, or from ever where the
-- file does not give it, because deals of the past have owners too.
{% set columns = ["name", "email", "team", "department", "manager_ref", "is_active"] %}

with
    user_versions as ({{ files_versions("sales_user", columns) }}),

    users as ({{ files_latest("sales_user", []) }}),

    worded as (
        select
            user_versions.*,
            concat_ws(
                '|',
                coalesce(name, ''),
                coalesce(email, ''),
                coalesce(team, ''),
                coalesce(department, ''),
                coalesce(manager_ref, ''),
                cast(coalesce(is_active, true) as string)
            ) as content
        from user_versions
    ),

    changes as (
        select
            worded.*,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from worded
        qualify
            content is distinct from lag(content) over (partition by source_system, id order by stamp, load_seq, _seq)
    ),

    flagged as (
        select changes.*, users.is_gone, users.gone_at
        from changes
        inner join users on changes.source_system = users.source_system and changes.id = users.id
    )

select
    {{ files_common() }},
    name,
    email,
    team,
    department,
    {{ files_key("manager_ref") }} as manager_key,
    coalesce(is_active, true) as is_active,
    case
        when version_number = 1
        then coalesce({{ to_utc_timestamp("created_at") }}, cast('1970-01-01 00:00:00' as timestamp))
        else stamp
    end as valid_from,
    cast(null as timestamp) as valid_to
from flagged
