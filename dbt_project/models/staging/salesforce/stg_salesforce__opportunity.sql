{{ config(enabled=connected("salesforce")) }}

{% set columns = [
    "account_id",
    "contact_id",
    "name",
    "type",
    "pipeline_c",
    "record_type_id",
    "campaign_id",
    "lead_source",
    "loss_reason_c",
    "competitor_c",
    "close_date",
    "next_step",
    "stage_name",
    "amount",
    "probability",
    "owner_id",
    "forecast_category",
    "currency_iso_code",
    "is_closed",
    "is_won",
] %}

with
    opportunities as (
        {{
            latest(
                "salesforce", "opportunity", columns + ["created_date"], cursor="system_modstamp", flag="is_deleted"
            )
        }}
    )

select
    {{
        common_columns(
            "Opportunity", created="created_date", flag="is_deleted", url=instance_url("salesforce") ~ " || '/' || id"
        )
    }},
    {{ key_of("Account", "account_id") }} as account_key,
    {{ key_of("Contact", "contact_id") }} as primary_person_key,
    name,
    type as opportunity_type,
    {{ key_of("Campaign", "campaign_id") }} as campaign_key,
    lead_source,
    loss_reason_c as loss_reason,
    competitor_c as competitor,
    close_date,
    next_step,
    cast(null as string) as mirror_of_key,
    record_type_id as source_pipeline_id,
    pipeline_c as source_pipeline
from opportunities
