{#
  For the tests that follow deals from raw to the marts. They read the raw log by themselves: the newest committed row of
  each key by the vendor's stamp, gone when a tombstone came after it, and the vendor's own fields for the rest.
#}
{#
  The live deals of raw (source_system, source_id, is_won, amount, currency) of every instance of a staging folder. `id`,
  `amount`, `currency`, `is_won` and `is_gone` are SQL over `log`; `columns` are the columns they name, NULL where an
  instance has none. A currency that raw does not give is not compared.
#}
{% macro live_deals_of_raw(folder, table, columns, id, stamp, amount, currency, is_won, is_gone="false") -%}
    {%- do source(folder, table) -%}
    {%- for instance in instances(folder) %}
        {%- set present = raw_columns(instance["name"], table) %}
        {%- if present %}
            select
                source_system,
                source_id,
                coalesce(is_won, false) as is_won,
                cast(cast(amount as decimal(18, 4)) as decimal(18, 2)) as amount,
                cast(currency as string) as currency
            from
                (
                    select
                        '{{ instance["name"] }}' as source_system,
                        cast({{ id }} as string) as source_id,
                        {{ is_won }} as is_won,
                        {{ amount }} as amount,
                        {{ currency }} as currency,
                        coalesce({{ is_gone }}, false) as is_gone,
                        {{ to_utc_timestamp("log." ~ stamp) }} as stamped_at,
                        log.landed_seq,
                        max({{ to_utc_timestamp("log._deleted_at") }}) over (partition by log.id) as tombstone_at,
                        max(case when log._deleted and log._deleted_at is null then log.landed_seq end) over (
                            partition by log.id
                        ) as tombstone_seq,
                        row_number() over (
                            partition by log.id
                            order by
                                case when log.{{ stamp }} is null then 1 else 0 end,
                                log.{{ stamp }} desc,
                                log.landed_seq desc,
                                log._seq desc
                        ) as age
                    from
                        (
                            select
                                loads.seq as landed_seq,
                                '{{ instance["name"] }}' as instance_name,
                                '{{ instance["vendor"] }}' as vendor_name,
                                {%- for name in ["id", stamp] + columns + ["_deleted", "_deleted_at"] %}
                                    {{ "versions." ~ name if name in present else "null" }} as {{ name }},
                                {%- endfor %}
                                versions._seq
                            from {{ raw_relation(instance["name"], table) }} as versions
                            inner join
                                {{ ledger("loads") }} as loads
                                on versions._dlt_load_id = loads.load_id
                                and loads.source_system = '{{ instance["name"] }}'
                            where loads.seq <= {{ through_seq() }}
                        ) as log
                ) as newest
            where
                age = 1
                and stamped_at is not null
                and not is_gone
                and not coalesce(tombstone_at >= stamped_at, false)
                and not coalesce(tombstone_seq >= landed_seq, false)
            union all
        {%- endif %}
    {%- endfor %}
    select
        cast(null as string) as source_system,
        cast(null as string) as source_id,
        cast(null as boolean) as is_won,
        cast(null as decimal(18, 2)) as amount,
        cast(null as string) as currency
    where 1 = 0
{%- endmacro %}


{#
  Rows for what differs between the live deals of raw and canonical, record by record, and between raw and the marts in
  sum: raw without the records that are shown under another one (mirrors, duplicates) is what opportunities holds.
#}
{% macro deals_that_differ(folder, raw_deals) -%}
    with
        raw_deals as ({{ raw_deals }}),
        newest_versions as (
            select record_key, is_won, cast(amount_original as decimal(18, 2)) as amount, currency
            from {{ ref("canonical_opportunity_version") }}
            qualify row_number() over (partition by record_key order by valid_from desc) = 1
        ),
        canonical_deals as (
            select
                deals.source_system,
                deals.source_id,
                deals.merged_into_key,
                coalesce(deals.is_deleted, false) as is_deleted,
                newest_versions.is_won,
                newest_versions.amount,
                newest_versions.currency,
                records.precedence
            from {{ ref("canonical_opportunity") }} as deals
            left join newest_versions on deals.record_key = newest_versions.record_key
            left join
                {{ ref("entity_records") }} as records
                on deals.record_key = records.record_key
                and records.entity_type = 'opportunity'
            where
                deals.source_system
                in ('' {%- for instance in instances(folder) %}, '{{ instance["name"] }}' {%- endfor %})
        ),
        compared as (
            select
                coalesce(raw_deals.source_system, canonical_deals.source_system) as source_system,
                coalesce(raw_deals.source_id, canonical_deals.source_id) as source_id,
                case
                    when canonical_deals.source_id is null
                    then 'in raw, not in canonical'
                    when raw_deals.source_id is null and not canonical_deals.is_deleted
                    then 'live in canonical, not in raw'
                    when raw_deals.source_id is null or canonical_deals.merged_into_key is not null
                    then null
                    when canonical_deals.is_deleted
                    then 'live in raw, deleted in canonical'
                    when raw_deals.is_won is distinct from canonical_deals.is_won
                    then 'won in one of them only'
                    when raw_deals.amount is distinct from canonical_deals.amount
                    then 'another amount'
                    when raw_deals.currency <> canonical_deals.currency
                    then 'another currency'
                end as problem,
                raw_deals.amount as raw_amount,
                canonical_deals.amount as canonical_amount
            from raw_deals
            full outer join
                canonical_deals
                on raw_deals.source_system = canonical_deals.source_system
                and raw_deals.source_id = canonical_deals.source_id
        ),
        expected as (
            select
                raw_deals.source_system,
                coalesce(raw_deals.currency, canonical_deals.currency) as currency,
                count(*) as deal_count,
                count(case when raw_deals.is_won then 1 end) as won_count,
                coalesce(sum(case when raw_deals.is_won then raw_deals.amount end), 0) as won_amount
            from raw_deals
            inner join
                canonical_deals
                on raw_deals.source_system = canonical_deals.source_system
                and raw_deals.source_id = canonical_deals.source_id
            where canonical_deals.precedence = 1
            group by 1, 2
        ),
        measured as (
            select
                source_system,
                currency,
                count(*) as deal_count,
                count(case when is_won then 1 end) as won_count,
                coalesce(sum(case when is_won then amount_original end), 0) as won_amount
            from {{ ref("opportunities") }}
            where source_system in ('' {%- for instance in instances(folder) %}, '{{ instance["name"] }}' {%- endfor %})
            group by source_system, currency
        )

    select source_system, source_id, problem, raw_amount as expected_value, canonical_amount as measured_value
    from compared
    where problem is not null
    union all
    select
        coalesce(expected.source_system, measured.source_system) as source_system,
        coalesce(expected.currency, measured.currency) as source_id,
        'deals, won deals or won amount of a currency' as problem,
        expected.won_amount as expected_value,
        measured.won_amount as measured_value
    from expected
    full outer join
        measured on expected.source_system = measured.source_system and expected.currency = measured.currency
    where
        expected.deal_count is distinct from measured.deal_count
        or expected.won_count is distinct from measured.won_count
        or expected.won_amount is distinct from measured.won_amount
{%- endmacro %}
