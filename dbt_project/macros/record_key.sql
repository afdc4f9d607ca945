{#
  The one key of a vendor's record: hash of instance, the vendor's object name and the vendor's id. NULL when the id is
  NULL, so that an absent look-up field gives an absent key. Arguments are SQL expressions. Used in staging only.
#}
{% macro record_key(source_system, source_object, source_id) -%}
    md5({{ source_system }} || '|' || {{ source_object }} || '|' || cast({{ source_id }} as string))
{%- endmacro %}


{# record_key of a record of the same instance: `object` is the vendor's name as plain text, `id` an SQL expression. #}
{% macro key_of(object, id) -%} {{ record_key("source_system", "'" ~ object ~ "'", id) }} {%- endmacro %}
