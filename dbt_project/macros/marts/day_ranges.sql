{#
  A relation with the `keep` columns of `relation` and one row a day from `first` to `last`, both inclusive, in the column
  `day_date`. Far faster than a join of ranges with a calendar.
#}
{% macro each_day(relation, first, last, keep) -%}
    {{ return(adapter.dispatch("each_day", "tsunagu")(relation, first, last, keep)) }}
{%- endmacro %}

{% macro default__each_day(relation, first, last, keep) -%}
    select
        {{ keep | join(", ") }},
        cast(unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as date) as day_date
    from {{ relation }}
{%- endmacro %}

{% macro spark__each_day(relation, first, last, keep) -%}
    select {{ keep | join(", ") }}, day_date
    from {{ relation }}
    lateral view explode(sequence({{ first }}, {{ last }}, interval 1 day)) as day_date
{%- endmacro %}
