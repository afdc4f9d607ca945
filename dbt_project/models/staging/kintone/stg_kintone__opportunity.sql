{{ config(enabled=connected("kintone")) }}

{% set columns = [
    "account_ref",
    "person_ref",
    "name",
    "opportunity_type",
    "pipeline",
    "lead_source",
    "loss_reason",
    "competitor",
    "close_date",
    "next_step",
] %}

with opportunities as ({{ mapped_latest("kintone", "opportunity", columns) }})

select
    {{ files_common() }},
    {{ files_key("account_ref") }} as account_key,
    {{ files_key("person_ref") }} as primary_person_key,
    name,
    opportunity_type,
    cast(null as string) as campaign_key,
    lead_source,
    loss_reason,
    competitor,
    close_date,
    next_step,
    cast(null as string) as mirror_of_key,
    cast(null as string) as source_pipeline_id,
    pipeline as source_pipeline
from opportunities
