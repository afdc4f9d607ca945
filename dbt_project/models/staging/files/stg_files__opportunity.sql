{{ config(enabled=connected("files")) }}

{% set columns = [
    "account_ref",
    "person_ref",
    "name",
    "opportunity_type",
    "pipeline",
    "campaign_ref",
    "lead_source",
    "loss_reason",
    "competitor",
    "close_date",
    "next_step",
] %}

with opportunities as ({{ files_latest("opportunity", columns) }})

select
    {{ files_common() }},
    {{ files_key("account_ref") }} as account_key,
    {{ files_key("person_ref") }} as primary_person_key,
    name,
    opportunity_type,
    {{ files_key("campaign_ref") }} as campaign_key,
    lead_source,
    loss_reason,
    competitor,
    close_date,
    next_step,
    cast(null as string) as mirror_of_key,
    cast(null as string) as source_pipeline_id,
    pipeline as source_pipeline
from opportunities
