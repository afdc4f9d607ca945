{{ config(enabled=connected('hubspot')) }}

-- Contacts of deals. HubSpot has no roles of its own: they are labels that the portal made; `Primary` is one of them.
with
    deals as (
        {{ latest('hubspot', 'deals', ['createdate'], cursor='hs_lastmodifieddate', flag='archived', also_touched=[
            touched('hubspot', 'deals_contacts', 'from_id')
        ]) }}
    ),

    associations as (
        {{ link_sets('hubspot', 'deals_contacts', '$.to', also_touched=[touched('hubspot', 'deals', 'id')]) }}
    ),

    association_types as (
        select
            associations.*,
            {{ json_text('details', '$.types') }} as types,
            coalesce(lower(details) like '%"label":"primary"%', false) as is_primary
        from associations
    ),

    type_entries as ({{ explode_json_list('association_types', 'types', ['source_system', 'from_id', 'to_id']) }}),

    roles as (
        select source_system, from_id, to_id, {{ json_text('item', '$.label') }} as role
        from type_entries
        where
            {{ json_text('item', '$.category') }} = 'USER_DEFINED'
            and lower({{ json_text('item', '$.label') }}) <> 'primary'
    ),

    pairs as (
        select
            association_types.source_system,
            association_types.vendor,
            association_types.from_id as deal_id,
            association_types.to_id as contact_id,
            association_types.from_id
            || ':'
            || association_types.to_id
            || coalesce(':' || roles.role, '') as pair_id,
            roles.role,
            association_types.is_primary,
            not association_types.is_current as is_taken_back,
            association_types.linked_at,
            association_types.last_seen_at as stamp,
            association_types.load_id,
            greatest(association_types.load_seq, deals.load_seq) as load_seq,
            deals.archived,
            deals.is_gone,
            deals.gone_at,
            deals.committed_at,
            '{}' as extra_columns
        from association_types
        inner join
            deals
            on association_types.source_system = deals.source_system
            and association_types.from_id = deals.id
        left join
            roles
            on association_types.source_system = roles.source_system
            and association_types.from_id = roles.from_id
            and association_types.to_id = roles.to_id
    )

select
    {{ common_columns('deals_contacts', source_id='pair_id', flag='archived', deleted='is_taken_back') }},
    {{ key_of('deals', 'deal_id') }} as opportunity_key,
    {{ key_of('contacts', 'contact_id') }} as person_key,
    role,
    is_primary
from pairs
