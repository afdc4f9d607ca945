-- Ids whose own table is not built yet (campaigns) must at least be entities; the others are held by relationships.
select 'touchpoints' as table_name, touches.campaign_id
from {{ ref("touchpoints") }} as touches
left join
    {{ ref("identity_map") }} as entities
    on entities.entity_type = 'campaign'
    and touches.campaign_id = entities.entity_id
where touches.campaign_id is not null and entities.entity_id is null
union all
select 'opportunities' as table_name, deals.campaign_id
from {{ ref("opportunities") }} as deals
left join
    {{ ref("identity_map") }} as entities
    on entities.entity_type = 'campaign'
    and deals.campaign_id = entities.entity_id
where deals.campaign_id is not null and entities.entity_id is null
