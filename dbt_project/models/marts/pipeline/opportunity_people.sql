-- Who takes part in each deal, each person once per deal. Depends on no as-of.
select
    members.opportunity_id,
    members.person_id,
    coalesce(members.role, 'none') as role,
    members.is_primary,
    members.is_decision_maker
from {{ ref("opportunity_members") }} as members
inner join {{ ref("opportunity_facts") }} as deals on members.opportunity_id = deals.opportunity_id
inner join {{ ref("person_attributes") }} as people on members.person_id = people.person_id
