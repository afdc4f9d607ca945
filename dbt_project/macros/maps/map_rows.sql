{#
  The rows of a map as a select: the shipped seed with the company's own rows laid over it by key (map_definition). The
  company's rows (home, `maps/<name>.csv`) are read into the ledger as versions, so that they obey as-of like
  every load: the newest version read by then counts, whole; the present, which is the newest load's instant, knows of
  what was read after it too. A row that has nothing but its key takes the shipped one
  away.
#}
{% macro map_rows(name) -%}
    {%- set seed = ref(name) -%}
    {%- set versions = ledger("map_versions") -%}
    {%- set definition = map_definition(name) -%}
    {%- if definition is none -%} select * from {{ seed }}
    {%- else -%}
        {%- set keys = definition["keys"] -%}
        {%- set types = definition["columns"] -%}
        {%- set others = types.keys() | reject("in", keys) | list -%}
        select {{ types.keys() | join(", ") }}
        from
            (
                select
                    {%- for column in types %} {{ column }},
                    {%- endfor %}
                    min(layer) over (
                        partition by
                            {% for key in keys %}
                                coalesce(lower(cast({{ key }} as string)), '') {{- ', ' if not loop.last }}
                            {% endfor %}
                    ) as nearest_layer,
                    layer
                from
                    (
                        select {{ types.keys() | join(", ") }}, 2 as layer
                        from {{ seed }}
                        union all
                        select
                            {%- for column, type in types.items() %}
                                cast(
                                    nullif({{ json_text("row_json", "$." ~ column) }}, '') as {{ type }}
                                ) as {{ column }},
                            {%- endfor %}
                            1 as layer
                        from {{ versions }}
                        where
                            map_name = '{{ name }}'
                            and version_seq = (
                                select max(version_seq)
                                from {{ versions }}
                                where
                                    map_name = '{{ name }}'
                                    and (
                                        {{ to_utc_timestamp("read_at") }}
                                        <= (select as_of from {{ source("run", "context") }})
                                        or {{ to_utc_timestamp("seen_as_of") }}
                                        = (select as_of from {{ source("run", "context") }})
                                    )
                            )
                    ) as layers
            ) as laid_over
        where
            layer = nearest_layer
            {%- if others %}
                and (
                    layer = 2
                    or coalesce(
                        {% for column in others %}cast({{ column }} as string) {{- ', ' if not loop.last }} {% endfor %}
                    )
                    is not null
                )
            {%- endif %}
    {%- endif -%}
{%- endmacro %}


{# Changes whenever the company's own maps do, as far as this run may see them. #}
{% macro maps_version() -%}
    {%- set found = run_query(
        "select cast(count(*) as string) || ' ' || cast(coalesce(max(version_seq), 0) as string) from "
        ~ ledger("map_versions")
        ~ " where "
        ~ to_utc_timestamp("read_at")
        ~ " <= (select as_of from run.context) or "
        ~ to_utc_timestamp("seen_as_of")
        ~ " = (select as_of from run.context)"
    ) -%}
    {{ return(found.columns[0].values()[0]) }}
{%- endmacro %}
