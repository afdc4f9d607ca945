{{ config(enabled=connected("hubspot")) }}

{% set columns = [
    "createdate",
    "email",
    "firstname",
    "lastname",
    "first_name_kana",
    "last_name_kana",
    "phone",
    "mobilephone",
    "jobtitle",
    "department",
    "company",
    "associatedcompanyid",
    "hubspotscore",
    "lead_source",
    "hs_analytics_source",
    "hs_email_optout",
    "call_opt_out",
    "hubspot_owner_id",
] %}

with
    contacts as (
        {{
            latest(
                "hubspot",
                "contacts",
                columns,
                cursor="lastmodifieddate",
                flag="archived",
                also_touched=[
                    touched("hubspot", "contacts", "hs_merged_object_ids", ";"),
                    touched_by_lookup("hubspot", "account_info", "contacts"),
                ],
            )
        }}
    ),

    merged_contacts as (
        select
            contacts.*,
            merges.winner_id,
            greatest(contacts.load_seq, coalesce(merges.load_seq, 0)) as news_seq,
            portals.record_base
        from contacts
        left join
            {{ ref("stg_hubspot__merge") }} as merges
            on contacts.source_system = merges.source_system
            and contacts.id = merges.loser_id
            and merges.object = 'contacts'
        left join {{ ref("stg_hubspot__portal") }} as portals on contacts.source_system = portals.source_system
    ),

    -- Merged away before the first load: the API gives nothing of them but their ids.
    unseen_merges as (
        select merges.source_system, merges.loser_id, merges.winner_id, merges.load_seq
        from {{ ref("stg_hubspot__merge") }} as merges
        left join
            ({{ versions("hubspot", "contacts", [], flag="archived", restrict=false) }}) as every_version
            on merges.source_system = every_version.source_system
            and merges.loser_id = every_version.id
        where merges.object = 'contacts' and every_version.id is null
    )

select
    {{
        common_columns(
            "contacts",
            created="createdate",
            flag="archived",
            merged_into="winner_id",
            seq="news_seq",
            url="record_base || '0-1/' || id",
        )
    }},
    nullif(concat_ws(' ', firstname, lastname), '') as full_name,
    lastname as family_name,
    firstname as given_name,
    last_name_kana as family_kana,
    first_name_kana as given_kana,
    email,
    phone,
    mobilephone as mobile,
    jobtitle as job_title,
    department,
    company as company_name,
    {{ key_of("companies", "associatedcompanyid") }} as account_key,
    coalesce(lead_source, hs_analytics_source) as lead_source,
    hubspotscore as score,
    hs_email_optout as is_email_opted_out,
    call_opt_out as is_call_opted_out,
    cast(null as string) as converted_to_key,
    cast(null as timestamp) as converted_at,
    {{ key_of("owners", "hubspot_owner_id") }} as owner_key
from merged_contacts
union all
{{ merged_stub("person", "contacts", "hubspot", "unseen_merges") }}
