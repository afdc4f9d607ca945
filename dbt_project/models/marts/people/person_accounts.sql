-- Which people belong to which accounts, in which role and when: the tools' relation records, and the account on the
-- person's own record where no relation record says the same.
with
    related as (
        select
            people.entity_id as person_id,
            accounts.entity_id as account_id,
            coalesce(relations.role, 'none') as role,
            coalesce(relations.is_primary, false) as is_primary,
            relations.valid_from,
            relations.valid_to
        from {{ ref("canonical_person_account") }} as relations
        inner join {{ living("person") }} as people on relations.person_key = people.record_key
        inner join {{ living("account") }} as accounts on relations.account_key = accounts.record_key
        where not coalesce(relations.is_deleted, false)
    ),
    named as (
        select
            records.entity_id as person_id,
            accounts.entity_id as account_id,
            'none' as role,
            records.precedence = 1 as is_primary,
            persons.created_at as valid_from,
            cast(null as timestamp) as valid_to
        from {{ ref("canonical_person") }} as persons
        inner join
            {{ ref("entity_records") }} as records
            on persons.record_key = records.record_key
            and records.entity_type = 'person'
            and records.is_live
        inner join {{ living("account") }} as accounts on persons.account_key = accounts.record_key
    ),
    relations as (
        select *
        from related
        union all
        select named.*
        from named
        where
            not exists (
                select 1
                from related
                where related.person_id = named.person_id and related.account_id = named.account_id
            )
    )

select
    person_id,
    account_id,
    role,
    max(case when is_primary then 1 else 0 end) = 1 as is_primary,
    min(valid_from) as valid_from,
    -- A relation that one record still holds has not ended.
    case when count(*) = count(valid_to) then max(valid_to) end as valid_to
from relations
group by person_id, account_id, role
