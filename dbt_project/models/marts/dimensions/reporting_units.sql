-- The units under which an owner's numbers are shown: owner, team, department, company. Every owner, and `none` for
-- deals without one, has exactly one unit at each level, so that every level adds up to the company.
{{ config(schema="work") }}

with
    members as (
        select
            owner_id,
            coalesce(owner_name, email, owner_id) as owner_name,
            coalesce(team, 'none') as team,
            coalesce(department, 'none') as department
        from {{ ref("owners") }}
        union all
        select 'none' as owner_id, 'none' as owner_name, 'none' as team, 'none' as department
    )

select owner_id, 'owner' as level, owner_id as unit_id, owner_name as unit_name
from members
union all
select owner_id, 'team' as level, team as unit_id, team as unit_name
from members
union all
select owner_id, 'department' as level, department as unit_id, department as unit_name
from members
union all
select owner_id, 'company' as level, 'company' as unit_id, 'company' as unit_name
from members
