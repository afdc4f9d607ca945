{{ config(enabled=connected("salesforce")) }}

{% set columns = [
    "opportunity_id",
    "product2_id",
    "name",
    "quantity",
    "total_price",
    "currency_iso_code",
    "service_date",
    "service_start_date_c",
    "service_end_date_c",
    "is_recurring_c",
] %}

with
    lines as (
        {{
            latest(
                "salesforce",
                "opportunity_line_item",
                columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    )

select
    {{
        common_columns(
            "OpportunityLineItem",
            created="created_date",
            flag="is_deleted",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    {{ key_of("Opportunity", "opportunity_id") }} as opportunity_key,
    {{ key_of("Product2", "product2_id") }} as product_key,
    cast(null as string) as product_family,
    name as product_name,
    quantity,
    total_price as amount_original,
    coalesce(currency_iso_code, '{{ var("default_currency") }}') as currency,
    coalesce(service_start_date_c, service_date) as service_start_date,
    service_end_date_c as service_end_date,
    is_recurring_c as is_recurring
from lines
