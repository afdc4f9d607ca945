-- Attributes of living accounts that do not depend on as-of: whose record rules, else the next that knows.
{{ config(schema="work") }}

with
    records as (
        select
            records.entity_id as account_id,
            records.precedence,
            records.source_system,
            accounts.source_object,
            accounts.source_id,
            accounts.name,
            accounts.corporate_number,
            accounts.domain,
            accounts.industry,
            accounts.employee_count,
            accounts.country,
            accounts.region,
            accounts.parent_key,
            accounts.owner_key,
            accounts.created_at
        from {{ ref("canonical_account") }} as accounts
        inner join
            {{ ref("entity_records") }} as records
            on accounts.record_key = records.record_key
            and records.entity_type = 'account'
        where records.is_live
    ),
    survivors as (
        select
            account_id,
            {{ survivor("name") }} as account_name,
            {{ survivor("corporate_number") }} as corporate_number,
            {{ survivor("domain") }} as domain,
            {{ survivor("industry") }} as industry,
            {{ survivor("employee_count") }} as employee_count,
            {{ survivor("country") }} as country,
            {{ survivor("region") }} as region,
            {{ survivor("parent_key") }} as parent_key,
            {{ survivor("owner_key") }} as owner_key,
            min(created_at) as created_at,
            {{ sorted_list("source_system") }} as source_systems,
            count(*) as source_record_count
        from records
        group by account_id
    ),
    key_accounts as (
        select distinct records.account_id
        from records
        inner join
            ({{ map_rows("key_accounts") }}) as listed
            on (
                records.source_system = listed.source_system
                and records.source_object = listed.source_object
                and records.source_id = listed.source_id
            )
            or {{ word("records.domain") }} = {{ word("listed.domain") }}
    ),
    won as (
        select deals.account_id, sum(closures.amount) as won_amount
        from {{ ref("opportunity_closures") }} as closures
        inner join {{ ref("opportunity_facts") }} as deals on closures.opportunity_id = deals.opportunity_id
        where closures.is_won
        group by deals.account_id
    ),
    -- The first rule in order of priority whose conditions all hold.
    segments as (
        select survivors.account_id, rules.segment
        from survivors
        left join won on survivors.account_id = won.account_id
        inner join
            ({{ map_rows("segments") }}) as rules
            on (rules.industry is null or {{ word("rules.industry") }} = {{ word("survivors.industry") }})
            and (rules.min_employee_count is null or survivors.employee_count >= rules.min_employee_count)
            and (rules.max_employee_count is null or survivors.employee_count <= rules.max_employee_count)
            and (rules.min_won_amount is null or coalesce(won.won_amount, 0) >= rules.min_won_amount)
        qualify row_number() over (partition by survivors.account_id order by rules.priority, rules.segment) = 1
    )

select
    survivors.account_id,
    survivors.account_name,
    survivors.corporate_number,
    survivors.domain,
    survivors.industry,
    survivors.employee_count,
    survivors.country,
    survivors.region,
    case when parents.entity_id <> survivors.account_id then parents.entity_id end as parent_account_id,
    owners.entity_id as owner_id,
    coalesce(segments.segment, 'none') as segment,
    key_accounts.account_id is not null as is_key_account,
    survivors.created_at,
    survivors.source_systems,
    survivors.source_record_count
from survivors
left join {{ living("account") }} as parents on survivors.parent_key = parents.record_key
left join {{ living("user") }} as owners on survivors.owner_key = owners.record_key
left join segments on survivors.account_id = segments.account_id
left join key_accounts on survivors.account_id = key_accounts.account_id
