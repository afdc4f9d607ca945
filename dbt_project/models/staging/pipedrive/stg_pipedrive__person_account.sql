{{ config(enabled=connected("pipedrive")) }}

-- A person names one organization; differences between versions say since when, and which one it was before.
with
    people as ({{ latest("pipedrive", "persons", ["add_time"], cursor="update_time", flag="is_deleted") }}),

    person_versions as ({{ versions("pipedrive", "persons", ["org_id"], cursor="update_time", flag="is_deleted") }}),

    changes as (
        select
            source_system,
            id,
            org_id,
            stamp,
            load_seq,
            _seq,
            row_number() over (partition by source_system, id order by stamp, load_seq, _seq) as version_number
        from person_versions
        qualify
            org_id is distinct from lag(org_id) over (partition by source_system, id order by stamp, load_seq, _seq)
            or version_number = 1
    ),

    stays as (
        select changes.*, lead(stamp) over (partition by source_system, id order by stamp, load_seq, _seq) as left_at
        from changes
    ),

    -- Who comes back to an organization has one relation to it, from the last arrival on.
    last_stays as (
        select *
        from stays
        where org_id is not null
        qualify
            row_number() over (partition by source_system, id, org_id order by stamp desc, load_seq desc, _seq desc) = 1
    ),

    relations as (
        select
            people.source_system,
            people.vendor,
            people.id as person_id,
            people.add_time,
            people.is_deleted as flagged,
            people.stamp,
            people.committed_at,
            people.load_id,
            people.load_seq,
            people.is_gone,
            people.gone_at,
            cast(null as string) as extra_columns,
            last_stays.org_id,
            case when last_stays.version_number > 1 then last_stays.stamp end as valid_from,
            last_stays.left_at as valid_to
        from people
        inner join last_stays on people.source_system = last_stays.source_system and people.id = last_stays.id
    )

select
    {{
        common_columns(
            "person_organizations",
            source_id="person_id || '/' || org_id",
            created="add_time",
            flag="flagged",
        )
    }},
    {{ key_of("persons", "person_id") }} as person_key,
    {{ key_of("organizations", "org_id") }} as account_key,
    cast(null as string) as role,
    valid_to is null as is_primary,
    valid_from,
    valid_to
from relations
