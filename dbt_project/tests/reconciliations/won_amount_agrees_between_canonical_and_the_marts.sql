-- The won amount is the same in canonical (per original currency, mirrors and merged records left out), opportunities,
-- customer_360 (deals without an account left out) and pipeline_daily, at every level.
with
    newest_versions as (
        select record_key, is_won, amount_original, currency
        from {{ ref("canonical_opportunity_version") }}
        qualify row_number() over (partition by record_key order by valid_from desc) = 1
    ),
    original as (
        select
            coalesce(canonical.currency, marts.currency) as subject,
            canonical.won_amount as expected_value,
            marts.won_amount as measured_value
        from
            (
                select versions.currency, sum(versions.amount_original) as won_amount
                from newest_versions as versions
                inner join
                    {{ ref("entity_records") }} as records
                    on versions.record_key = records.record_key
                    and records.entity_type = 'opportunity'
                where versions.is_won and records.is_live and records.precedence = 1
                group by versions.currency
            ) as canonical
        full outer join
            (
                select currency, sum(amount_original) as won_amount
                from {{ ref("opportunities") }}
                where is_won
                group by currency
            ) as marts
            on canonical.currency = marts.currency
    ),
    won as (
        select
            coalesce(sum(amount), 0) as won_amount,
            coalesce(sum(case when account_id is not null then amount end), 0) as won_amount_of_accounts
        from {{ ref("opportunities") }}
        where is_won
    ),
    converted as (
        select
            'customer_360' as subject,
            won.won_amount_of_accounts as expected_value,
            (select coalesce(sum(won_amount), 0) from {{ ref("customer_360") }}) as measured_value
        from won
        union all
        select
            'pipeline_daily, ' || levels.level as subject,
            won.won_amount as expected_value,
            coalesce(daily.won_amount, 0) as measured_value
        from (select distinct level from {{ ref("reporting_units") }}) as levels
        cross join won
        left join
            (
                select level, - sum(won_amount) as won_amount
                from {{ ref("pipeline_daily") }}
                where stage <> 'all'
                group by level
            ) as daily
            on levels.level = daily.level
    )

select *
from original
where expected_value is distinct from measured_value
union all
select *
from converted
where expected_value is distinct from measured_value
