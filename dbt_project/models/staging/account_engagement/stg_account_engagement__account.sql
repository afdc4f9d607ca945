{{ config(enabled=connected("account_engagement")) }}

{% set columns = [
    "created_at",
    "name",
    "phone",
    "website",
    "industry",
    "employees",
    "type",
    "billing_address_one",
    "billing_address_two",
    "billing_city",
    "billing_state",
    "billing_zip",
    "billing_country",
] %}

with
    accounts as (
        {{ latest("account_engagement", "prospect_accounts", columns, cursor="updated_at", flag="is_deleted") }}
    )

select
    {{ common_columns("prospect-accounts", created="created_at", flag="is_deleted") }},
    name,
    lower(cast(website as string)) as domain,
    website,
    phone,
    cast(null as string) as corporate_number,
    cast(null as string) as parent_key,
    industry,
    try_cast(employees as bigint) as employee_count,
    billing_country as country,
    billing_state as region,
    billing_city as city,
    billing_zip as postal_code,
    nullif(concat_ws(' ', billing_address_one, billing_address_two), '') as street,
    type as account_type,
    cast(null as string) as owner_key
from accounts
