{{ config(enabled=connected("pipedrive")) }}

{% set columns = ["title", "org_id", "person_id", "pipeline_id", "expected_close_date", "lost_reason"] %}
{% set renamed = touched_by_lookup("pipedrive", "pipelines", "deals") %}

with
    deals as (
        {{
            latest(
                "pipedrive",
                "deals",
                columns + ["add_time"],
                cursor="update_time",
                flag="is_deleted",
                also_touched=[renamed],
            )
        }}
    ),

    pipelines as ({{ latest("pipedrive", "pipelines", ["name"], cursor="update_time", restrict=false) }}),

    named as (
        select
            deals.source_system,
            deals.vendor,
            deals.id,
            deals.title,
            deals.org_id,
            deals.person_id,
            deals.pipeline_id,
            deals.expected_close_date,
            deals.lost_reason,
            deals.add_time,
            deals.is_deleted,
            deals.stamp,
            deals.committed_at,
            deals.is_gone,
            deals.gone_at,
            deals.extra_columns,
            deals.load_id,
            deals.load_seq,
            pipelines.name as pipeline_name
        from deals
        left join pipelines on deals.source_system = pipelines.source_system and deals.pipeline_id = pipelines.id
    )

select
    {{
        common_columns(
            "deals", created="add_time", flag="is_deleted", url=instance_url("pipedrive") ~ " || '/deal/' || id"
        )
    }},
    {{ key_of("organizations", "org_id") }} as account_key,
    {{ key_of("persons", "person_id") }} as primary_person_key,
    title as name,
    cast(null as string) as opportunity_type,
    cast(null as string) as campaign_key,
    cast(null as string) as lead_source,
    lost_reason as loss_reason,
    cast(null as string) as competitor,
    expected_close_date as close_date,
    cast(null as string) as next_step,
    cast(null as string) as mirror_of_key,
    pipeline_id as source_pipeline_id,
    pipeline_name as source_pipeline
from named
