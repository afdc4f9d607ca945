{{ config(enabled=connected("pipedrive")) }}

{% set columns = ["name", "first_name", "last_name", "emails", "phones", "job_title", "owner_id", "org_id"] %}

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
    people as (
        {{
            latest(
                "pipedrive",
                "persons",
                columns + ["custom_fields", "add_time"],
                cursor="update_time",
                flag="is_deleted",
            )
        }}
    ),

    -- The address that is marked as primary counts, else the first one.
    addresses as ({{ explode_json_list("people", "emails", ["source_system", "id"]) }}),

    numbers as ({{ explode_json_list("people", "phones", ["source_system", "id"]) }}),

    first_addresses as (
        select source_system, id, {{ json_text("item", "$.value") }} as email
        from addresses
        qualify
            row_number() over (
                partition by source_system, id
                order by case when {{ json_text("item", "$.primary") }} = 'true' then 0 else 1 end, position
            )
            = 1
    ),

    first_numbers as (
        select
            source_system,
            id,
            min_by({{ json_text("item", "$.value") }}, position) filter (
                where {{ json_text("item", "$.label") }} is distinct from 'mobile'
            ) as phone,
            min_by({{ json_text("item", "$.value") }}, position) filter (
                where {{ json_text("item", "$.label") }} = 'mobile'
            ) as mobile
        from numbers
        group by source_system, id
    ),

    persons as (
        select
            {%- for name in common + columns %} people.{{ name }}, {%- endfor %}
            {{ with_custom_fields }},
            first_addresses.email,
            first_numbers.phone,
            first_numbers.mobile
        from people
        left join
            first_addresses on people.source_system = first_addresses.source_system and people.id = first_addresses.id
        left join first_numbers on people.source_system = first_numbers.source_system and people.id = first_numbers.id
    )

select
    {{
        common_columns(
            "persons",
            created="add_time",
            flag="is_deleted",
            url=instance_url("pipedrive") ~ " || '/person/' || id",
        )
    }},
    name as full_name,
    last_name as family_name,
    first_name as given_name,
    cast(null as string) as family_kana,
    cast(null as string) as given_kana,
    email,
    phone,
    mobile,
    job_title,
    cast(null as string) as department,
    cast(null as string) as company_name,
    {{ key_of("organizations", "org_id") }} as account_key,
    cast(null as string) as lead_source,
    cast(null as double) as score,
    cast(null as boolean) as is_email_opted_out,
    cast(null as boolean) as is_call_opted_out,
    cast(null as string) as converted_to_key,
    cast(null as timestamp) as converted_at,
    {{ key_of("users", "owner_id") }} as owner_key
from persons
