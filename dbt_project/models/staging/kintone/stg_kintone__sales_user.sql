{{ config(enabled=connected("kintone")) }}

-- Users by version, from the app that lists them: differences between loads, the first one from the record's creation
-- on.
-- User fields may name others too, of whom login name and name are all that is known.
{% set columns = ["name", "email", "team", "department", "manager_ref", "is_active"] %}

with
    user_versions as ({{ mapped_versions("kintone", "sales_user", columns) }}),

    users as ({{ mapped_latest("kintone", "sales_user", []) }}),

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
        select changes.*, users.record_url, users.is_gone, users.gone_at
        from changes
        inner join users on changes.source_system = users.source_system and changes.id = users.id
    ),

    listed as (
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
            end as valid_from
        from flagged
    ),

    named as ({{ latest("kintone", "field_user", ["name"], keys=["code"]) }}),

    every_listed as (
        select distinct source_system, id
        from ({{ mapped_versions("kintone", "sales_user", [], restrict=false) }}) as every_version
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
    name,
    email,
    team,
    department,
    manager_key,
    is_active,
    valid_from,
    cast(null as timestamp) as valid_to
from listed
union all
select
    {{ record_key("named.source_system", "'users'", "named.code") }} as record_key,
    named.source_system,
    named.vendor,
    'users' as source_object,
    named.code as source_id,
    cast(null as timestamp) as created_at,
    cast(null as timestamp) as updated_at,
    false as is_deleted,
    cast(null as timestamp) as deleted_at,
    cast(null as string) as merged_into_key,
    cast(null as string) as record_url,
    cast(null as string) as extra_columns,
    named.load_id,
    named.load_seq,
    named.name,
    cast(null as string) as email,
    cast(null as string) as team,
    cast(null as string) as department,
    cast(null as string) as manager_key,
    true as is_active,
    cast('1970-01-01 00:00:00' as timestamp) as valid_from,
    cast(null as timestamp) as valid_to
from named
left join every_listed on named.source_system = every_listed.source_system and 'users|' || named.code = every_listed.id
where every_listed.id is null
