-- Which people belong to which accounts, in which role and when: the tools' relation records, and the account on the
-- person's own record where no relation record says the same. Tools may call different accounts primary: at present
-- it is
-- that of the record that rules, else of the next that names one.
with
    related as (
        select
            people.entity_id as person_id,
            accounts.entity_id as account_id,
            coalesce(relations.role, 'none') as role,
            coalesce(relations.is_primary, false) as is_primary,
            people.precedence,
            relations.valid_from,
            relations.valid_to
        from {{ ref("canonical_person_account") }} as relations
        inner join
            {{ ref("entity_records") }} as people
            on relations.person_key = people.record_key
            and people.entity_type = 'person'
            and people.entity_is_live
        inner join {{ living("account") }} as accounts on relations.account_key = accounts.record_key
        where not coalesce(relations.is_deleted, false)
    ),
    named as (
        select
            records.entity_id as person_id,
            accounts.entity_id as account_id,
            'none' as role,
            true as is_primary,
            records.precedence,
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
    ),
    present_primaries as (
        select person_id, account_id
        from relations
        where is_primary and valid_to is null
        qualify
            row_number() over (partition by person_id order by precedence, valid_from desc nulls last, account_id) = 1
    )

select
    relations.person_id,
    relations.account_id,
    relations.role,
    max(
        case
            when relations.is_primary and (relations.valid_to is not null or present_primaries.account_id is not null)
            then 1
            else 0
        end
    )
    = 1 as is_primary,
    min(relations.valid_from) as valid_from,
    -- A relation that one record still holds has not ended.
    case when count(*) = count(relations.valid_to) then max(relations.valid_to) end as valid_to
from relations
left join
    present_primaries
    on relations.person_id = present_primaries.person_id
    and relations.account_id = present_primaries.account_id
group by relations.person_id, relations.account_id, relations.role
