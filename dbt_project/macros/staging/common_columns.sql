{#
  The columns that every record carries, from a CTE of latest(). Arguments are SQL expressions over that CTE.
  `deleted` is what the vendor's row itself says; a tombstone counts as well.
#}
{% macro common_columns(
    source_object,
    source_id='id',
    created_at='cast(null as timestamp)',
    updated_at='stamp',
    deleted='false',
    deleted_at='cast(null as timestamp)',
    merged_into_key='cast(null as string)',
    record_url='cast(null as string)'
) -%}
    {{ record_key('source_system', source_object, source_id) }} as record_key,
    source_system,
    vendor,
    {{ source_object }} as source_object,
    cast({{ source_id }} as string) as source_id,
    {{ created_at }} as created_at,
    {{ updated_at }} as updated_at,
    is_gone or coalesce({{ deleted }}, false) or {{ merged_into_key }} is not null as is_deleted,
    case
        when is_gone or coalesce({{ deleted }}, false) or {{ merged_into_key }} is not null
        then coalesce({{ deleted_at }}, gone_at, {{ updated_at }}, committed_at)
    end as deleted_at,
    {{ merged_into_key }} as merged_into_key,
    {{ record_url }} as record_url,
    extra_columns,
    load_id,
    load_seq
{%- endmacro %}


{#
  Address at which the tool of an instance shows its records, as SQL text expression; NULL when settings give none
  (key `base_url` of the instance in TSUNAGU_INSTANCES).
#}
{% macro instance_url(folder) -%}
    case
        source_system
        {%- for instance in fromjson(env_var('TSUNAGU_INSTANCES', '[]')) if instance.get('base_url') and (
            instance.get('staging') or instance.get('vendor') or instance['name']
        ) == folder %}
            when '{{ instance["name"] }}' then '{{ instance["base_url"].rstrip("/") }}'
        {%- endfor %}
        when '' then ''
    end
{%- endmacro %}
