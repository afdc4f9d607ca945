{# A scalar that may come as text or as JSON text: outer quotes go, JSON's null is NULL. #}
{% macro unquoted(expression) -%} nullif(trim({{ expression }}, '"'), 'null') {%- endmacro %}


{# What two SQL engines spell differently about JSON text columns. Paths are JSON paths: '$.name', '$.a.b'. #}
{# Text at a path, NULL when absent. #}
{% macro json_text(expression, path) -%}
    {{ return(adapter.dispatch("json_text", "tsunagu")(expression, path)) }}
{%- endmacro %}

{% macro default__json_text(expression, path) -%} json_extract_string({{ expression }}, '{{ path }}') {%- endmacro %}

{% macro spark__json_text(expression, path) -%} get_json_object({{ expression }}, '{{ path }}') {%- endmacro %}


{# Text of one key of a JSON object, whatever characters its name has; NULL when absent. #}
{% macro json_key(expression, name) -%}
    {{ return(adapter.dispatch("json_key", "tsunagu")(expression, name)) }}
{%- endmacro %}

{% macro default__json_key(expression, name) -%} json_extract_string({{ expression }}, '$."{{ name }}"') {%- endmacro %}

{% macro spark__json_key(expression, name) -%} get_json_object({{ expression }}, "$['{{ name }}']") {%- endmacro %}


{# Text of the key that an SQL expression names; NULL when absent. #}
{% macro json_field(expression, name) -%}
    {{ return(adapter.dispatch("json_field", "tsunagu")(expression, name)) }}
{%- endmacro %}

{% macro default__json_field(expression, name) -%}
    json_extract_string({{ expression }}, '$."' || {{ name }} || '"')
{%- endmacro %}

{% macro spark__json_field(expression, name) -%}
    get_json_object({{ expression }}, concat("$['", {{ name }}, "']"))
{%- endmacro %}


{#
  A relation with one row for each element of the JSON list in `column` of `relation`: the relation's `keep` columns,
  `item` (JSON text of the element, text of a text element) and `position` (0 first). Rows without a list give none.
#}
{% macro explode_json_list(relation, column, keep) -%}
    {{ return(adapter.dispatch("explode_json_list", "tsunagu")(relation, column, keep)) }}
{%- endmacro %}

{% macro default__explode_json_list(relation, column, keep) -%}
    select
        {% for name in keep %} listed.{{ name }}, {% endfor %}
        json_extract_string(listed.items_of_list, '$[' || positions.position || ']') as item,
        positions.position
    from
        (
            select {{ keep | join(", ") }}, cast({{ column }} as json) as items_of_list
            from {{ relation }}
            where {{ column }} like '[%' and {{ column }} <> '[]'
        ) as listed
    cross join
        lateral(select unnest(range(cast(json_array_length(listed.items_of_list) as bigint))) as position) as positions
{%- endmacro %}

{% macro spark__explode_json_list(relation, column, keep) -%}
    select {% for name in keep %} {{ name }}, {% endfor %} item, position
    from {{ relation }}
    lateral view posexplode(from_json({{ column }}, 'array<string>')) as position, item
    where {{ column }} like '[%'
{%- endmacro %}


{# JSON text of the given columns without the empty ones, so that a column that appears later changes no old row. #}
{% macro json_of_columns(columns) -%}
    {{ return(adapter.dispatch("json_of_columns", "tsunagu")(columns)) }}
{%- endmacro %}

{% macro default__json_of_columns(columns) -%}
    {%- if columns | length == 0 -%} '{}'
    {%- else -%}
        cast(
            json_merge_patch(
                '{}',
                json_object(
                    {%- for name in columns -%}'{{ name }}', {{ adapter.quote(name) }} {{- ', ' if not loop.last }}
                    {%- endfor -%}
                )
            ) as string
        )
    {%- endif -%}
{%- endmacro %}

{% macro spark__json_of_columns(columns) -%}
    {%- if columns | length == 0 -%} '{}'
    {%- else -%}
        to_json(
            named_struct(
                {%- for name in columns -%}'{{ name }}', {{ adapter.quote(name) }} {{- ', ' if not loop.last }}
                {%- endfor -%}
            )
        )
    {%- endif -%}
{%- endmacro %}
