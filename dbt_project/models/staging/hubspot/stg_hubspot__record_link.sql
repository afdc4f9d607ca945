{{ config(enabled=connected("hubspot")) }}

-- Links that HubSpot itself gives: merges, and the Salesforce records that its sync keeps in step. A synced deal is a
-- copy (mirror); companies and contacts are the same thing in another tool (cross_reference). All links of a touched
-- record
-- come together, because they replace what was known of it.
{% set references = [
    ("companies", "account", "salesforceaccountid", "Account", "cross_reference", "hs_lastmodifieddate"),
    ("contacts", "person", "salesforcecontactid", "Contact", "cross_reference", "lastmodifieddate"),
    ("contacts", "person", "salesforceleadid", "Lead", "cross_reference", "lastmodifieddate"),
    ("deals", "opportunity", "hs_salesforceopportunityid", "Opportunity", "mirror", "hs_lastmodifieddate"),
] %}
{% set entities = {"companies": "account", "contacts": "person", "deals": "opportunity"} %}

with
    {% for table in entities %}
        touched_{{ table }} as (
            {{ touched("hubspot", table, "id") }}
            union
            {{ touched("hubspot", table, "hs_merged_object_ids", ";") }}
        ),
    {% endfor %}
    {% for table, entity, column, object, kind, cursor in references %}
        {{ column }}_records as (
            {{
                latest(
                    "hubspot",
                    table,
                    [column],
                    cursor=cursor,
                    flag="archived",
                    also_touched=["select * from touched_" ~ table],
                )
            }}
        ),

        {{ column }}_mirrors as ({{ mirrored_instances(entity, "hubspot") }}),
    {% endfor %}

    references_to_others as (
        {% for table, entity, column, object, kind, cursor in references %}
            select
                {{ record_key("records.source_system", "'" ~ table ~ "'", "records.id") }} as record_key,
                {{ record_key("mirrors.mirrors_source_system", "'" ~ object ~ "'", "records." ~ column) }}
                as linked_key,
                '{{ kind }}' as kind,
                '{{ entity }}' as entity_type,
                records.source_system,
                records.load_seq
            from {{ column }}_records as records
            inner join {{ column }}_mirrors as mirrors on records.source_system = mirrors.source_system
            where records.{{ column }} is not null and records.{{ column }} <> '' {{ 'union all' if not loop.last }}
        {% endfor %}
    )

select record_key, linked_key, kind, entity_type, source_system, load_seq
from references_to_others
{% for table, entity in entities.items() %}
    union all
    select
        {{ record_key("merges.source_system", "'" ~ table ~ "'", "merges.loser_id") }} as record_key,
        {{ record_key("merges.source_system", "'" ~ table ~ "'", "merges.winner_id") }} as linked_key,
        'merged' as kind,
        '{{ entity }}' as entity_type,
        merges.source_system,
        merges.load_seq
    from {{ ref("stg_hubspot__merge") }} as merges
    inner join
        touched_{{ table }} as changed
        on merges.source_system = changed.source_system
        and merges.loser_id = changed.touched_key
    where merges.object = '{{ table }}' and merges.winner_id is not null
{% endfor %}
