{#
  Reading vendors whose raw tables come from a company's own mapping over an API (id, references and rows as in
  files.sql, whose files_common() and files_key() fit the result): records have the vendor's stamp in `updated_at`, and the
  path of their page instead of its address.
#}
{% macro mapped_common_raw() -%}
    {{
        return(
            [
                "source_object",
                "source_id",
                "created_at",
                "updated_at",
                "is_deleted",
                "record_path",
                "unmapped_columns",
            ]
        )
    }}
{%- endmacro %}


{# latest() of an entity, with the address of each record's page. #}
{% macro mapped_latest(folder, table, columns, restrict=true, also_touched=[]) -%}
    select found.*, {{ instance_url(folder) }} || found.record_path as record_url
    from
        (
            {{
                latest(
                    folder,
                    table,
                    mapped_common_raw() + columns,
                    cursor="updated_at",
                    restrict=restrict,
                    also_touched=also_touched,
                )
            }}
        ) as found
{%- endmacro %}


{# versions() of an entity. #}
{% macro mapped_versions(folder, table, columns, restrict=true, also_touched=[]) -%}
    {{
        versions(
            folder,
            table,
            mapped_common_raw() + columns,
            cursor="updated_at",
            restrict=restrict,
            also_touched=also_touched,
        )
    }}
{%- endmacro %}


{#
  latest() of records that are rows of a subtable of deals: a row that its deal does not name any more is gone since the
  deal's change, and so are the rows of a deal that is gone.
#}
{% macro mapped_rows_of_deals(folder, table, columns) -%}
    {%- set touched_rows = touched_through(folder, table, "opportunity_ref", "opportunity") -%}
    with
        rows_read as (
            {{ mapped_latest(folder, table, columns + ["opportunity_ref", "subtable"], also_touched=[touched_rows]) }}
        ),

        deals as ({{ mapped_latest(folder, "opportunity", ["subtable_rows"], restrict=false) }}),

        placed as (
            select
                rows_read.source_system,
                rows_read.vendor,
                rows_read.id,
                rows_read.source_object,
                rows_read.source_id,
                rows_read.created_at,
                rows_read.is_deleted,
                rows_read.record_url,
                rows_read.unmapped_columns,
                rows_read.load_id,
                rows_read.stamp,
                rows_read.committed_at,
                greatest(rows_read.load_seq, coalesce(deals.load_seq, 0)) as load_seq,
                rows_read.opportunity_ref,
                {%- for name in columns %} rows_read.{{ name }}, {%- endfor %}
                -- Rows that are records of an app of their own have a life of their own.
                rows_read.is_gone
                or (
                    rows_read.subtable is not null
                    and (
                        coalesce(deals.is_gone, false)
                        or coalesce(
                            position(',' || rows_read.id || ',' in ',' || deals.subtable_rows || ',') = 0, false
                        )
                    )
                ) as is_gone,
                coalesce(rows_read.gone_at, deals.gone_at, deals.stamp) as gone_at
            from rows_read
            left join deals on rows_read.source_system = deals.source_system and rows_read.opportunity_ref = deals.id
        )

    select *
    from placed
{%- endmacro %}
