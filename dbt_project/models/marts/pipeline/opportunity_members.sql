-- People of the deals in the marts: contact roles and the primary contact on the deal's own record. A person is named
-- once per deal.
{{ config(schema="work") }}

with
    named as (
        select
            deals.entity_id as opportunity_id,
            people.entity_id as person_id,
            roles.role,
            coalesce(roles.is_primary, false) as is_primary
        from {{ ref("canonical_opportunity_person") }} as roles
        inner join {{ living("opportunity") }} as deals on roles.opportunity_key = deals.record_key
        inner join {{ living("person") }} as people on roles.person_key = people.record_key
        where not coalesce(roles.is_deleted, false)
        union all
        select
            deals.entity_id as opportunity_id,
            people.entity_id as person_id,
            cast(null as string) as role,
            true as is_primary
        from {{ ref("canonical_opportunity") }} as opportunities
        inner join {{ living("opportunity") }} as deals on opportunities.record_key = deals.record_key
        inner join {{ living("person") }} as people on opportunities.primary_person_key = people.record_key
        where not coalesce(opportunities.is_deleted, false)
    )

select
    named.opportunity_id,
    named.person_id,
    {{ sorted_list("nullif(trim(named.role), '')") }} as role,
    max(case when named.is_primary then 1 else 0 end) = 1 as is_primary,
    max(
        case
            when
                {{ word("named.role") }} in (
                    {% for role in var("decision_maker_roles") %}
                        '{{ role | lower }}'{{ ', ' if not loop.last }}
                    {% endfor %}
                )
            then 1
            else 0
        end
    )
    = 1 as is_decision_maker
from named
group by named.opportunity_id, named.person_id
