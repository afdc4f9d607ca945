{{ config(enabled=connected("pipedrive")) }}

{% set columns = ["name", "owner_id", "value", "locality", "admin_area_level_1", "country", "postal_code"] %}

with
    organizations as (
        {{ latest("pipedrive", "organizations", columns + ["add_time"], cursor="update_time", flag="is_deleted") }}
    )

select
    {{
        common_columns(
            "organizations",
            created="add_time",
            flag="is_deleted",
            url=instance_url("pipedrive") ~ " || '/organization/' || id",
        )
    }},
    name,
    cast(null as string) as domain,
    cast(null as string) as website,
    cast(null as string) as phone,
    cast(null as string) as corporate_number,
    cast(null as string) as parent_key,
    cast(null as string) as industry,
    cast(null as bigint) as employee_count,
    country,
    admin_area_level_1 as region,
    locality as city,
    postal_code,
    value as street,
    cast(null as string) as account_type,
    {{ key_of("users", "owner_id") }} as owner_key
from organizations
