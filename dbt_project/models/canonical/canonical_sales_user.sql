-- Users by version. The newest version is the current one; a deleted user keeps its versions.
with
    versions as ({{ union_staging("sales_user") }}),

    distinct_versions as (
        select *
        from versions
        qualify
            row_number() over (
                partition by record_key, valid_from
                order by load_seq desc, updated_at desc, name, email, team, department, manager_key, is_active
            )
            = 1
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
    lead(valid_from) over (partition by record_key order by valid_from) as valid_to,
    lead(valid_from) over (partition by record_key order by valid_from) is null as is_current
from distinct_versions
