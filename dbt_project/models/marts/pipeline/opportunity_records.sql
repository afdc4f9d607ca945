-- The opportunity records that count: the one that rules each living or past deal, and the losers of merges, which were
-- deals of their own until that day. Mirrors of a deal in a second tool are not here. Nothing depends on as-of.
{{ config(schema="work") }}

with
    -- Where the record that rules names no account, the next live record of the deal that does (a mirror).
    named_accounts as (
        select records.entity_id as opportunity_id, {{ survivor("account_key") }} as account_key
        from {{ ref("canonical_opportunity") }} as deals
        inner join
            {{ ref("entity_records") }} as records
            on deals.record_key = records.record_key
            and records.entity_type = 'opportunity'
        where records.is_live
        group by records.entity_id
    )

select
    deals.record_key,
    records.entity_id as opportunity_id,
    records.precedence = 1 as is_ruling,
    records.precedence = 1 and records.entity_is_live as is_in_marts,
    case when not records.is_live then coalesce(deals.deleted_at, deals.updated_at) end as removed_at,
    accounts.entity_id as account_id,
    deals.close_date,
    deals.created_at
from {{ ref("canonical_opportunity") }} as deals
inner join
    {{ ref("entity_records") }} as records
    on deals.record_key = records.record_key
    and records.entity_type = 'opportunity'
left join named_accounts on records.entity_id = named_accounts.opportunity_id and records.precedence = 1
left join
    {{ living("account") }} as accounts on coalesce(deals.account_key, named_accounts.account_key) = accounts.record_key
where records.precedence = 1 or (records.is_merged_away and not records.is_mirror)
