{{ config(enabled=connected("hubspot")) }}

-- Contacts of deals. HubSpot has no roles of its own: they are labels that the portal made; `Primary` is one of them.
{% set user_label -%}
    {{ json_text('role_item', '$.category') }} = 'USER_DEFINED' and lower({{ json_text('role_item', '$.label') }}) <> 'primary'
{%- endset %}

with
    deals as (
        {{
            latest(
                "hubspot",
                "deals",
                ["createdate"],
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=[touched("hubspot", "deals_contacts", "from_id")],
            )
        }}
    ),

    associations as (
        {{
            link_roles(
                "hubspot",
                "deals_contacts",
                to_path="$.to",
                roles_path="$.types",
                role_path="$.label",
                role_condition=user_label,
                also_touched=[touched("hubspot", "deals", "id")],
            )
        }}
    ),

    pairs as (
        select
            associations.source_system,
            associations.vendor,
            associations.from_id as deal_id,
            associations.to_id as contact_id,
            associations.from_id || ':' || associations.to_id || coalesce(':' || associations.role, '') as pair_id,
            associations.role,
            coalesce(lower(associations.details) like '%"label":"primary"%', false) as is_primary,
            not associations.is_current as is_taken_back,
            associations.linked_at,
            associations.last_seen_at as stamp,
            associations.load_id,
            greatest(associations.load_seq, deals.load_seq) as load_seq,
            deals.archived,
            deals.is_gone,
            deals.gone_at,
            deals.committed_at,
            '{}' as extra_columns
        from associations
        inner join deals on associations.source_system = deals.source_system and associations.from_id = deals.id
    )

select
    {{ common_columns("deals_contacts", source_id="pair_id", flag="archived", deleted="is_taken_back") }},
    {{ key_of("deals", "deal_id") }} as opportunity_key,
    {{ key_of("contacts", "contact_id") }} as person_key,
    role,
    is_primary
from pairs
