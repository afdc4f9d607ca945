{{ config(enabled=connected("salesforce")) }}

-- Links that Salesforce itself gives: the contact that a lead became, and the record that a merged one lives on in.
{% set objects = {"account": ("Account", "account"), "contact": ("Contact", "person"), "lead": ("Lead", "person")} %}

with
    {% for table, (object, entity_type) in objects.items() %}
        {{ table }}_records as (
            {{
                latest(
                    "salesforce",
                    table,
                    ["master_record_id"]
                    + (["is_converted", "converted_contact_id"] if table == "lead" else [])
                    + ["created_date"],
                    cursor="system_modstamp",
                    flag="is_deleted",
                )
            }}
        ) {{- ',' if not loop.last }}
    {% endfor %}

{% for table, (object, entity_type) in objects.items() %}
    select
        {{ key_of(object, "id") }} as record_key,
        {{ key_of(object, "master_record_id") }} as linked_key,
        'merged' as kind,
        '{{ entity_type }}' as entity_type,
        source_system,
        load_seq
    from {{ table }}_records
    where master_record_id is not null
    union all
{% endfor %}
select
    {{ key_of("Lead", "id") }} as record_key,
    {{ key_of("Contact", "converted_contact_id") }} as linked_key,
    'converted' as kind,
    'person' as entity_type,
    source_system,
    load_seq
from lead_records
where is_converted and converted_contact_id is not null
