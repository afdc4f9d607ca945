{# What two SQL engines spell differently about text. #}
{# Replaces every match: DuckDB replaces only the first one without 'g'. #}
{% macro regexp_replace_all(expression, pattern, replacement) -%}
    {{ return(adapter.dispatch("regexp_replace_all", "tsunagu")(expression, pattern, replacement)) }}
{%- endmacro %}

{% macro default__regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro spark__regexp_replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}


{# A relation with one row for each non-empty part of a text cut at `separator`: the `keep` columns and `item`. #}
{% macro explode_text(relation, column, separator, keep) -%}
    {{ return(adapter.dispatch("explode_text", "tsunagu")(relation, column, separator, keep)) }}
{%- endmacro %}

{% macro default__explode_text(relation, column, separator, keep) -%}
    select *
    from
        (
            select {{ keep | join(", ") }}, trim(unnest(string_split({{ column }}, '{{ separator }}'))) as item
            from {{ relation }}
        ) as parts
    where item <> ''
{%- endmacro %}

{% macro spark__explode_text(relation, column, separator, keep) -%}
    select *
    from
        (
            select {{ keep | join(", ") }}, trim(exploded) as item
            from {{ relation }}
            lateral view explode(split({{ column }}, '{{ separator }}')) as exploded
        ) as parts
    where item <> ''
{%- endmacro %}


{# The last value that is not NULL, up to and including this row. #}
{% macro last_known(expression, partition, order) -%}
    {{ return(adapter.dispatch("last_known", "tsunagu")(expression, partition, order)) }}
{%- endmacro %}

{% macro default__last_known(expression, partition, order) -%}
    last_value({{ expression }} ignore nulls) over (
        partition by {{ partition }} order by {{ order }} rows between unbounded preceding and current row
    )
{%- endmacro %}

{% macro spark__last_known(expression, partition, order) -%}
    last_value({{ expression }}) ignore nulls over (
        partition by {{ partition }} order by {{ order }} rows between unbounded preceding and current row
    )
{%- endmacro %}
