-- person_360: the account is one of the person's accounts, the primary one where there is one; refusals and their
-- channels
-- go together; nothing is engaged after the last engagement.
with
    primaries as (
        select person_id, min(account_id) as account_id
        from {{ ref("person_accounts") }}
        where is_primary and valid_to is null
        group by person_id
    )

select people.person_id, 'account is none of the relations' as problem
from {{ ref("person_360") }} as people
left join
    {{ ref("person_accounts") }} as relations
    on people.person_id = relations.person_id
    and people.account_id = relations.account_id
where people.account_id is not null and relations.person_id is null
union all
select people.person_id, 'account is not the primary one' as problem
from {{ ref("person_360") }} as people
inner join primaries on people.person_id = primaries.person_id
where people.account_id is distinct from primaries.account_id
union all
select person_id, 'refusal without channel, or channel without refusal' as problem
from {{ ref("person_360") }}
where is_opted_out <> (opted_out_channels is not null)
union all
select person_id, 'engagements without a last one' as problem
from {{ ref("person_360") }}
where engagement_count_90d > 0 and last_engaged_at is null
union all
select person_id, 'customer without a date' as problem
from {{ ref("person_360") }}
where lifecycle_stage = 'customer' and customer_at is null
