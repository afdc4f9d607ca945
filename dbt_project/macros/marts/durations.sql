{# Days with their fraction from one instant to a later one; positive when `later` is later. #}
{% macro elapsed_days(earlier, later) -%}
    cast({{ dbt.datediff(earlier, later, "second") }} as double) / 86400
{%- endmacro %}


{# The instant (naive UTC) at which a day begins in the company's zone. #}
{% macro start_of_day(date_expression) -%}
    {{ return(adapter.dispatch("start_of_day", "tsunagu")(date_expression)) }}
{%- endmacro %}

{% macro default__start_of_day(date_expression) -%}
    ((cast({{ date_expression }} as timestamp) at time zone '{{ var("timezone") }}') at time zone 'UTC')
{%- endmacro %}

{% macro spark__start_of_day(date_expression) -%}
    to_utc_timestamp(cast({{ date_expression }} as timestamp), '{{ var("timezone") }}')
{%- endmacro %}
