{#
  (source_system, touched_key): keys of the rows of `table` in which `named` (SQL over `columns`) is a name of a record of
  `other` that the new loads brought: where rows name a record instead of giving its id.
#}
{% macro touched_by_name(folder, table, key, columns, named, other) -%}
    select naming.source_system, naming.{{ key }} as touched_key
    from
        (
            select source_system, {{ key }}, {{ named }} as name
            from ({{ versions(folder, table, columns, keys=[key], restrict=false) }}) as every_version
        ) as naming
    inner join
        ({{ touched(folder, other, "name") }}) as named
        on naming.source_system = named.source_system
        and naming.name = named.touched_key
{%- endmacro %}
