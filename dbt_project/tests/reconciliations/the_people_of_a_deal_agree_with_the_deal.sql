-- A deal has a decision maker when one of its people is; its primary contact is one of its people.
with
    people as (
        select opportunity_id, max(case when is_decision_maker then 1 else 0 end) = 1 as has_decision_maker
        from {{ ref("opportunity_people") }}
        group by opportunity_id
    )

select deals.opportunity_id
from {{ ref("opportunities") }} as deals
left join people on deals.opportunity_id = people.opportunity_id
where deals.has_decision_maker <> coalesce(people.has_decision_maker, false)
union all
select deals.opportunity_id
from {{ ref("opportunities") }} as deals
left join
    {{ ref("opportunity_people") }} as people
    on deals.opportunity_id = people.opportunity_id
    and deals.primary_person_id = people.person_id
where deals.primary_person_id is not null and people.person_id is null
