{#
  All connected vendors' rows of one entity, typed by entity_columns(entity). Vendors that do not feed the entity are
  left out; with no vendor at all the result is empty and typed.
#}
{% macro union_staging(entity) -%}
    {%- set columns = entity_columns(entity) -%}
    {%- set feeding = [] -%}
    {%- for folder in staging_folders() -%}
        {%- if entity in staging_entities(folder) -%} {%- do feeding.append(folder) -%} {%- endif -%}
    {%- endfor -%}
    {%- for folder in feeding %}
        select
            {%- for name, type in columns %}
                cast({{ name }} as {{ type }}) as {{ name }} {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ ref('stg_' ~ folder ~ '__' ~ entity) }}
        {{ 'union all' if not loop.last }}
    {%- else %}
        select
            {%- for name, type in columns %}
                cast(null as {{ type }}) as {{ name }} {{- ',' if not loop.last }}
            {%- endfor %}
        where 1 = 0
    {%- endfor %}
{%- endmacro %}
