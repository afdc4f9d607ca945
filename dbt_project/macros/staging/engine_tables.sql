{#
  The tables that the extraction engine makes in every instance's dataset (vendor_count, quarantine), over all
  instances and committed loads. They are small and read whole.
#}
{% macro engine_rows(table, columns) -%}
    {%- do source("engine", table) -%}
    {%- for instance in instances() %}
        {%- set present = raw_columns(instance["name"], table) %}
        select
            '{{ instance["name"] }}' as source_system,
            '{{ instance["vendor"] }}' as vendor,
            {%- for name, type in columns %}
                {{ cast_raw("log." ~ name if name in present else "null", type) }} as {{ name }},
            {%- endfor %}
        {%- if present %}
                loads.seq as load_seq
            from {{ raw_relation(instance["name"], table) }} as log
            inner join
                {{ ledger("loads") }} as loads
                on log._dlt_load_id = loads.load_id
                and loads.source_system = '{{ instance["name"] }}'
            where loads.seq <= {{ through_seq() }}
        {%- else %} cast(null as bigint) as load_seq where 1 = 0
        {%- endif %}
        union all
    {%- endfor %}
    select
        cast(null as string) as source_system,
        cast(null as string) as vendor,
        {%- for name, type in columns %} cast(null as {{ type }}) as {{ name }}, {%- endfor %}
        cast(null as bigint) as load_seq
    where 1 = 0
{%- endmacro %}


{% macro cast_raw(expression, type) -%}
    {%- if type == "timestamp" -%} {{ to_utc_timestamp(expression) }}
    {%- else -%} cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
