-- Which entity each source record belongs to, deleted and merged records included.
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
            select '{{ entity_type }}' as entity_type, record_key, source_system, source_object, source_id
            from {{ ref(model) }}
            {% if entity_type == "user" %} where is_current {% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select
    records.entity_type,
    clusters.entity_id,
    records.source_system,
    records.source_object,
    records.source_id,
    clusters.matched_by,
    clusters.match_probability,
    clusters.valid_from
from records
inner join
    {{ source("identity", "clusters") }} as clusters
    on records.record_key = clusters.record_key
    and records.entity_type = clusters.entity_type
