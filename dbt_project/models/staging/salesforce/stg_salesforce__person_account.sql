{{ config(enabled=connected("salesforce")) }}

-- Relations of contacts to accounts. The contact's own AccountId stands in where the org keeps no relation for it
-- (AccountContactRelation has to be switched on): it is there for every contact, deleted while a relation says the
-- same.
-- https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_accountcontactrelation.htm
{% set columns = ["account_id", "contact_id", "roles", "is_direct", "is_active", "start_date", "end_date"] %}

with
    relations as (
        {{
            latest(
                "salesforce",
                "account_contact_relation",
                columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    ),

    contacts as (
        {{
            latest(
                "salesforce",
                "contact",
                ["account_id", "master_record_id"] + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=[touched("salesforce", "account_contact_relation", "contact_id")],
            )
        }}
    ),

    live_pairs as (
        select distinct source_system as pair_source, contact_id, account_id as related_account_id
        from
            (
                {{
                    latest(
                        "salesforce",
                        "account_contact_relation",
                        ["account_id", "contact_id"],
                        cursor="system_modstamp",
                        flag="is_deleted",
                        restrict=false,
                    )
                }}
            ) as every_relation
        where not is_gone and not coalesce(is_deleted, false)
    ),

    own_accounts as (
        select
            contacts.*,
            id || '/AccountId' as relation_id,
            coalesce(is_deleted, false) or account_id is null or live_pairs.contact_id is not null as is_covered
        from contacts
        left join
            live_pairs
            on contacts.source_system = live_pairs.pair_source
            and contacts.id = live_pairs.contact_id
            and contacts.account_id = live_pairs.related_account_id
    )

select
    {{
        common_columns(
            "AccountContactRelation",
            created="created_date",
            flag="is_deleted",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    {{ key_of("Contact", "contact_id") }} as person_key,
    {{ key_of("Account", "account_id") }} as account_key,
    roles as role,
    is_direct as is_primary,
    {{ start_of_local_day("start_date") }} as valid_from,
    case
        when end_date is not null then {{ start_of_local_day("end_date") }} when is_active then null else stamp
    end as valid_to
from relations
union all
select
    {{ common_columns("Contact", source_id="relation_id", created="created_date", deleted="is_covered") }},
    {{ key_of("Contact", "id") }} as person_key,
    {{ key_of("Account", "account_id") }} as account_key,
    cast(null as string) as role,
    true as is_primary,
    cast(null as timestamp) as valid_from,
    cast(null as timestamp) as valid_to
from own_accounts
