-- Every canonical record of the six entity types, deleted and merged ones too, and nothing else.
{% set sources = {
    "account": "canonical_account",
    "person": "canonical_person",
    "opportunity": "canonical_opportunity",
    "campaign": "canonical_campaign",
    "activity": "canonical_interaction",
    "user": "canonical_sales_user",
} %}

with
    records as (
        {% for entity_type, model in sources.items() %}
            select distinct '{{ entity_type }}' as entity_type, source_system, source_object, source_id
            from {{ ref(model) }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),
    mapped as (
        select entity_type, source_system, source_object, source_id, count(*) as row_count
        from {{ ref("identity_map") }}
        group by entity_type, source_system, source_object, source_id
    )

select
    coalesce(records.entity_type, mapped.entity_type) as entity_type,
    coalesce(records.source_system, mapped.source_system) as source_system,
    coalesce(records.source_object, mapped.source_object) as source_object,
    coalesce(records.source_id, mapped.source_id) as source_id,
    mapped.row_count
from records
full outer join
    mapped
    on records.entity_type = mapped.entity_type
    and records.source_system = mapped.source_system
    and records.source_object = mapped.source_object
    and records.source_id = mapped.source_id
where mapped.row_count is distinct from 1 or records.entity_type is null
