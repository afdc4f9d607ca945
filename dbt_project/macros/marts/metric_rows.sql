{#
  The numbers of the marts as rows, read from the columns' own descriptions: a column whose YAML has `meta.unit` is a
  metric. So a definition is written once, beside the column it explains.
#}
{% macro metric_rows() -%}
    {%- set metrics = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'marts' -%}
            {%- for column in node.columns.values() -%}
                {%- set meta = column.meta or (column.config or {}).get("meta", {}) -%}
                {%- if meta.get("unit") -%}
                    {%- do metrics.append(
                        (
                            node.alias ~ "." ~ column.name,
                            column.description,
                            meta["unit"],
                            node.alias,
                            column.name,
                            node.config.meta.get("owner", ""),
                            meta.get("status", "built"),
                        )
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for metric in metrics | sort %}
        select
            {%- for value in metric %}
                {{ dbt.string_literal(dbt.escape_single_quotes(value)) }}
                as column_{{ loop.index }} {{- ',' if not loop.last }}
            {%- endfor %}
            {{ 'union all' if not loop.last }}
    {%- else %}
        select
            {%- for index in range(1, 8) %} cast(null as string) as column_{{ index }} {{- ',' if not loop.last }}
            {%- endfor %}
        where 1 = 0
    {%- endfor %}
{%- endmacro %}
