-- One row per unified user of the connected tools: who owns accounts, deals and activities, and where they report.
with
    user_records as (
        select
            records.entity_id as owner_id,
            records.precedence,
            records.is_live,
            records.source_system,
            users.name,
            users.email,
            users.manager_key,
            users.is_active
        from {{ ref("canonical_sales_user") }} as users
        inner join
            {{ ref("entity_records") }} as records
            on users.record_key = records.record_key
            and records.entity_type = 'user'
        where users.is_current and records.entity_is_live
    ),
    survivors as (
        select
            owner_id,
            {{ survivor("name") }} as owner_name,
            {{ survivor("email") }} as email,
            {{ survivor("manager_key") }} as manager_key,
            max(case when is_live and is_active then 1 else 0 end) = 1 as is_active,
            {{ sorted_list("source_system") }} as source_systems
        from user_records
        group by owner_id
    ),
    with_teams as (
        select
            survivors.owner_id,
            survivors.owner_name,
            survivors.email,
            seats.team,
            seats.department,
            managers.entity_id as manager_id,
            survivors.is_active,
            coalesce(seats.is_key_account_team, false) as is_key_account_team,
            survivors.source_systems
        from survivors
        left join {{ living("user") }} as managers on survivors.manager_key = managers.record_key
        left join {{ ref("owner_seats") }} as seats on survivors.owner_id = seats.owner_id and seats.valid_to is null
    )

select
    owners.owner_id,
    owners.owner_name,
    owners.email,
    owners.team,
    owners.department,
    owners.manager_id,
    managers.owner_name as manager_name,
    owners.is_active,
    owners.is_key_account_team,
    owners.source_systems
from with_teams as owners
left join with_teams as managers on owners.manager_id = managers.owner_id
