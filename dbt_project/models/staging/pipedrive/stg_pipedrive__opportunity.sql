{{ config(enabled=connected("pipedrive")) }}

{% set columns = ["title", "org_id", "person_id", "pipeline_id", "expected_close_date", "lost_reason"] %}
{% set renamed = touched_by_lookup("pipedrive", "pipelines", "deals") %}

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
    deals as (
        {{
            latest(
                "pipedrive",
                "deals",
                columns + ["custom_fields", "add_time"],
                cursor="update_time",
                flag="is_deleted",
                also_touched=[renamed],
            )
        }}
    ),

    pipelines as ({{ latest("pipedrive", "pipelines", ["name"], cursor="update_time", restrict=false) }}),

    told as (select {%- for name in common + columns %} {{ name }}, {%- endfor %} {{ with_custom_fields }} from deals),

    named as (
        select told.*, pipelines.name as pipeline_name
        from told
        left join pipelines on told.source_system = pipelines.source_system and told.pipeline_id = pipelines.id
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
