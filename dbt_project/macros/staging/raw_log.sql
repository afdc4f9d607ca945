{#
  Reading the append-only raw log of every connected instance of a vendor. A relation `raw_<instance>.<table>` holds
  versions and tombstones; what counts is in loads that the ledger knows, up to run.context.through_seq.
  Rows have source_system, vendor, load_seq, load_id, committed_at, _seq, _deleted, _deleted_at, the asked columns (typed NULLs
  where an instance lacks one), and extra_columns: JSON text of all other columns of the table.
#}
{% macro raw_log(folder, table, columns, keys, restrict=true, also_touched=[]) -%}
    {%- do source(folder, table) -%}
    {%- set wanted = [] -%}
    {%- for name in keys + columns if name not in wanted -%} {%- do wanted.append(name) -%} {%- endfor -%}
    {%- set known = [] -%}
    {%- for instance in instances(folder) -%}
        {%- do known.extend(raw_columns(instance["name"], table)) -%}
    {%- endfor -%}
    {%- for instance in instances(folder) %}
        {%- set present = raw_columns(instance["name"], table) %}
        select '{{ instance["name"] }}' as source_system, '{{ instance["vendor"] }}' as vendor,
        {%- if present | length == 0 %}
                cast(null as bigint) as load_seq,
                cast(null as string) as load_id,
                cast(null as timestamp) as committed_at,
                cast(null as bigint) as _seq,
                cast(null as boolean) as _deleted,
                cast(null as timestamp) as _deleted_at,
                {%- for name in wanted %} {{ absent(folder, table, name, known) }} as {{ name }}, {%- endfor %}
                cast(null as string) as extra_columns
            where 1 = 0
        {%- else %}
                loads.seq as load_seq,
                log._dlt_load_id as load_id,
                {{ to_utc_timestamp("loads.committed_at") }} as committed_at,
                log._seq,
                coalesce(log._deleted, false) as _deleted,
                {{ to_utc_timestamp("log._deleted_at") }} as _deleted_at,
                {%- for name in wanted %}
                    {{ "log." ~ name if name in present else absent(folder, table, name, known) }} as {{ name }},
                {%- endfor %}
                {{ json_of_columns(extra_columns_of(present, wanted)) }} as extra_columns
            from {{ raw_relation(instance["name"], table) }} as log
            inner join
                {{ ledger("loads") }} as loads
                on log._dlt_load_id = loads.load_id
                and loads.source_system = '{{ instance["name"] }}'
            where
                loads.seq <= {{ through_seq() }}
                {%- if restrict %}
                    and ({{ keys | join(", ") }}) in (
                        select {{ keys | join(", ") }}
                        from ({{ touched_keys_of(instance["name"], table, keys) }}) as own_keys
                        {%- for other in also_touched %}
                            union
                            select touched_key
                            from ({{ other }}) as other_keys
                            where source_system = '{{ instance["name"] }}'
                        {%- endfor %}
                    )
                {%- endif %}
            {%- endif %} {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#
  NULL for a column that an instance lacks: of the type that it has in another one; where all lack it, of the type that the
  folder's `_sources.yml` tells of it, which is text where it tells none.
#}
{% macro absent(folder, table, name, known) -%}
    {%- if name in known or not execute -%} null
    {%- else -%}
        {%- set types = {} -%}
        {%- for node in graph.sources.values() if node.source_name == folder and node.name == table -%}
            {%- do types.update(node.columns) -%}
        {%- endfor -%}
        cast(null as {{ types.get(name, {}).get("data_type") or "string" }})
    {%- endif -%}
{%- endmacro %}


{#
  Current rows: of each key the last real version (by the vendor's stamp in `cursor`, then load, then arrival), with
  `is_gone` and `gone_at` from its tombstones. A tombstone with a time is compared with the stamp, one without by its
  arrival. `flag` is the vendor's own column for deleted rows, if it has one. Only keys touched by the new loads are looked at (`restrict`), and those of `also_touched`: selects of
  source_system and touched_key. Keys of which only a tombstone is known have no row.
#}
{% macro latest(folder, table, columns, keys=["id"], cursor=none, flag=none, restrict=true, also_touched=[]) -%}
    {%- set asked = columns + ([cursor] if cursor else []) + ([flag] if flag else []) -%}
    {%- set stamp = to_utc_timestamp("log." ~ cursor) if cursor else "cast(null as timestamp)" -%}
    with
        log as ({{ raw_log(folder, table, asked, keys, restrict, also_touched) }}),

        tombstones as (
            select
                source_system,
                {%- for key in keys %} {{ key }}, {%- endfor %}
                max(_deleted_at) as stamped_at,
                max(case when _deleted_at is null then load_seq end) as unstamped_seq,
                max(coalesce(_deleted_at, committed_at)) as gone_at,
                max(load_seq) as gone_seq
            from log
            where _deleted
            group by all
        ),

        newest as (
            select log.*, {{ stamp }} as _stamp
            from log
            where {{ is_real(flag) }}
            qualify
                row_number() over (
                    partition by
                        log.source_system, {% for key in keys %} log.{{ key }} {{- ', ' if not loop.last }} {% endfor %}
                    order by {{ stamp }} desc nulls last, log.load_seq desc, log._seq desc
                )
                = 1
        )

    select
        newest.source_system,
        newest.vendor,
        {%- set shown = keys + columns + ([flag] if flag else []) %}
        {%- for name in shown %}
            {%- if name not in shown[: loop.index0] %} newest.{{ name }}, {%- endif %}
        {%- endfor %}
        newest.extra_columns,
        newest.load_id,
        newest._stamp as stamp,
        newest.committed_at,
        greatest(newest.load_seq, coalesce(tombstones.gone_seq, 0)) as load_seq,
        {{ gone_condition() }} as is_gone,
        case when {{ gone_condition() }} then tombstones.gone_at end as gone_at
    from newest
    left join
        tombstones on newest.source_system = tombstones.source_system
        {%- for key in keys %} and newest.{{ key }} = tombstones.{{ key }} {%- endfor %}
{%- endmacro %}


{# A row with content. A tombstone has its key only; a row that the vendor itself flags (`flag`) comes whole. #}
{% macro is_real(flag) -%}
    {{ "(not log._deleted or log." ~ flag ~ " is not null)" if flag else "not log._deleted" }}
{%- endmacro %}


{% macro gone_condition() -%}
    (
        coalesce(tombstones.unstamped_seq >= newest.load_seq, false)
        or coalesce(tombstones.stamped_at >= newest._stamp, tombstones.stamped_at is not null and newest._stamp is null)
    )
{%- endmacro %}


{# Every real version of the touched keys, oldest first within a key by (load_seq, _seq); `stamp` is the cursor in UTC. #}
{% macro versions(folder, table, columns, keys=["id"], cursor=none, flag=none, restrict=true, also_touched=[]) -%}
    {%- set asked = columns + ([cursor] if cursor else []) + ([flag] if flag else []) -%}
    select log.*, {{ to_utc_timestamp("log." ~ cursor) if cursor else "cast(null as timestamp)" }} as stamp
    from ({{ raw_log(folder, table, asked, keys, restrict, also_touched) }}) as log
    where {{ is_real(flag) }}
{%- endmacro %}


{#
  (source_system, touched_key): values of one column in the rows that the new loads brought, over all instances; of a
  column that is not the key, the values of all versions of those records: a tombstone has its key only, and the record
  that a row pointed to before changes too. With `separator` the column holds several values.
#}
{% macro touched(folder, table, column, separator=none) -%}
    {%- do source(folder, table) -%}
    {%- for instance in instances(folder) %}
        {%- set present = raw_columns(instance["name"], table) %}
        {%- if column in present %}
            {%- set named = touched_values_of(instance["name"], table, column, "id" if "id" in present else column) %}
            {%- if separator %}
                select '{{ instance["name"] }}' as source_system, item as touched_key
                from
                    (
                        {{
                            explode_text(
                                "(" ~ named ~ ") as new_rows",
                                column,
                                separator,
                                [column],
                            )
                        }}
                    ) as parts
            {%- else %}
                select '{{ instance["name"] }}' as source_system, {{ column }} as touched_key
                from ({{ named }}) as new_rows
            {%- endif %}
        {%- else %}
            select '{{ instance["name"] }}' as source_system, cast(null as string) as touched_key
            where 1 = 0
            {%- endif %} {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# (source_system, touched_key): every key of `table` of the instances whose `lookup` table changed in the new loads. #}
{% macro touched_by_lookup(folder, lookup, table, key="id") -%}
    {%- do source(folder, table) -%}
    {%- do source(folder, lookup) -%}
    {%- for instance in instances(folder) %}
        {%- if raw_columns(instance["name"], table) and raw_columns(instance["name"], lookup) %}
            select '{{ instance["name"] }}' as source_system, log.{{ key }} as touched_key
            from {{ raw_relation(instance["name"], table) }} as log
            where
                exists (
                    select 1
                    from {{ raw_relation(instance["name"], lookup) }} as looked_up
                    inner join {{ ledger("loads") }} as loads on looked_up._dlt_load_id = loads.load_id
                    where
                        loads.source_system = '{{ instance["name"] }}'
                        and loads.seq > {{ since_seq() }}
                        and loads.seq <= {{ through_seq() }}
                )
        {%- else %}
            select '{{ instance["name"] }}' as source_system, cast(null as string) as touched_key
            where 1 = 0
            {%- endif %} {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# (source_system, touched_key): keys of `table` whose `column` names a record of `other` that came in the new loads. #}
{% macro touched_through(folder, table, column, other, key="id", other_key="id") -%}
    select referring.source_system, referring.{{ key }} as touched_key
    from ({{ versions(folder, table, [column], keys=[key], restrict=false) }}) as referring
    inner join
        ({{ touched(folder, other, other_key) }}) as referred
        on referring.source_system = referred.source_system
        and referring.{{ column }} = referred.touched_key
{%- endmacro %}


{% macro touched_values_of(instance, table, column, key) -%}
    {%- if column == key -%} {{ touched_keys_of(instance, table, [key]) }}
    {%- else -%}
        select distinct log.{{ column }}
        from {{ raw_relation(instance, table) }} as log
        where log.{{ column }} is not null and log.{{ key }} in ({{ touched_keys_of(instance, table, [key]) }})
    {%- endif -%}
{%- endmacro %}


{% macro touched_keys_of(instance, table, keys) -%}
    select {% for key in keys %} log.{{ key }} {{- ', ' if not loop.last }} {% endfor %}
    from {{ raw_relation(instance, table) }} as log
    inner join {{ ledger("loads") }} as loads on log._dlt_load_id = loads.load_id
    where loads.source_system = '{{ instance }}' and loads.seq > {{ since_seq() }} and loads.seq <= {{ through_seq() }}
{%- endmacro %}


{# The raw table of one instance. #}
{% macro raw_relation(instance, table) -%}
    {{
        return(
            api.Relation.create(database="raw", schema="raw_" ~ instance, identifier=table).quote(false, false, false)
        )
    }}
{%- endmacro %}


{#
  Names of the columns of a raw table, [] while the table is not there (an instance that was never synced). Asked hundreds
  of times in a build, so all tables are read at once and kept in dbt's `graph`, the one object that every node of an
  invocation shares.
#}
{% macro raw_columns(instance, table) -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {%- if graph.get("raw_columns_read_in") != invocation_id -%}
        {%- do graph.update({"raw_columns": all_raw_columns(), "raw_columns_read_in": invocation_id}) -%}
    {%- endif -%}
    {{ return(graph["raw_columns"].get(("raw_" ~ instance ~ "." ~ table) | lower, [])) }}
{%- endmacro %}


{# "schema.table" in small letters -> names of its columns, of every raw table of a connected instance. #}
{% macro all_raw_columns() -%} {{ return(adapter.dispatch("all_raw_columns", "tsunagu")()) }} {%- endmacro %}

{% macro default__all_raw_columns() -%}
    {%- set found = {} -%}
    {%- set rows = run_query(
        "select lower(schema_name || '.' || table_name), column_name from duckdb_columns() where database_name = 'raw'"
    ) -%}
    {%- for row in rows -%} {%- do found.setdefault(row[0], []).append(row[1]) -%} {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro spark__all_raw_columns() -%}
    {%- set found = {} -%}
    {%- for instance in instances() -%}
        {%- for relation in adapter.list_relations("raw", "raw_" ~ instance["name"]) -%}
            {%- do found.update(
                {
                    (relation.schema ~ "." ~ relation.identifier)
                    | lower: adapter.get_columns_in_relation(relation)
                    | map(attribute="name")
                    | list
                }
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{# Columns that nobody asked for, without the engine's own (they begin with an underscore). #}
{% macro extra_columns_of(present, wanted) -%}
    {%- set extra = [] -%}
    {%- for name in present | sort if name not in wanted and not name.startswith('_') -%}
        {%- do extra.append(name) -%}
    {%- endfor -%}
    {{ return(extra) }}
{%- endmacro %}
