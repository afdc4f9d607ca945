-- The health of the data by check and source, as far as the models can know it. Freshness is not here: it reads the
-- wall clock and is added when the file is published. Rows of a check appear for every source that has something to
-- check, also when nothing is wrong.
{# An object that feeds several tables is counted in the first of them: the others are made from the same records. #}
{% set counted = [
    "account",
    "person",
    "opportunity",
    "campaign",
    "product",
    "interaction",
    "sales_user",
    "opportunity_line",
    "opportunity_person",
    "opportunity_split",
    "campaign_member",
    "person_account",
] %}
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
    -- Row counts against the vendor's own.
    live_records as (
        {% for entity in counted %}
            select
                {{ loop.index }} as table_number,
                source_system,
                source_object,
                source_id,
                record_key,
                coalesce(is_deleted, false) as is_deleted
            from {{ ref("canonical_" ~ entity) }}
            {% if entity == "sales_user" %} where is_current {% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),
    live_counts as (
        select source_system, source_object, count(distinct case when not is_deleted then record_key end) as live_count
        from live_records
        group by source_system, source_object, table_number
        qualify row_number() over (partition by source_system, source_object order by table_number) = 1
    ),
    vendor_counts as (
        select source_system, stream, source_object, live_count, status, message
        from {{ ref("canonical_vendor_count") }}
        where is_current
    ),
    quarantined as (
        select
            rejected.source_system,
            vendor_counts.source_object,
            count(
                distinct coalesce(
                    rejected.source_key, coalesce(rejected.file, '') || ':' || cast(rejected.line as string)
                )
            ) as quarantined_count
        from {{ ref("canonical_quarantine") }} as rejected
        inner join
            vendor_counts
            on rejected.source_system = vendor_counts.source_system
            and rejected.stream = vendor_counts.stream
        left join
            live_records
            on rejected.source_system = live_records.source_system
            and vendor_counts.source_object = live_records.source_object
            -- Where one stream feeds several objects, a key of the quarantine begins with the object.
            and rejected.source_key
            in (live_records.source_id, live_records.source_object || '|' || live_records.source_id)
        where live_records.record_key is null
        group by rejected.source_system, vendor_counts.source_object
    ),
    row_counts as (
        select
            'row_counts' as check_name,
            vendor_counts.source_system,
            case
                when vendor_counts.status <> 'counted'
                then 'warn'
                when
                    abs(live_counts.live_count + coalesce(quarantined.quarantined_count, 0) - vendor_counts.live_count)
                    > {{ var("count_tolerance") }} * vendor_counts.live_count
                then 'error'
                when live_counts.live_count + coalesce(quarantined.quarantined_count, 0) <> vendor_counts.live_count
                then 'warn'
                else 'ok'
            end as status,
            'warn' as severity,
            cast(live_counts.live_count + coalesce(quarantined.quarantined_count, 0) as double) as measured_value,
            cast(vendor_counts.live_count as double) as expected_value,
            vendor_counts.source_object || case
                when vendor_counts.status = 'no_permission'
                then ': not permitted, cannot be counted'
                when vendor_counts.status <> 'counted'
                then ': not counted: ' || coalesce(vendor_counts.message, vendor_counts.status)
                when quarantined.quarantined_count > 0
                then ': ' || cast(quarantined.quarantined_count as string) || ' of them in quarantine'
                else ''
            end as details
        from vendor_counts
        left join
            live_counts
            on vendor_counts.source_system = live_counts.source_system
            and vendor_counts.source_object = live_counts.source_object
        left join
            quarantined
            on vendor_counts.source_system = quarantined.source_system
            and vendor_counts.source_object = quarantined.source_object
        where live_counts.source_object is not null or vendor_counts.status <> 'counted'
        qualify
            row_number() over (
                partition by vendor_counts.source_system, vendor_counts.source_object order by vendor_counts.stream
            )
            = 1
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
    -- Deals.
    orphan_deals as (
        select
            'orphan_deals' as check_name,
            source_system,
            case when count(*) > count(account_id) then 'warn' else 'ok' end as status,
            'warn' as severity,
            cast(count(*) - count(account_id) as double) as measured_value,
            cast(0 as double) as expected_value,
            'deals without an account, of ' || cast(count(*) as string) as details
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
                count(*) filter (where referring.{{ key }} is not null and targets.record_key is null) as missing_count
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
                    "case when missing_count > 0 then reference_name || ': ' || cast(missing_count as string) end"
                )
            }} as details
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
            'live people and deals without a date of creation' as details
        from
            (
                select source_system, created_at, is_deleted
                from {{ ref("canonical_person") }}
                union all
                select source_system, created_at, is_deleted
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
