-- Live canonical records, with the rows in quarantine, against the vendor's own count of each object, at its last two
-- counts. The earlier count is compared with what is known by now of that instant, so that records which came or went
-- between reading and counting explain themselves: only a difference that is still there stands.
{{ config(schema="work") }}

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

with
    counts as (
        select
            source_system,
            stream,
            source_object,
            live_count,
            status,
            message,
            counted_at,
            load_seq,
            row_number() over (
                partition by source_system, source_object order by load_seq desc, stream, counted_at desc
            ) as count_number
        from {{ ref("canonical_vendor_count") }}
        -- One count a load: a stream that counts an object a second time adds nothing.
        qualify
            row_number() over (partition by source_system, source_object, load_seq order by stream, counted_at desc) = 1
    ),
    last_counts as (select * from counts where count_number <= 2),
    records as (
        {% for entity in counted %}
            select
                {{ loop.index }} as table_number,
                source_system,
                source_object,
                source_id,
                record_key,
                created_at,
                load_seq,
                coalesce(is_deleted, false) as is_deleted,
                deleted_at
            from {{ ref("canonical_" ~ entity) }}
            {% if entity == "sales_user" %} where is_current {% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),
    earlier_counts as (select source_system, source_object, counted_at from last_counts where count_number = 2),
    held as (
        select
            records.source_system,
            records.source_object,
            count(case when not records.is_deleted then 1 end) as live_count,
            count(
                case
                    when
                        (records.created_at <= earlier_counts.counted_at or records.created_at is null)
                        and (not records.is_deleted or records.deleted_at > earlier_counts.counted_at)
                    then 1
                end
            ) as live_count_then
        from records
        left join
            earlier_counts
            on records.source_system = earlier_counts.source_system
            and records.source_object = earlier_counts.source_object
        group by records.source_system, records.source_object, records.table_number
        qualify
            row_number() over (partition by records.source_system, records.source_object order by records.table_number)
            = 1
    ),
    rejected_rows as (
        select
            rejected.source_system,
            last_counts.source_object,
            -- Where one stream feeds several objects, a key of the quarantine begins with the object.
            case
                when starts_with(rejected.source_key, last_counts.source_object || '|')
                then substring(rejected.source_key, length(last_counts.source_object) + 2)
                else rejected.source_key
            end as source_id,
            coalesce(
                rejected.source_key, coalesce(rejected.file, '') || ':' || cast(rejected.line as string)
            ) as rejected_key,
            rejected.load_seq
        from {{ ref("canonical_quarantine") }} as rejected
        inner join
            last_counts
            on rejected.source_system = last_counts.source_system
            and rejected.stream = last_counts.stream
            and last_counts.count_number = 1
    ),
    -- A row that was corrected since is a record.
    rejected_keys as (
        select
            rejected_rows.source_system,
            rejected_rows.source_object,
            rejected_rows.rejected_key,
            min(rejected_rows.load_seq) as first_seq
        from rejected_rows
        left join
            records
            on rejected_rows.source_system = records.source_system
            and rejected_rows.source_object = records.source_object
            and rejected_rows.source_id = records.source_id
        where records.record_key is null
        group by rejected_rows.source_system, rejected_rows.source_object, rejected_rows.rejected_key
    ),
    quarantined as (
        select
            rejected_keys.source_system,
            rejected_keys.source_object,
            count(*) as quarantined_count,
            count(case when rejected_keys.first_seq <= last_counts.load_seq then 1 end) as quarantined_count_then,
            {{ some_of("rejected_keys.rejected_key") }} as quarantined_keys
        from rejected_keys
        left join
            last_counts
            on rejected_keys.source_system = last_counts.source_system
            and rejected_keys.source_object = last_counts.source_object
            and last_counts.count_number = 2
        group by rejected_keys.source_system, rejected_keys.source_object
    ),
    landed as (
        select tables.source_system, tables.table_name, sum(tables.row_count) as landed_count
        from {{ ledger("load_tables") }} as tables
        inner join {{ ledger("loads") }} as loads on tables.seq = loads.seq
        where loads.seq <= {{ through_seq() }}
        group by tables.source_system, tables.table_name
    ),
    compared as (
        select
            now_counts.source_system,
            now_counts.source_object,
            now_counts.status,
            now_counts.message,
            now_counts.live_count as expected_count,
            coalesce(held.live_count, 0) + coalesce(quarantined.quarantined_count, 0) as held_count,
            case when then_counts.status = 'counted' then then_counts.live_count end as expected_count_then,
            coalesce(held.live_count_then, 0) + coalesce(quarantined.quarantined_count_then, 0) as held_count_then,
            coalesce(quarantined.quarantined_count, 0) as quarantined_count,
            quarantined.quarantined_keys
        from last_counts as now_counts
        left join
            last_counts as then_counts
            on now_counts.source_system = then_counts.source_system
            and now_counts.source_object = then_counts.source_object
            and then_counts.count_number = 2
        left join
            held on now_counts.source_system = held.source_system and now_counts.source_object = held.source_object
        left join
            quarantined
            on now_counts.source_system = quarantined.source_system
            and now_counts.source_object = quarantined.source_object
        left join landed on now_counts.source_system = landed.source_system and now_counts.stream = landed.table_name
        where
            now_counts.count_number = 1
            -- Objects that become no record of their own (histories) are not compared, unless nothing of them came.
            and (
                held.source_object is not null
                or now_counts.status <> 'counted'
                or (now_counts.live_count > 0 and coalesce(landed.landed_count, 0) = 0)
            )
    ),
    differences as (
        select
            compared.*,
            held_count - expected_count as difference,
            held_count_then - expected_count_then as difference_then,
            abs(held_count - expected_count) > {{ var("count_tolerance") }} * expected_count
            and abs(held_count_then - expected_count_then) > {{ var("count_tolerance") }} * expected_count_then
            and sign(held_count - expected_count) = sign(held_count_then - expected_count_then) as stands
        from compared
    ),
    -- Where a difference stands, records to look at in the tool: of too many those that were read longest ago, for what
    -- is gone is read no more; of too few the newest, behind which the others may begin.
    nearest as (
        select records.source_system, records.source_object, records.source_id
        from records
        inner join
            differences
            on records.source_system = differences.source_system
            and records.source_object = differences.source_object
        where differences.stands and not records.is_deleted
        qualify
            row_number() over (
                partition by records.source_system, records.source_object, records.table_number
                order by
                    case when differences.difference > 0 then records.load_seq end,
                    case when differences.difference < 0 then records.created_at end desc nulls last,
                    records.source_id desc
            )
            <= 5
    ),
    to_look_at as (
        select source_system, source_object, {{ some_of("source_id") }} as source_ids
        from nearest
        group by source_system, source_object
    )

select
    differences.source_system,
    differences.source_object,
    case
        when status <> 'counted'
        then 'warn'
        when coalesce(stands, false)
        then 'error'
        when difference <> 0
        then 'warn'
        else 'ok'
    end as status,
    cast(held_count as double) as held_count,
    cast(expected_count as double) as expected_count,
    differences.source_object || case
        when status = 'no_permission'
        then ': not permitted, cannot be counted'
        when status <> 'counted'
        then ': not counted: ' || coalesce(message, status)
        when coalesce(stands, false)
        then
            ': '
            || cast(abs(difference) as string)
            || case when difference > 0 then ' more' else ' fewer' end
            || ' than the vendor counts, and '
            || cast(abs(difference_then) as string)
            || ' at the count before'
            || coalesce(
                case when difference > 0 then '; read longest ago: ' else '; newest that came: ' end
                || to_look_at.source_ids,
                ''
            )
        when difference <> 0
        then
            ': '
            || cast(abs(difference) as string)
            || case when difference > 0 then ' more' else ' fewer' end
            || ' than the vendor counts'
        else ''
    end
    || case
        when status = 'counted' and quarantined_count > 0
        then ': ' || cast(quarantined_count as string) || ' in quarantine: ' || quarantined_keys
        else ''
    end as details
from differences
left join
    to_look_at
    on differences.source_system = to_look_at.source_system
    and differences.source_object = to_look_at.source_object
