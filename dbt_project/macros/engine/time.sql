{#
  What two SQL engines spell differently about time. Differences and additions: dbt's own `dbt.datediff(first, second,
  part)` and `dbt.dateadd(part, interval, from)`; mind the order (a 30-day deal must not show -30 days).
#}
{# Days from one date or instant to a later one. Whole calendar days, positive when `later` is later. #}
{% macro days_between(earlier, later) -%} {{ dbt.datediff(earlier, later, "day") }} {%- endmacro %}


{# Naive UTC timestamp of a timestamptz or of an ISO-8601 text with offset. #}
{% macro to_utc_timestamp(expression) -%}
    {{ return(adapter.dispatch("to_utc_timestamp", "tsunagu")(expression)) }}
{%- endmacro %}

{% macro default__to_utc_timestamp(expression) -%}
    (cast({{ expression }} as timestamptz) at time zone 'UTC')
{%- endmacro %}

{# The Spark session runs with time zone UTC, where a plain cast is the naive UTC instant. #}
{% macro spark__to_utc_timestamp(expression) -%} cast({{ expression }} as timestamp) {%- endmacro %}


{# The same for a text that may be empty or no instant at all: NULL then. #}
{% macro try_utc_timestamp(expression) -%}
    {{ return(adapter.dispatch("try_utc_timestamp", "tsunagu")(expression)) }}
{%- endmacro %}

{% macro default__try_utc_timestamp(expression) -%}
    (try_cast({{ expression }} as timestamptz) at time zone 'UTC')
{%- endmacro %}

{% macro spark__try_utc_timestamp(expression) -%} try_cast({{ expression }} as timestamp) {%- endmacro %}


{# Naive UTC timestamp of epoch milliseconds given as number or text. #}
{% macro epoch_ms_to_timestamp(expression) -%}
    {{ return(adapter.dispatch("epoch_ms_to_timestamp", "tsunagu")(expression)) }}
{%- endmacro %}

{% macro default__epoch_ms_to_timestamp(expression) -%} epoch_ms(try_cast({{ expression }} as bigint)) {%- endmacro %}

{% macro spark__epoch_ms_to_timestamp(expression) -%}
    timestamp_millis(try_cast({{ expression }} as bigint))
{%- endmacro %}


{# The day of a naive UTC instant in the company's zone: cut in UTC it would be a day off in Tokyo. #}
{% macro local_date(expression) -%} {{ return(adapter.dispatch("local_date", "tsunagu")(expression)) }} {%- endmacro %}

{% macro default__local_date(expression) -%}
    cast((({{ expression }}) at time zone 'UTC') at time zone '{{ var("timezone") }}' as date)
{%- endmacro %}

{% macro spark__local_date(expression) -%}
    to_date(from_utc_timestamp({{ expression }}, '{{ var("timezone") }}'))
{%- endmacro %}


{# One row a day from `first` to `last` inclusive, column `day_date`. Both are SQL expressions of type date. #}
{% macro date_spine(first, last) -%}
    {{ return(adapter.dispatch("date_spine", "tsunagu")(first, last)) }}
{%- endmacro %}

{% macro default__date_spine(first, last) -%}
    select cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date) as day_date
{%- endmacro %}

{% macro spark__date_spine(first, last) -%}
    select explode(sequence({{ first }}, {{ last }}, interval 1 day)) as day_date
{%- endmacro %}


{# The naive UTC instant at which a day begins in the company's zone. #}
{% macro start_of_local_day(expression) -%}
    {{ return(adapter.dispatch("start_of_local_day", "tsunagu")(expression)) }}
{%- endmacro %}

{% macro default__start_of_local_day(expression) -%}
    ((cast({{ expression }} as timestamp) at time zone '{{ var("timezone") }}') at time zone 'UTC')
{%- endmacro %}

{% macro spark__start_of_local_day(expression) -%}
    to_utc_timestamp(cast({{ expression }} as timestamp), '{{ var("timezone") }}')
{%- endmacro %}


{# Naive UTC timestamp of a text that holds ISO-8601 or epoch milliseconds. #}
{% macro instant_of_text(expression) -%}
    coalesce({{ epoch_ms_to_timestamp(expression) }}, {{ try_utc_timestamp(expression) }})
{%- endmacro %}
