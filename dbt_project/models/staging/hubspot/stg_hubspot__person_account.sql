{{ config(enabled=connected("hubspot")) }}

-- Contacts and their companies. Associations have no dates: the days of a primary company come from the history of
-- associatedcompanyid, which also knows companies that a contact has left. Type 1 is the primary company:
-- https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
{% set touched_contacts = [
    touched("hubspot", "contacts", "id"),
    touched("hubspot", "contacts_companies", "from_id"),
] %}

{% set user_label %}{{ json_text('role_item', '$.category') }} = 'USER_DEFINED'{% endset %}

with
    touched_contacts as ({{ touched_contacts | join(" union ") }}),

    contacts as (
        {{
            latest(
                "hubspot",
                "contacts",
                ["createdate", "associatedcompanyid"],
                cursor="lastmodifieddate",
                flag="archived",
                also_touched=["select * from touched_contacts"],
            )
        }}
    ),

    loaded_contacts as (
        select source_system, id, {{ json_text("properties_with_history", "$.associatedcompanyid") }} as company_history
        from
            (
                {{
                    versions(
                        "hubspot",
                        "contacts",
                        ["properties_with_history"],
                        flag="archived",
                        also_touched=["select * from touched_contacts"],
                    )
                }}
            ) as every_version
    ),

    company_entries as ({{ explode_json_list("loaded_contacts", "company_history", ["source_system", "id"]) }}),

    company_changes as (
        select distinct
            source_system,
            id,
            nullif({{ json_text("item", "$.value") }}, '') as company_id,
            {{ to_utc_timestamp(json_text("item", "$.timestamp")) }} as changed_at
        from company_entries
    ),

    company_spans as (
        select
            source_system,
            id,
            company_id,
            changed_at,
            lead(changed_at) over (partition by source_system, id order by changed_at, company_id) as until
        from company_changes
    ),

    primary_spans as (
        select
            source_system,
            id,
            company_id,
            min(changed_at) as valid_from,
            case when count(*) = count(until) then max(until) end as valid_to
        from company_spans
        where company_id is not null
        group by source_system, id, company_id
    ),

    associations as (
        {{
            link_roles(
                "hubspot",
                "contacts_companies",
                to_path="$.to",
                roles_path="$.types",
                role_path="$.label",
                role_condition=user_label,
                also_touched=["select * from touched_contacts"],
            )
        }}
    ),

    pairs as (
        select
            source_system,
            from_id as contact_id,
            to_id as company_id,
            role,
            is_current,
            coalesce(details like '%"type_id":1,%', false) as is_primary,
            load_seq
        from associations
        union all
        -- A company that the history knows stays, unless a present association of any role says more.
        select
            primary_spans.source_system,
            primary_spans.id as contact_id,
            primary_spans.company_id,
            cast(null as string) as role,
            case when associated.from_id is null then cast(null as boolean) else false end as is_current,
            false as is_primary,
            cast(null as bigint) as load_seq
        from primary_spans
        left join
            (
                select source_system, from_id, to_id, max(case when role is null then 1 else 0 end) as has_plain
                from associations
                group by source_system, from_id, to_id
            ) as associated
            on primary_spans.source_system = associated.source_system
            and primary_spans.id = associated.from_id
            and primary_spans.company_id = associated.to_id
        where coalesce(associated.has_plain, 0) = 0
    ),

    dated_pairs as (
        select
            contacts.source_system,
            contacts.vendor,
            contacts.id as contact_id,
            pairs.company_id,
            contacts.id || ':' || pairs.company_id || coalesce(':' || pairs.role, '') as pair_id,
            contacts.createdate,
            contacts.archived,
            contacts.stamp,
            contacts.committed_at,
            contacts.is_gone,
            contacts.gone_at,
            '{}' as extra_columns,
            contacts.load_id,
            greatest(contacts.load_seq, coalesce(pairs.load_seq, 0)) as load_seq,
            pairs.role,
            coalesce(pairs.is_primary and pairs.is_current, false) as is_primary,
            primary_spans.valid_from,
            -- Left as the primary one and no longer associated; or only known to history.
            case
                when coalesce(pairs.is_current, false) and primary_spans.valid_to is null
                then cast(null as timestamp)
                when coalesce(pairs.is_current, false) and pairs.role is null
                then cast(null as timestamp)
                else primary_spans.valid_to
            end as valid_to,
            not coalesce(pairs.is_current, true)
            and (
                pairs.role is not null or primary_spans.company_id is null or present.company_id is not null
            ) as is_taken_back
        from pairs
        inner join contacts on pairs.source_system = contacts.source_system and pairs.contact_id = contacts.id
        left join
            (select distinct source_system, contact_id, company_id from pairs where is_current) as present
            on pairs.source_system = present.source_system
            and pairs.contact_id = present.contact_id
            and pairs.company_id = present.company_id
        left join
            primary_spans
            on pairs.source_system = primary_spans.source_system
            and pairs.contact_id = primary_spans.id
            and pairs.company_id = primary_spans.company_id
    )

select
    {{ common_columns("contacts_companies", source_id="pair_id", flag="archived", deleted="is_taken_back") }},
    {{ key_of("contacts", "contact_id") }} as person_key,
    {{ key_of("companies", "company_id") }} as account_key,
    role,
    is_primary,
    valid_from,
    valid_to
from dated_pairs
