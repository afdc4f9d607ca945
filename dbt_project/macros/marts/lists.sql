{# The distinct values of a group as one sorted, comma-joined text; NULL for a group without values. #}
{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch("sorted_list", "tsunagu")(expression)) }}
{%- endmacro %}

{% macro default__sorted_list(expression) -%}
    string_agg(distinct {{ expression }}, ',' order by {{ expression }})
{%- endmacro %}

{% macro spark__sorted_list(expression) -%}
    nullif(array_join(array_sort(collect_set({{ expression }})), ','), '')
{%- endmacro %}
