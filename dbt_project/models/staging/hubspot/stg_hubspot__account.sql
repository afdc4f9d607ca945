{{ config(enabled=connected("hubspot")) }}

{% set columns = [
    "createdate",
    "name",
    "domain",
    "website",
    "corporate_number",
    "industry",
    "numberofemployees",
    "type",
    "phone",
    "address",
    "city",
    "state",
    "zip",
    "country",
    "hs_parent_company_id",
    "hubspot_owner_id",
] %}

with
    companies as (
        {{
            latest(
                "hubspot",
                "companies",
                columns,
                cursor="hs_lastmodifieddate",
                flag="archived",
                also_touched=[
                    touched("hubspot", "companies", "hs_merged_object_ids", ";"),
                    touched_by_lookup("hubspot", "account_info", "companies"),
                ],
            )
        }}
    ),

    merged_companies as (
        select
            companies.*,
            merges.winner_id,
            greatest(companies.load_seq, coalesce(merges.load_seq, 0)) as news_seq,
            portals.record_base
        from companies
        left join
            {{ ref("stg_hubspot__merge") }} as merges
            on companies.source_system = merges.source_system
            and companies.id = merges.loser_id
            and merges.object = 'companies'
        left join {{ ref("stg_hubspot__portal") }} as portals on companies.source_system = portals.source_system
    ),

    -- Merged away before the first load: the API gives nothing of them but their ids.
    unseen_merges as (
        select merges.source_system, merges.loser_id, merges.winner_id, merges.load_seq
        from {{ ref("stg_hubspot__merge") }} as merges
        left join
            ({{ versions("hubspot", "companies", [], flag="archived", restrict=false) }}) as every_version
            on merges.source_system = every_version.source_system
            and merges.loser_id = every_version.id
        where merges.object = 'companies' and every_version.id is null
    )

select
    {{
        common_columns(
            "companies",
            created="createdate",
            flag="archived",
            merged_into="winner_id",
            seq="news_seq",
            url="record_base || '0-2/' || id",
        )
    }},
    name,
    lower(domain) as domain,
    website,
    phone,
    corporate_number,
    {{ key_of("companies", "hs_parent_company_id") }} as parent_key,
    industry,
    numberofemployees as employee_count,
    country,
    state as region,
    city,
    zip as postal_code,
    address as street,
    type as account_type,
    {{ key_of("owners", "hubspot_owner_id") }} as owner_key
from merged_companies
union all
{{ merged_stub("account", "companies", "hubspot", "unseen_merges") }}
