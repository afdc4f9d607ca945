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


{# A few of a group's distinct values, the first by order, comma-joined: ids to look at. NULL for a group without values. #}
{% macro some_of(expression, number=5) -%}
    {{ return(adapter.dispatch("some_of", "tsunagu")(expression, number)) }}
{%- endmacro %}

{% macro default__some_of(expression, number) -%}
    array_to_string(
        list_slice(
            list_sort(list(distinct {{ expression }}) filter (where {{ expression }} is not null)), 1, {{ number }}
        ),
        ', '
    )
{%- endmacro %}

{% macro spark__some_of(expression, number) -%}
    nullif(array_join(slice(array_sort(collect_set({{ expression }})), 1, {{ number }}), ', '), '')
{%- endmacro %}
