{{ config(enabled=connected("marketo")) }}

-- Links that Marketo itself gives: merges, and the Salesforce records that its sync keeps in step: a lead's lead and
-- contact,
-- the account of its company, the campaign of a program. All are the same thing in another tool. All links of a touched
-- record come together, because they replace what was known of it.
{% set company_id = "coalesce(nullif(sfdc_account_id, ''), nullif(external_company_id, ''))" %}
{% set references = [
    ("leads", "person", "sfdc_contact_id", "Contact", "id", "leads"),
    ("leads", "person", "sfdc_lead_id", "Lead", "id", "leads"),
    ("leads", "account", "sfdc_account_id", "Account", company_id, "companies"),
    ("programs", "campaign", "sfdc_id", "Campaign", "id", "programs"),
] %}
{% set merged_now %}
    select source_system, loser_id as touched_key
    from {{ ref("stg_marketo__merge") }}
    where load_seq > {{ since_seq() }}
{% endset %}

with
    touched_leads as (
        {{ touched("marketo", "leads", "id") }}
        union
        {{ merged_now }}
    ),

    leads as (
        {{
            latest(
                "marketo",
                "leads",
                ["sfdc_contact_id", "sfdc_lead_id", "sfdc_account_id", "external_company_id"],
                cursor="updated_at",
                also_touched=["select * from touched_leads"],
            )
        }}
    ),

    programs as ({{ latest("marketo", "programs", ["sfdc_id"], cursor="updated_at") }}),

    {% for entity in ["person", "account", "campaign"] %}
        {{ entity }}_mirrors as ({{ mirrored_instances(entity, "marketo") }}) {{- ',' if not loop.last }}
    {% endfor %}

{% for table, entity, column, object, id, own_object in references %}
    select distinct
        {{ record_key("records.source_system", "'" ~ own_object ~ "'", id) }} as record_key,
        {{ record_key("mirrors.mirrors_source_system", "'" ~ object ~ "'", "records." ~ column) }} as linked_key,
        'cross_reference' as kind,
        '{{ entity }}' as entity_type,
        records.source_system,
        records.load_seq
    from {{ table }} as records
    inner join {{ entity }}_mirrors as mirrors on records.source_system = mirrors.source_system
    where cast(records.{{ column }} as string) <> ''
    union all
{% endfor %}
select
    {{ record_key("merges.source_system", "'leads'", "merges.loser_id") }} as record_key,
    {{ record_key("merges.source_system", "'leads'", "merges.winner_id") }} as linked_key,
    'merged' as kind,
    'person' as entity_type,
    merges.source_system,
    merges.load_seq
from {{ ref("stg_marketo__merge") }} as merges
inner join
    touched_leads as changed on merges.source_system = changed.source_system and merges.loser_id = changed.touched_key
