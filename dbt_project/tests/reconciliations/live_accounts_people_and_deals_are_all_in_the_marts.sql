-- An entity is in its mart when, and only when, it has a live record.
{% set marts = {
    "account": ("customer_360", "account_id"),
    "person": ("person_360", "person_id"),
    "opportunity": ("opportunities", "opportunity_id"),
} %}

{% for entity_type, (mart, id) in marts.items() %}
    select '{{ mart }}' as table_name, records.entity_id, marts.{{ id }} as id_in_mart
    from
        (
            select distinct entity_id
            from {{ ref("entity_records") }}
            where entity_type = '{{ entity_type }}' and is_live
        ) as records
    full outer join {{ ref(mart) }} as marts on records.entity_id = marts.{{ id }}
    where records.entity_id is null or marts.{{ id }} is null
    {% if not loop.last %}
        union all
    {% endif %}
{% endfor %}
