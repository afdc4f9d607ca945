{{ config(enabled=connected("salesforce")) }}

-- Users by version. Salesforce keeps no history of them: versions are differences between loads. The team is the org's
-- own field where it has one, else the role.
{% set columns = ["name", "email", "team_c", "department", "manager_id", "is_active", "user_role_id"] %}

with
    roles as ({{ latest("salesforce", "user_role", ["name"], cursor="system_modstamp", restrict=false) }}),

    user_versions as (
        {{
            versions(
                "salesforce",
                "user",
                columns + ["created_date"],
                cursor="system_modstamp",
                also_touched=[touched_by_lookup("salesforce", "user_role", "user")],
            )
        }}
    ),

    named_versions as (
        select
            user_versions.*,
            false as is_gone,
            cast(null as timestamp) as gone_at,
            coalesce(user_versions.team_c, roles.name) as team,
            md5(
                concat_ws(
                    '|',
                    coalesce(user_versions.name, ''),
                    coalesce(user_versions.email, ''),
                    coalesce(user_versions.team_c, roles.name, ''),
                    coalesce(user_versions.department, ''),
                    coalesce(user_versions.manager_id, ''),
                    cast(coalesce(user_versions.is_active, false) as string)
                )
            ) as content
        from user_versions
        left join roles on user_versions.source_system = roles.source_system and user_versions.user_role_id = roles.id
    ),

    changes as (
        select
            named_versions.*,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from named_versions
        qualify
            content is distinct from lag(content) over (partition by source_system, id order by stamp, load_seq, _seq)
    )

select
    {{ common_columns("User", created="created_date", url=instance_url("salesforce") ~ " || '/' || id") }},
    name,
    email,
    team,
    department,
    {{ key_of("User", "manager_id") }} as manager_key,
    is_active,
    case when version_number = 1 then {{ to_utc_timestamp("created_date") }} else stamp end as valid_from,
    cast(null as timestamp) as valid_to
from changes
