{{ config(enabled=connected("account_engagement")) }}

-- Prospects. What lies in the recycle bin is deleted; of merged prospects the API tells nothing but that one is gone.
{% set columns = [
    "created_at",
    "email",
    "first_name",
    "last_name",
    "phone",
    "job_title",
    "department",
    "company",
    "prospect_account_id",
    "source",
    "score",
    "opted_out",
    "is_do_not_email",
    "is_do_not_call",
    "salesforce_owner_id",
] %}

with
    prospects as ({{ latest("account_engagement", "prospects", columns, cursor="updated_at", flag="is_deleted") }}),

    crm_instances as ({{ mirrored_instances("person", "account_engagement") }}),

    owned_prospects as (
        select
            prospects.*,
            {{ record_key("crm_instances.mirrors_source_system", "'User'", "prospects.salesforce_owner_id") }}
            as owner_key
        from prospects
        left join crm_instances on prospects.source_system = crm_instances.source_system
    )

select
    {{
        common_columns(
            "prospects",
            created="created_at",
            flag="is_deleted",
            url=instance_url("account_engagement") ~ " || '/prospect/read/id/' || id",
        )
    }},
    nullif(concat_ws(' ', first_name, last_name), '') as full_name,
    last_name as family_name,
    first_name as given_name,
    cast(null as string) as family_kana,
    cast(null as string) as given_kana,
    email,
    phone,
    cast(null as string) as mobile,
    job_title,
    department,
    company as company_name,
    {{ key_of("prospect-accounts", "prospect_account_id") }} as account_key,
    source as lead_source,
    score,
    coalesce(opted_out, false) or coalesce(is_do_not_email, false) as is_email_opted_out,
    is_do_not_call as is_call_opted_out,
    cast(null as string) as converted_to_key,
    cast(null as timestamp) as converted_at,
    owner_key
from owned_prospects
