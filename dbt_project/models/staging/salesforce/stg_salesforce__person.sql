{{ config(enabled=connected("salesforce")) }}

-- Leads and contacts. A converted lead stays a record of its own; it names the contact that it became.
{% set person_columns = [
    "last_name",
    "first_name",
    "name",
    "last_name_local",
    "first_name_local",
    "email",
    "phone",
    "mobile_phone",
    "title",
    "lead_source",
    "has_opted_out_of_email",
    "do_not_call",
    "master_record_id",
    "owner_id",
    "score_c",
] %}
{% set lead_columns = [
    "company",
    "department_c",
    "is_converted",
    "converted_date",
    "converted_contact_id",
    "converted_opportunity_id",
] %}
{% set touched_leads = [
    touched("salesforce", "lead_history", "lead_id"),
    touched_through("salesforce", "lead", "converted_contact_id", "contact"),
    touched_through("salesforce", "lead", "converted_opportunity_id", "opportunity"),
] %}

with
    touched_leads as ({{ touched_leads | join(" union ") }}),

    leads as (
        {{
            latest(
                "salesforce",
                "lead",
                person_columns + lead_columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
                also_touched=["select * from touched_leads"],
            )
        }}
    ),

    contacts as (
        {{
            latest(
                "salesforce",
                "contact",
                person_columns + ["account_id", "department"] + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    ),

    lead_people as (
        select
            leads.*,
            'Lead' as object,
            department_c as department_name,
            company as company_name,
            cast(null as string) as account_id,
            case when coalesce(is_converted, false) then converted_contact_id end as became_id,
            conversions.converted_at
        from leads
        left join
            {{ ref("stg_salesforce__conversion") }} as conversions
            on leads.source_system = conversions.source_system
            and leads.id = conversions.lead_id
    )

select
    {{
        common_columns(
            "Lead",
            created="created_date",
            flag="is_deleted",
            merged_into="master_record_id",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    name as full_name,
    last_name as family_name,
    first_name as given_name,
    last_name_local as family_kana,
    first_name_local as given_kana,
    email,
    phone,
    mobile_phone as mobile,
    title as job_title,
    department_name as department,
    company_name,
    cast(null as string) as account_key,
    lead_source,
    score_c as score,
    has_opted_out_of_email as is_email_opted_out,
    do_not_call as is_call_opted_out,
    {{ key_of("Contact", "became_id") }} as converted_to_key,
    converted_at,
    {{ key_of("User", "owner_id") }} as owner_key
from lead_people
union all
select
    {{
        common_columns(
            "Contact",
            created="created_date",
            flag="is_deleted",
            merged_into="master_record_id",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    name as full_name,
    last_name as family_name,
    first_name as given_name,
    last_name_local as family_kana,
    first_name_local as given_kana,
    email,
    phone,
    mobile_phone as mobile,
    title as job_title,
    department,
    cast(null as string) as company_name,
    {{ key_of("Account", "account_id") }} as account_key,
    lead_source,
    score_c as score,
    has_opted_out_of_email as is_email_opted_out,
    do_not_call as is_call_opted_out,
    cast(null as string) as converted_to_key,
    cast(null as timestamp) as converted_at,
    {{ key_of("User", "owner_id") }} as owner_key
from contacts
