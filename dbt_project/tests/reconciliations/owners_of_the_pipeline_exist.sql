-- A unit of the level owner is an owner, or none.
select distinct daily.unit_id
from {{ ref("pipeline_daily") }} as daily
left join {{ ref("owners") }} as owners on daily.unit_id = owners.owner_id
where daily.level = 'owner' and daily.unit_id <> 'none' and owners.owner_id is null
