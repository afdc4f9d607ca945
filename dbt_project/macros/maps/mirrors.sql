{#
  CTE body (source_system, mirrors_source_system): whose ids the cross-references of a staging folder's instances name,
  by the map system_of_record.
#}
{% macro mirrored_instances(entity_type, folder) -%}
    select connected.source_system, listed.mirrors_source_system
    from
        (
            {%- for instance in instances(folder) %}
                select
                    '{{ instance["name"] }}' as source_system,
                    '{{ instance["vendor"] }}' as vendor
                    {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as connected
    inner join
        ({{ map_rows("system_of_record") }}) as listed
        on {{ applies_to("listed.source_system", "connected.source_system", "connected.vendor") }}
    where listed.entity_type = '{{ entity_type }}' and listed.mirrors_source_system is not null
    qualify
        row_number() over (
            partition by connected.source_system
            order by {{ nearness("listed.source_system", "connected.source_system", "connected.vendor") }} desc
        )
        = 1
{%- endmacro %}
