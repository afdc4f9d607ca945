{#
  The columns that every record carries, from a CTE of latest(). `object` is the vendor's name of the object. `created`,
  `flag` and `merged_into` are columns: when it was made, the vendor's own mark of deleted rows, and the id of the
  record of the same object in which it lives on. `source_id`, `deleted`, `updated_at`, `url` and `seq` (of the load that
  brought the last news of the record) are SQL expressions.
#}
{% macro common_columns(
    object,
    source_id="id",
    created=none,
    updated_at="stamp",
    flag=none,
    deleted=none,
    merged_into=none,
    url=none,
    seq="load_seq"
) -%}
    {%- set survivor = key_of(object, merged_into) if merged_into else "cast(null as string)" -%}
    {%- set is_deleted -%}
        is_gone
        {%- if flag %} or coalesce({{ flag }}, false) {%- endif %}
        {%- if deleted %} or coalesce({{ deleted }}, false) {%- endif %}
        {%- if merged_into %} or {{ merged_into }} is not null {%- endif %}
    {%- endset -%}
    {{ key_of(object, source_id) }} as record_key,
    source_system,
    vendor,
    '{{ object }}' as source_object,
    cast({{ source_id }} as string) as source_id,
    {{ to_utc_timestamp(created) if created else "cast(null as timestamp)" }} as created_at,
    {{ updated_at }} as updated_at,
    {{ is_deleted }} as is_deleted,
    case when {{ is_deleted }} then coalesce(gone_at, {{ updated_at }}, committed_at) end as deleted_at,
    {{ survivor }} as merged_into_key,
    {{ url if url else "cast(null as string)" }} as record_url,
    extra_columns,
    load_id,
    {{ seq }} as load_seq
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
        when ''
        then ''
    end
{%- endmacro %}
