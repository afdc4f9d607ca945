{{ config(enabled=connected("account_engagement")) }}

-- The Salesforce records that the connector keeps in step: a prospect's contact and lead, the account of a prospect
-- account, the campaign of a campaign. All are the same thing in another tool; an opportunity is a copy.
{% set contact = "coalesce(nullif(cast(salesforce_contact_id as string), ''), case when cast(salesforce_id as string) like '003%' then cast(salesforce_id as string) end)" %}
{% set lead = "coalesce(nullif(cast(salesforce_lead_id as string), ''), case when cast(salesforce_id as string) like '00Q%' then cast(salesforce_id as string) end)" %}
{% set own_id = "nullif(cast(salesforce_id as string), '')" %}
{% set references = [
    ("prospects", "prospects", "person", contact, "Contact", "cross_reference"),
    ("prospects", "prospects", "person", lead, "Lead", "cross_reference"),
    (
        "prospect_accounts",
        "prospect-accounts",
        "account",
        own_id,
        "Account",
        "cross_reference",
    ),
    ("campaigns", "campaigns", "campaign", own_id, "Campaign", "cross_reference"),
    ("opportunities", "opportunities", "opportunity", own_id, "Opportunity", "mirror"),
] %}
{% set tables = {
    "prospects": (["salesforce_id", "salesforce_contact_id", "salesforce_lead_id"], "is_deleted"),
    "prospect_accounts": (["salesforce_id"], "is_deleted"),
    "campaigns": (["salesforce_id"], "is_deleted"),
    "opportunities": (["salesforce_id"], none),
} %}

with
    {% for table, (columns, flag) in tables.items() %}
        {{ table }} as ({{ latest("account_engagement", table, columns, cursor="updated_at", flag=flag) }}),
    {% endfor %}

    {% for entity in ["person", "account", "campaign", "opportunity"] %}
        {{ entity }}_mirrors as ({{ mirrored_instances(entity, "account_engagement") }}) {{- ',' if not loop.last }}
    {% endfor %}

{% for table, own_object, entity, id, object, kind in references %}
    select
        {{ record_key("records.source_system", "'" ~ own_object ~ "'", "records.id") }} as record_key,
        {{ record_key("mirrors.mirrors_source_system", "'" ~ object ~ "'", "records.other_id") }} as linked_key,
        '{{ kind }}' as kind,
        '{{ entity }}' as entity_type,
        records.source_system,
        records.load_seq
    from (select *, {{ id }} as other_id from {{ table }}) as records
    inner join {{ entity }}_mirrors as mirrors on records.source_system = mirrors.source_system
    where records.other_id is not null {{ 'union all' if not loop.last }}
{% endfor %}
