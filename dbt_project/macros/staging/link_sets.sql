{#
  Raw tables in which one row is the whole set of a record's links, as a JSON list: one row for each pair that ever was
  in a set, with `is_current` (it is in the newest set), `linked_at` (when the first set that has it was read), the
  details of the newest set that has it (`details` is the JSON text of the list's item) and the newest load_seq of the
  record's sets. Pairs that left a set stay, so that a delete+insert by key can flag them.
#}
{% macro link_sets(folder, table, to_path, key='from_id', column='associations', cursor='read_at', restrict=true, also_touched=[]) -%}
    with
        sets as (
            select
                *,
                row_number() over (
                    partition by source_system, {{ key }} order by stamp desc nulls last, load_seq desc, _seq desc
                ) as age
            from ({{ versions(folder, table, [column], keys=[key], cursor=cursor, restrict=restrict, also_touched=also_touched) }}) as every_set
        ),

        known as (select source_system, {{ key }}, max(load_seq) as load_seq from sets group by all),

        items as (
            {{ explode_json_list('sets', column, ['source_system', 'vendor', key, 'stamp', 'committed_at', 'age', 'load_id']) }}
        ),

        pairs as (
            select
                source_system,
                vendor,
                {{ key }},
                {{ json_text('item', to_path) }} as to_id,
                min_by(item, age) as details,
                min_by(load_id, age) as load_id,
                min(age) = 1 as is_current,
                min(coalesce(stamp, committed_at)) as linked_at,
                max(coalesce(stamp, committed_at)) as last_seen_at
            from items
            group by all
        )

    select pairs.*, known.load_seq
    from pairs
    inner join known on pairs.source_system = known.source_system and pairs.{{ key }} = known.{{ key }}
{%- endmacro %}


{# (source_system, touched_key): records at the other end of the sets that the new loads brought, removed ones too. #}
{% macro touched_by_links(folder, table, to_path) -%}
    select source_system, to_id as touched_key
    from ({{ link_sets(folder, table, to_path) }}) as changed_sets
{%- endmacro %}
