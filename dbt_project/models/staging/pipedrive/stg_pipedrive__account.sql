{{ config(enabled=connected("pipedrive")) }}

{% set columns = ["name", "owner_id", "value", "locality", "admin_area_level_1", "country", "postal_code"] %}

-- Custom fields are told by their keys among the other fields that no column is made of.
{% set with_custom_fields %}
    case
        when custom_fields like '{"%' and extra_columns like '{"%'
        then left(extra_columns, length(extra_columns) - 1) || ',' || substr(custom_fields, 2)
        when custom_fields like '{"%'
        then custom_fields
        else extra_columns
    end as extra_columns
{% endset %}
{% set common = [
    "source_system",
    "vendor",
    "id",
    "add_time",
    "is_deleted",
    "load_id",
    "stamp",
    "committed_at",
    "load_seq",
    "is_gone",
    "gone_at",
] %}

with
    organizations as (
        {{
            latest(
                "pipedrive",
                "organizations",
                columns + ["custom_fields", "add_time"],
                cursor="update_time",
                flag="is_deleted",
            )
        }}
    ),

    told as (
        select {%- for name in common + columns %} {{ name }}, {%- endfor %} {{ with_custom_fields }} from organizations
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
from told
