{{ config(enabled=connected("salesforce")) }}

{% set columns = [
    "name",
    "type",
    "parent_id",
    "phone",
    "website",
    "industry",
    "number_of_employees",
    "billing_street",
    "billing_city",
    "billing_state",
    "billing_postal_code",
    "billing_country",
    "billing_country_code",
    "owner_id",
    "master_record_id",
    "corporate_number_c",
    "domain_c",
] %}

with
    accounts as (
        {{ latest("salesforce", "account", columns + ["created_date"], cursor="system_modstamp", flag="is_deleted") }}
    )

select
    {{
        common_columns(
            "Account",
            created="created_date",
            flag="is_deleted",
            merged_into="master_record_id",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    name,
    lower(coalesce(nullif(domain_c, ''), website)) as domain,
    website,
    phone,
    corporate_number_c as corporate_number,
    {{ key_of("Account", "parent_id") }} as parent_key,
    industry,
    number_of_employees as employee_count,
    coalesce(billing_country_code, billing_country) as country,
    billing_state as region,
    billing_city as city,
    billing_postal_code as postal_code,
    billing_street as street,
    type as account_type,
    {{ key_of("User", "owner_id") }} as owner_key
from accounts
