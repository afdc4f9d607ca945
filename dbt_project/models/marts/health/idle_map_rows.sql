-- Rows of a company's maps that name something which no tool has delivered: records of identity_overrides, fields of
-- field_map that no record has (or whose values cannot be read as the column's type). One row for each thing named.
{{ config(schema="work") }}

{% set overridden = {
    "account": "canonical_account",
    "person": "canonical_person",
    "opportunity": "canonical_opportunity",
    "campaign": "canonical_campaign",
    "user": "canonical_sales_user",
} %}

with
    named_records as (
        select entity_type, record_key, record_name
        from {{ ref("canonical_identity_override") }}
        union
        select entity_type, other_key as record_key, other_name as record_name
        from {{ ref("canonical_identity_override") }}
    ),

    known_records as (
        {% for entity_type, table in overridden.items() %}
            select distinct named_records.entity_type, named_records.record_key
            from named_records
            inner join {{ ref(table) }} as records on named_records.record_key = records.record_key
            where named_records.entity_type = '{{ entity_type }}'
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    own_fields as ({{ own_fields() }}),

    field_values as (
        {% for entity in fillable_entities() %}
            select
                own_fields.source_system,
                own_fields.object_word,
                own_fields.source_field,
                own_fields.canonical_column,
                {{ own_value("records.extra_columns", "own_fields.source_field", "string") }} as given_text,
                case
                    own_fields.canonical_column
                    {% for name, type in fillable_columns(entity) if type != "string" %}
                        when '{{ entity }}.{{ name }}'
                        then cast({{ own_value("records.extra_columns", "own_fields.source_field", type) }} as string)
                    {% endfor %}
                    else {{ own_value("records.extra_columns", "own_fields.source_field", "string") }}
                end as read_text
            from own_fields
            inner join
                {{ ref("canonical_" ~ entity) }} as records
                on own_fields.source_system = records.source_system
                and own_fields.object_word = {{ word("records.source_object") }}
            where own_fields.canonical_column like '{{ entity }}.%'
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    field_counts as (
        select
            own_fields.said_for as source_system,
            own_fields.object_word || '.' || own_fields.source_field as field_name,
            count(field_values.given_text) as given_count,
            count(
                case when field_values.given_text is not null and field_values.read_text is null then 1 end
            ) as unread_count
        from own_fields
        left join
            field_values
            on own_fields.source_system = field_values.source_system
            and own_fields.object_word = field_values.object_word
            and own_fields.source_field = field_values.source_field
            and own_fields.canonical_column = field_values.canonical_column
        group by 1, 2
    )

select
    'identity_overrides' as map_name,
    'all' as source_system,
    case when known_records.record_key is null then named_records.record_name end as idle_name,
    case when known_records.record_key is null then 1 else 0 end as idle_count
from named_records
left join
    known_records
    on named_records.record_key = known_records.record_key
    and named_records.entity_type = known_records.entity_type
union all
select
    'field_map' as map_name,
    source_system,
    case
        when given_count = 0
        then field_name || ' (in no record)'
        when unread_count > 0
        then field_name || ' (' || cast(unread_count as string) || ' values cannot be read)'
    end as idle_name,
    case when given_count = 0 or unread_count > 0 then 1 else 0 end as idle_count
from field_counts
