{#
  Raw tables in which one row is the whole set of a record's links, as a JSON list: one row for each pair that ever was
  in a set, with `is_current` (it is in the newest set), `linked_at` (when the first set that has it was read), the
  details of the newest set that has it (`details` is the JSON text of the list's item) and the newest load_seq of the
  record's sets. Pairs that left a set stay, so that a delete+insert by key can flag them.
#}
{% macro link_sets(
    folder,
    table,
    to_path,
    key="from_id",
    column="associations",
    cursor="read_at",
    restrict=true,
    also_touched=[]
) -%}
    with
        sets as (
            select
                *,
                row_number() over (
                    partition by source_system, {{ key }} order by stamp desc nulls last, load_seq desc, _seq desc
                ) as age
            from
                (
                    {{
                        versions(
                            folder,
                            table,
                            [column],
                            keys=[key],
                            cursor=cursor,
                            restrict=restrict,
                            also_touched=also_touched,
                        )
                    }}
                ) as every_set
        ),

        known as (select source_system, {{ key }}, max(load_seq) as load_seq from sets group by all),

        items as (
            {{
                explode_json_list(
                    "sets", column, ["source_system", "vendor", key, "stamp", "committed_at", "age", "load_id"]
                )
            }}
        ),

        pairs as (
            select
                source_system,
                vendor,
                {{ key }},
                {{ json_text("item", to_path) }} as to_id,
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
    select source_system, to_id as touched_key from ({{ link_sets(folder, table, to_path) }}) as changed_sets
{%- endmacro %}


{#
  The same by role: one row for each (pair, role) that ever was in a set. The roles are texts at `role_path` of the items
  of the list at `roles_path` of a link, as far as `role_condition` (SQL over `role_item`) holds; a link without any has
  role NULL. A role that a pair no longer has stays with `is_current` false.
#}
{% macro link_roles(
    folder,
    table,
    to_path,
    roles_path,
    role_path,
    role_condition,
    key="from_id",
    column="associations",
    cursor="read_at",
    also_touched=[]
) -%}
    with
        sets as (
            select
                *,
                row_number() over (
                    partition by source_system, {{ key }} order by stamp desc nulls last, load_seq desc, _seq desc
                ) as age
            from
                (
                    {{ versions(folder, table, [column], keys=[key], cursor=cursor, also_touched=also_touched) }}
                ) as every_set
        ),

        known as (select source_system, {{ key }}, max(load_seq) as load_seq from sets group by all),

        items as (
            {{
                explode_json_list(
                    "sets", column, ["source_system", "vendor", key, "stamp", "committed_at", "age", "load_id"]
                )
            }}
        ),

        links as (
            select items.*, {{ json_text("item", to_path) }} as to_id, {{ json_text("item", roles_path) }} as role_list
            from items
        ),

        role_items as (
            select source_system, {{ key }}, age, to_id, {{ json_text("role_item", role_path) }} as role
            from
                (
                    select source_system, {{ key }}, age, to_id, item as role_item
                    from
                        (
                            {{ explode_json_list("links", "role_list", ["source_system", key, "age", "to_id"]) }}
                        ) as listed
                ) as role_list_items
            where {{ role_condition }} and {{ json_text("role_item", role_path) }} is not null
        ),

        pairs as (
            select
                links.source_system,
                links.vendor,
                links.{{ key }},
                links.to_id,
                role_items.role,
                min_by(links.item, links.age) as details,
                min_by(links.load_id, links.age) as load_id,
                min(links.age) = 1 as is_current,
                min(coalesce(links.stamp, links.committed_at)) as linked_at,
                max(coalesce(links.stamp, links.committed_at)) as last_seen_at
            from links
            left join
                role_items
                on links.source_system = role_items.source_system
                and links.{{ key }} = role_items.{{ key }}
                and links.age = role_items.age
                and links.to_id = role_items.to_id
            group by all
        )

    select pairs.*, known.load_seq
    from pairs
    inner join known on pairs.source_system = known.source_system and pairs.{{ key }} = known.{{ key }}
{%- endmacro %}
