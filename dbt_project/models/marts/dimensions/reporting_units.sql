-- The units under which the numbers of a seat are shown: owner, team, department, company. Every seat, and `none` for
-- deals without an owner, has exactly one unit at each level, so that every level adds up to the company.
{{ config(schema="work") }}

with
    seats as (
        select
            seats.seat_id,
            seats.owner_id,
            coalesce(owners.owner_name, owners.email, owners.owner_id) as owner_name,
            coalesce(seats.team, 'none') as team,
            coalesce(seats.department, 'none') as department
        from {{ ref("owner_seats") }} as seats
        inner join {{ ref("owners") }} as owners on seats.owner_id = owners.owner_id
        union all
        select 'none' as seat_id, 'none' as owner_id, 'none' as owner_name, 'none' as team, 'none' as department
    )

select seat_id, owner_id, 'owner' as level, owner_id as unit_id, owner_name as unit_name
from seats
union all
select seat_id, owner_id, 'team' as level, team as unit_id, team as unit_name
from seats
union all
select seat_id, owner_id, 'department' as level, department as unit_id, department as unit_name
from seats
union all
select seat_id, owner_id, 'company' as level, 'company' as unit_id, 'company' as unit_name
from seats
