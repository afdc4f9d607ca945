{{ config(enabled=connected("kintone")) }}

-- A person's row names one account; differences between loads say since when, and which account it was before.
with
    people as ({{ mapped_latest("kintone", "person", ["account_ref"]) }}),

    person_versions as ({{ mapped_versions("kintone", "person", ["account_ref"]) }}),

    changes as (
        select
            source_system,
            id,
            account_ref,
            stamp,
            load_seq,
            _seq,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from person_versions
        qualify
            account_ref
            is distinct from lag(account_ref) over (partition by source_system, id order by stamp, load_seq, _seq)
            or version_number = 1
    ),

    stays as (
        select changes.*, lead(stamp) over (partition by source_system, id order by stamp, load_seq, _seq) as left_at
        from changes
    ),

    -- Who comes back to an account has one relation to it, from the last arrival on.
    last_stays as (
        select *
        from stays
        where account_ref is not null
        qualify
            row_number() over (
                partition by source_system, id, account_ref order by stamp desc, load_seq desc, _seq desc
            )
            = 1
    ),

    relations as (
        select
            people.source_system,
            people.vendor,
            people.source_object,
            people.source_id || '/' || last_stays.account_ref as source_id,
            people.id as person_ref,
            people.created_at,
            people.is_deleted,
            people.record_url,
            people.stamp,
            people.committed_at,
            people.load_id,
            people.load_seq,
            people.is_gone,
            people.gone_at,
            cast(null as string) as unmapped_columns,
            last_stays.account_ref,
            case when last_stays.version_number > 1 then last_stays.stamp end as valid_from,
            last_stays.left_at as valid_to
        from people
        inner join last_stays on people.source_system = last_stays.source_system and people.id = last_stays.id
    )

select
    {{ files_common() }},
    {{ files_key("person_ref") }} as person_key,
    {{ files_key("account_ref") }} as account_key,
    cast(null as string) as role,
    valid_to is null as is_primary,
    valid_from,
    valid_to
from relations
