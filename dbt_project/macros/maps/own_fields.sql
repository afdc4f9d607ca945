{#
  A company's own fields: the map field_map says from which field of an object a canonical column is taken. Such a field is
  one that no column is made of, so its values are in extra_columns. What it holds goes before the tool's own column; where
  it is empty or cannot be read as the column's type, the tool's own stays (idle_map_rows tells of it).
#}
{# Columns of an entity that a field may fill: (name, type). Keys, histories and what every record carries are not. #}
{% macro fillable_columns(entity) -%}
    {%- set common = entity_columns("email_event") | map(attribute=0) | list -%}
    {%- set found = [] -%}
    {%- for name, type in entity_columns(entity) if name not in common and not name.endswith(
        ("_key", "_id")
    ) and name != "converted_at" -%}
        {%- do found.append((name, type)) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{# Entities whose columns a company's own fields may fill. #}
{% macro fillable_entities() -%}
    {{ return(["account", "person", "opportunity", "opportunity_line", "product", "campaign", "interaction"]) }}
{%- endmacro %}


{# CTE body: all columns of `entity` from `records` (an alias of a relation in parentheses or a name), own fields first. #}
{% macro with_own_fields(entity, records) -%}
    {%- set fillable = fillable_columns(entity) | map(attribute=0) | list -%}
    select
        {%- for name, type in entity_columns(entity) %}
            {% if name in fillable -%}
                coalesce(
                    case
                        when fields.{{ name }} is not null
                        then {{ own_value("given.extra_columns", "fields." ~ name, type) }}
                    end,
                    given.{{ name }}
                ) as {{ name }}
            {%- else -%} given.{{ name }}
            {%- endif %}
            {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ records }} as given
    left join
        (
            select
                source_system,
                object_word
                {%- for name in fillable %}
                    , max(case when canonical_column = '{{ entity }}.{{ name }}' then source_field end) as {{ name }}
                {%- endfor %}
            from ({{ own_fields() }}) as nearest
            group by source_system, object_word
        ) as fields
        on given.source_system = fields.source_system
        and {{ word("given.source_object") }} = fields.object_word
{%- endmacro %}


{#
  Rows of field_map as they apply to each connected instance: (source_system, object_word, canonical_column, source_field),
  and for whom the row was written (said_for).
#}
{% macro own_fields() -%}
    select
        connected.source_system,
        {{ word("listed.source_object") }} as object_word,
        listed.canonical_column,
        listed.source_field,
        listed.source_system as said_for
    from
        (
            {%- for instance in instances() %}
                select
                    '{{ instance["name"] }}' as source_system,
                    '{{ instance["vendor"] }}' as vendor
                    {{ 'union all' if not loop.last }}
            {%- else %}select cast(null as string) as source_system, cast(null as string) as vendor
            {%- endfor %}
        ) as connected
    inner join
        ({{ map_rows("field_map") }}) as listed
        on {{ applies_to("listed.source_system", "connected.source_system", "connected.vendor") }}
    qualify
        row_number() over (
            partition by connected.source_system, {{ word("listed.source_object") }}, listed.canonical_column
            order by
                {{ nearness("listed.source_system", "connected.source_system", "connected.vendor") }} desc,
                listed.source_field
        )
        = 1
{%- endmacro %}


{# The value of the field named by `field`, as the column's type; NULL where it is empty or cannot be read so. #}
{% macro own_value(extra_columns, field, type) -%}
    {%- set text = "nullif(trim(" ~ json_field(extra_columns, field) ~ "), '')" -%}
    {%- if type == "string" -%} {{ text }}
    {%- elif type == "date" -%} try_cast(left({{ text }}, 10) as date)
    {%- else -%} try_cast({{ text }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
