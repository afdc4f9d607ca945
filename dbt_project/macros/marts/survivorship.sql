{#
  The value of an entity's attribute: that of the record that rules, else of the next record by precedence that has
  one. For queries grouped by entity over rows that carry `precedence` (1 rules). The filter makes both engines skip
  records without a value.
#}
{% macro survivor(column) -%} min_by({{ column }}, precedence) filter (where {{ column }} is not null) {%- endmacro %}


{#
  Living entities by the key of any of their records, merged and deleted records included, so that a look-up field that
  still names a merged record leads to the winner. A key whose entity has no live record is not in it: no mart row
  points to an id that does not exist.
#}
{% macro living(entity_type) -%}
    (
        select record_key, entity_id
        from {{ ref("entity_records") }}
        where entity_type = '{{ entity_type }}' and entity_is_live
    )
{%- endmacro %}
