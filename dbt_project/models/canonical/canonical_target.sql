-- Sales targets: the map targets, and those that come as files.
with
    delivered as ({{ union_staging("target") }}),

    seeded as (
        select
            md5(
                'seed|' || cast(period_start as string) || '|' || coalesce(team, '') || '|' || coalesce(owner_email, '')
            ) as record_key,
            'seed' as source_system,
            cast(period_start as date) as period_start,
            cast(team as string) as team,
            cast(owner_email as string) as owner_email,
            cast(amount as decimal(18, 4)) as amount_original,
            cast(currency as string) as currency,
            false as is_deleted,
            cast(0 as bigint) as load_seq
        from ({{ map_rows("targets") }}) as listed
    )

select record_key, source_system, period_start, team, owner_email, amount_original, currency, is_deleted, load_seq
from delivered
union all
select record_key, source_system, period_start, team, owner_email, amount_original, currency, is_deleted, load_seq
from seeded
