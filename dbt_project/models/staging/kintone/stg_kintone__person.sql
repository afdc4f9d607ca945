{{ config(enabled=connected("kintone")) }}

{% set columns = [
    "full_name",
    "family_name",
    "given_name",
    "family_kana",
    "given_kana",
    "email",
    "phone",
    "mobile",
    "job_title",
    "department",
    "company_name",
    "account_ref",
    "lead_source",
    "score",
    "is_email_opted_out",
    "is_call_opted_out",
    "converted_to_ref",
    "converted_at",
    "owner_ref",
] %}

with people as ({{ mapped_latest("kintone", "person", columns) }})

select
    {{ files_common() }},
    coalesce(full_name, nullif(trim(concat_ws(' ', family_name, given_name)), '')) as full_name,
    family_name,
    given_name,
    family_kana,
    given_kana,
    email,
    phone,
    mobile,
    job_title,
    department,
    company_name,
    {{ files_key("account_ref") }} as account_key,
    lead_source,
    score,
    is_email_opted_out,
    is_call_opted_out,
    {{ files_key("converted_to_ref") }} as converted_to_key,
    {{ to_utc_timestamp("converted_at") }} as converted_at,
    {{ files_key("owner_ref") }} as owner_key
from people
