-- Where each owner sat when: intervals of days in one team and department, from the versions of the user's records.
-- What a
-- day ends with counts. The first seat holds from ever, the last one until now. Of several records of a user the one
-- whose source ranks first (map system_of_record) says it, one that was deleted by then last: an order that no later
-- change of a record turns round, so that past days keep their teams. Depends on no as-of.
{{ config(schema="work") }}

with
    records as (
        select
            entity_id as owner_id,
            record_key,
            row_number() over (partition by entity_id order by source_rank nulls last, record_key) as precedence
        from {{ ref("entity_records") }}
        where entity_type = 'user' and entity_is_live
    ),
    versions as (
        select
            records.owner_id,
            records.precedence,
            users.team,
            users.department,
            case
                when row_number() over (partition by users.record_key order by users.valid_from nulls first) = 1
                then cast('0001-01-01' as date)
                else {{ local_date("users.valid_from") }}
            end as valid_from,
            lead({{ local_date("users.valid_from") }}) over (
                partition by users.record_key order by users.valid_from nulls first
            ) as valid_to,
            case when users.is_deleted then {{ local_date("users.deleted_at") }} end as deleted_date
        from {{ ref("canonical_sales_user") }} as users
        inner join records on users.record_key = records.record_key
    ),
    starts as (
        select owner_id, valid_from
        from versions
        union
        select owner_id, deleted_date as valid_from
        from versions
        where deleted_date is not null
    ),
    said as (
        select
            starts.owner_id,
            starts.valid_from,
            min_by(
                versions.team, case when versions.deleted_date <= starts.valid_from then 1000 else 0 end + precedence
            ) filter (where versions.team is not null) as team,
            min_by(
                versions.department,
                case when versions.deleted_date <= starts.valid_from then 1000 else 0 end + precedence
            ) filter (where versions.department is not null) as department
        from starts
        inner join
            versions
            on starts.owner_id = versions.owner_id
            and starts.valid_from >= versions.valid_from
            and (starts.valid_from < versions.valid_to or versions.valid_to is null)
        group by starts.owner_id, starts.valid_from
    ),
    with_departments as (
        select
            said.owner_id,
            said.valid_from,
            said.team,
            coalesce(said.department, teams.department) as department,
            coalesce(teams.is_key_account_team, false) as is_key_account_team
        from said
        left join ({{ map_rows("teams") }}) as teams on said.team = teams.team
    ),
    changes as (
        select *
        from with_departments
        qualify
            row_number() over (partition by owner_id order by valid_from) = 1
            or team is distinct from lag(team) over (partition by owner_id order by valid_from)
            or department is distinct from lag(department) over (partition by owner_id order by valid_from)
    )

select
    case
        when row_number() over (partition by owner_id order by valid_from) = 1
        then owner_id
        else owner_id || ' ' || cast(valid_from as string)
    end as seat_id,
    owner_id,
    team,
    department,
    is_key_account_team,
    valid_from,
    lead(valid_from) over (partition by owner_id order by valid_from) as valid_to
from changes
