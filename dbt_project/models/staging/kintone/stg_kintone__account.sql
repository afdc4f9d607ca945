{{ config(enabled=connected("kintone")) }}

{% set columns = [
    "name",
    "domain",
    "website",
    "phone",
    "corporate_number",
    "parent_ref",
    "industry",
    "employee_count",
    "country",
    "region",
    "city",
    "postal_code",
    "street",
    "account_type",
    "owner_ref",
] %}

with accounts as ({{ mapped_latest("kintone", "account", columns) }})

select
    {{ files_common() }},
    name,
    lower(coalesce(domain, website)) as domain,
    website,
    phone,
    corporate_number,
    {{ files_key("parent_ref") }} as parent_key,
    industry,
    employee_count,
    country,
    region,
    city,
    postal_code,
    street,
    account_type,
    {{ files_key("owner_ref") }} as owner_key
from accounts
