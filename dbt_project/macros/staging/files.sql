{# What the staging models of delivered files (models/staging/files) have in common. #}
{# The columns that every raw table of file drops has beside its own (sources/files/entities.py). #}
{% macro files_common_raw() -%}
    {{
        return(
            ["source_object", "source_id", "created_at", "updated_at", "is_deleted", "record_url", "unmapped_columns"]
        )
    }}
{%- endmacro %}


{#
  latest() of an entity. `version_at` orders versions: the file's own stamp of change where the mapping names one, else the
  instant of the delivery. File and line of a row stay in raw.
#}
{% macro files_latest(table, columns, restrict=true, also_touched=[]) -%}
    {{
        latest(
            "files",
            table,
            files_common_raw() + columns + ["delivered_at", "file_name", "file_line"],
            cursor="version_at",
            restrict=restrict,
            also_touched=also_touched,
        )
    }}
{%- endmacro %}


{# versions() of an entity. #}
{% macro files_versions(table, columns, restrict=true, also_touched=[]) -%}
    {{
        versions(
            "files",
            table,
            files_common_raw() + columns + ["delivered_at", "file_name", "file_line"],
            cursor="version_at",
            restrict=restrict,
            also_touched=also_touched,
        )
    }}
{%- endmacro %}


{# What every record of a file carries. A column mapped to `is_deleted` counts beside the tombstones of full lists. #}
{% macro files_common() -%}
    {{ record_key("source_system", "source_object", "source_id") }} as record_key,
    source_system,
    vendor,
    source_object,
    source_id,
    {{ to_utc_timestamp("created_at") }} as created_at,
    stamp as updated_at,
    is_gone or coalesce(is_deleted, false) as is_deleted,
    case when is_gone or coalesce(is_deleted, false) then coalesce(gone_at, stamp, committed_at) end as deleted_at,
    cast(null as string) as merged_into_key,
    record_url,
    unmapped_columns as extra_columns,
    load_id,
    load_seq
{%- endmacro %}


{# record_key of the record that a reference column names: `customer|1042` holds object and id already. #}
{% macro files_key(reference) -%} md5(source_system || '|' || {{ reference }}) {%- endmacro %}
