{#
  Money in the reporting currency: rounded once, here. NULL when the amount or the rate is unknown. The inner types keep
  the product within 38 digits on Spark, and let DuckDB use more than 18 (two factors of 18 digits overflow there).
#}
{% macro converted(amount, rate) -%}
    cast(cast({{ amount }} as decimal(23, 4)) * cast({{ rate }} as decimal(14, 8)) as decimal(18, 2))
{%- endmacro %}


{# A sum of amounts in the type of the marts: a plain sum widens to 38 digits. #}
{% macro amount_sum(expression) -%} cast(sum({{ expression }}) as decimal(18, 2)) {%- endmacro %}


{# The fiscal year of a date: named by the calendar year in which it starts. #}
{% macro fiscal_year(date_expression) -%}
    cast(
        extract(
            year from {{ dbt.dateadd("month", -(var("fiscal_year_start_month") | int - 1), date_expression) }}
        ) as bigint
    )
{%- endmacro %}
