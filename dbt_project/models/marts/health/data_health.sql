-- The health of the data by check and source, as far as the models can know it. Freshness is not here: it reads the
-- wall clock and is added when the file is published. Rows of a check appear for every source that has something to
-- check, also when nothing is wrong.
{% set references = [
    ("person", "account_key", "account"),
    ("opportunity", "account_key", "account"),
    ("opportunity", "campaign_key", "campaign"),
    ("opportunity_line", "opportunity_key", "opportunity"),
    ("opportunity_person", "opportunity_key", "opportunity"),
    ("opportunity_person", "person_key", "person"),
    ("interaction", "person_key", "person"),
    ("interaction", "account_key", "account"),
    ("interaction", "opportunity_key", "opportunity"),
    ("campaign_member", "campaign_key", "campaign"),
    ("campaign_member", "person_key", "person"),
] %}

with
    today as (select {{ as_of() }} as as_of_at),
    -- A difference that stands over two counts closes the gate.
    row_counts as (
        select
            'row_counts' as check_name,
            source_system,
            status,
            case when status = 'error' then 'error' else 'warn' end as severity,
            held_count as measured_value,
            expected_count as expected_value,
            details
        from {{ ref("row_counts") }}
    ),
    quarantine_rows as (
        select
            'quarantined_rows' as check_name,
            loads.source_system,
            case when count(rejected.source_system) > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(rejected.source_system) as double) as measured_value,
            cast(0 as double) as expected_value,
            {{ sorted_list("rejected.reason") }} as details
        from (select distinct source_system from {{ ledger("loads") }} where seq <= {{ through_seq() }}) as loads
        left join {{ ref("canonical_quarantine") }} as rejected on loads.source_system = rejected.source_system
        group by loads.source_system
    ),
    last_loads as (
        select
            'last_load' as check_name,
            loads.source_system,
            case
                when
                    {{ elapsed_days("max(" ~ to_utc_timestamp("loads.committed_at") ~ ")", "max(today.as_of_at)") }}
                    * 24
                    > {{ var("max_load_lag_hours") }}
                then 'warn'
                else 'ok'
            end as status,
            'warn' as severity,
            {{ elapsed_days("max(" ~ to_utc_timestamp("loads.committed_at") ~ ")", "max(today.as_of_at)") }}
            * 24 as measured_value,
            cast({{ var("max_load_lag_hours") }} as double) as expected_value,
            'hours between the last load of the source and the last load of any' as details
        from {{ ledger("loads") }} as loads
        cross join today
        where loads.seq <= {{ through_seq() }}
        group by loads.source_system
    ),
    -- Words that no map knows, of what is still there.
    current_versions as (
        select versions.source_system, versions.stage, versions.source_stage
        from {{ ref("canonical_opportunity_version") }} as versions
        inner join {{ ref("canonical_opportunity") }} as deals on versions.record_key = deals.record_key
        where not coalesce(deals.is_deleted, false)
        qualify row_number() over (partition by versions.record_key order by versions.valid_from desc) = 1
    ),
    unmapped_stages as (
        select
            'unmapped_stages' as check_name,
            source_system,
            case when count(*) filter (where stage = 'unmapped') > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(*) filter (where stage = 'unmapped') as double) as measured_value,
            cast(0 as double) as expected_value,
            {{ sorted_list("case when stage = 'unmapped' then coalesce(source_stage, '(empty)') end") }} as details
        from current_versions
        group by source_system
    ),
    unmapped_lifecycles as (
        select
            'unmapped_lifecycle_stages' as check_name,
            entries.source_system,
            case when count(*) filter (where stage = 'unmapped') > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(*) filter (where stage = 'unmapped') as double) as measured_value,
            cast(0 as double) as expected_value,
            {{
                sorted_list(
                    "case when stage = 'unmapped' then coalesce(source_field || '=' || source_value, '(empty)') end"
                )
            }} as details
        from {{ ref("canonical_lifecycle_event") }} as entries
        inner join {{ ref("canonical_person") }} as people on entries.record_key = people.record_key
        where not coalesce(people.is_deleted, false)
        group by entries.source_system
    ),
    unmapped_words as (
        select
            'unmapped_' || subject as check_name,
            source_system,
            case when sum(record_count) > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(sum(record_count) as double) as measured_value,
            cast(0 as double) as expected_value,
            {{ some_of("source_word", 20) }} as details
        from {{ ref("unmapped_words") }}
        group by subject, source_system
    ),
    idle_rows as (
        select
            'idle_rows_of_' || map_name as check_name,
            source_system,
            case when sum(idle_count) > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(sum(idle_count) as double) as measured_value,
            cast(0 as double) as expected_value,
            {{ some_of("idle_name", 20) }} as details
        from {{ ref("idle_map_rows") }}
        group by map_name, source_system
    ),
    -- Deals.
    orphan_deals as (
        select
            'orphan_deals' as check_name,
            source_system,
            case when count(*) > count(account_id) then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(*) - count(account_id) as double) as measured_value,
            cast(0 as double) as expected_value,
            'deals without an account, of '
            || cast(count(*) as string)
            || coalesce(': ' || {{ some_of("case when account_id is null then source_id end") }}, '') as details
        from {{ ref("opportunities") }}
        group by source_system
    ),
    missing_rates as (
        select
            'missing_fx_rates' as check_name,
            source_system,
            case
                when count(*) filter (where amount_original is not null and amount is null) > 0 then 'error' else 'ok'
            end as status,
            'error' as severity,
            cast(count(*) filter (where amount_original is not null and amount is null) as double) as measured_value,
            cast(0 as double) as expected_value,
            {{
                sorted_list(
                    "case when amount_original is not null and amount is null then coalesce(currency, '(no currency)') end"
                )
            }}
            as details
        from {{ ref("opportunities") }}
        group by source_system
    ),
    -- Records of one source that identity joined.
    duplicates as (
        select
            'duplicate_rate' as check_name,
            source_system,
            'ok' as status,
            'warn' as severity,
            cast(count(*) - count(distinct entity_id) as double) / count(*) as measured_value,
            cast(null as double) as expected_value,
            entity_type
            || ' records of the source that share an entity with another, of '
            || cast(count(*) as string) as details
        from {{ ref("entity_records") }}
        where is_live and entity_type in ('account', 'person')
        group by source_system, entity_type
    ),
    missing_references as (
        {% for entity, key, target in references %}
            select
                referring.source_system,
                '{{ entity }}.{{ key }}' as reference_name,
                count(*) filter (where referring.{{ key }} is not null and targets.record_key is null) as missing_count,
                {{
                    some_of(
                        "case when referring."
                        ~ key
                        ~ " is not null and targets.record_key is null then referring.source_id end"
                    )
                }} as referring_ids
            from {{ ref("canonical_" ~ entity) }} as referring
            left join {{ ref("canonical_" ~ target) }} as targets on referring.{{ key }} = targets.record_key
            where not coalesce(referring.is_deleted, false)
            group by referring.source_system
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),
    missing_keys as (
        select
            'missing_keys' as check_name,
            source_system,
            case when sum(missing_count) > 0 then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(sum(missing_count) as double) as measured_value,
            cast(0 as double) as expected_value,
            {{
                sorted_list(
                    "case when missing_count > 0 then reference_name || ': ' || cast(missing_count as string) || ' (' || referring_ids || ')' end"
                )
            }}
            as details
        from missing_references
        group by source_system
    ),
    -- Without a date of creation a record is in no cohort of the funnel.
    undated as (
        select
            'missing_dates' as check_name,
            source_system,
            case when count(*) > count(created_at) then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(*) - count(created_at) as double) as measured_value,
            cast(0 as double) as expected_value,
            'live people and deals without a date of creation'
            || coalesce(': ' || {{ some_of("case when created_at is null then source_id end") }}, '') as details
        from
            (
                select source_system, source_id, created_at, is_deleted
                from {{ ref("canonical_person") }}
                union all
                select source_system, source_id, created_at, is_deleted
                from {{ ref("canonical_opportunity") }}
            ) as dated
        where not coalesce(is_deleted, false)
        group by source_system
    ),
    checks as (
        {% for name in [
            "row_counts",
            "quarantine_rows",
            "last_loads",
            "unmapped_stages",
            "unmapped_lifecycles",
            "unmapped_words",
            "idle_rows",
            "orphan_deals",
            "missing_rates",
            "duplicates",
            "missing_keys",
            "undated",
        ] %}
            select check_name, source_system, status, severity, measured_value, expected_value, details
            from {{ name }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    checks.check_name,
    checks.source_system,
    checks.status,
    checks.severity,
    checks.measured_value,
    checks.expected_value,
    checks.details,
    today.as_of_at as checked_at
from checks
cross join today
