{#
  All connected vendors' rows of one entity, typed by entity_columns(entity). Every staging folder has a model
  stg_<folder>__<entity> for every entity; one that a vendor does not feed is `no_rows(entity)`. So a new vendor needs no
  list anywhere. With no tool connected the result is empty and typed.
#}
{% macro union_staging(entity) -%}
    {%- set columns = entity_columns(entity) -%}
    {%- for folder in staging_folders() %}
        select
            {%- for name, type in columns %}
                cast({{ name }} as {{ type }}) as {{ name }} {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ ref("stg_" ~ folder ~ "__" ~ entity) }} {{ 'union all' if not loop.last }}
    {%- else %} {{ no_rows(entity) }}
    {%- endfor %}
{%- endmacro %}


{# An entity that a vendor does not feed: no rows, all columns, typed. #}
{% macro no_rows(entity) -%}
    select
        {%- for name, type in entity_columns(entity) %}
            cast(null as {{ type }}) as {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    where 1 = 0
{%- endmacro %}
