-- Every record of the entity types that marts describe, with its entity and its precedence inside the entity: the one
-- place that decides which record rules and which entities live. It must not hold attributes.
{{ config(schema="work") }}

{% set sources = {
    "account": "canonical_account",
    "person": "canonical_person",
    "opportunity": "canonical_opportunity",
    "campaign": "canonical_campaign",
} %}

with
    records as (
        {% for entity_type, model in sources.items() %}
            select
                '{{ entity_type }}' as entity_type,
                record_key,
                source_system,
                vendor,
                source_object,
                source_id,
                updated_at,
                coalesce(is_deleted, false) as is_deleted,
                merged_into_key,
                {% if entity_type == "opportunity" %} mirror_of_key is not null
                {% else %} false
                {% endif %} as is_mirror
            from {{ ref(model) }}
            union all
        {% endfor %}
        select
            'user' as entity_type,
            record_key,
            source_system,
            vendor,
            source_object,
            source_id,
            updated_at,
            coalesce(is_deleted, false) as is_deleted,
            merged_into_key,
            false as is_mirror
        from {{ ref("canonical_sales_user") }}
        where is_current
    ),
    -- The map names an instance, a vendor or everybody: the nearest row counts. Instances it does not name come last.
    sources as (select distinct entity_type, source_system, vendor from records),
    ranks as (
        select sources.entity_type, sources.source_system, listed.rank
        from sources
        inner join
            ({{ map_rows("system_of_record") }}) as listed
            on sources.entity_type = listed.entity_type
            and {{ applies_to("listed.source_system", "sources.source_system", "sources.vendor") }}
        qualify
            row_number() over (
                partition by sources.entity_type, sources.source_system
                order by
                    {{ nearness("listed.source_system", "sources.source_system", "sources.vendor") }} desc, listed.rank
            )
            = 1
    ),
    ranked as (
        select
            records.entity_type,
            records.record_key,
            clusters.entity_id,
            records.source_system,
            records.vendor,
            records.source_object,
            records.source_id,
            records.is_mirror,
            records.merged_into_key is not null as is_merged_away,
            not records.is_deleted and records.merged_into_key is null as is_live,
            ranks.rank as source_rank,
            row_number() over (
                partition by records.entity_type, clusters.entity_id
                order by
                    records.is_deleted or records.merged_into_key is not null,
                    records.merged_into_key is not null,
                    records.is_mirror,
                    ranks.rank nulls last,
                    records.updated_at desc nulls last,
                    records.record_key
            ) as precedence
        from records
        inner join
            {{ source("identity", "clusters") }} as clusters
            on records.record_key = clusters.record_key
            and records.entity_type = clusters.entity_type
        left join ranks on records.entity_type = ranks.entity_type and records.source_system = ranks.source_system
    )

select
    entity_type,
    record_key,
    entity_id,
    source_system,
    vendor,
    source_object,
    source_id,
    is_mirror,
    is_merged_away,
    is_live,
    cast(source_rank as bigint) as source_rank,
    cast(precedence as bigint) as precedence,
    max(case when is_live then 1 else 0 end) over (partition by entity_type, entity_id) = 1 as entity_is_live
from ranked
