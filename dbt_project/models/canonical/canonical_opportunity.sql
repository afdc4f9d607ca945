with
    records as ({{ with_own_fields("opportunity", ref("united_opportunity")) }}),

    known_words as (
        select
            record_key,
            source_system,
            vendor,
            coalesce(source_pipeline_id, source_pipeline, 'none') as pipeline_id,
            coalesce(source_pipeline, source_pipeline_id, 'none') as pipeline_label
        from records
    ),

    pipelines_by_word as (
        {{
            mapped_words(
                "known_words", ["pipeline_id", "pipeline_label"], "pipeline_map", "source_pipeline", "pipeline"
            )
        }}
    )

select
    records.record_key,
    records.source_system,
    records.vendor,
    records.source_object,
    records.source_id,
    records.created_at,
    records.updated_at,
    records.is_deleted,
    records.deleted_at,
    records.merged_into_key,
    records.record_url,
    records.extra_columns,
    records.load_id,
    records.load_seq,
    records.account_key,
    records.primary_person_key,
    records.name,
    records.opportunity_type,
    coalesce(by_id.pipeline, by_label.pipeline, 'unmapped') as pipeline,
    coalesce(records.source_pipeline, records.source_pipeline_id) as source_pipeline,
    records.campaign_key,
    records.lead_source,
    records.loss_reason,
    records.competitor,
    records.close_date,
    records.next_step,
    records.mirror_of_key
from records
inner join known_words on records.record_key = known_words.record_key
left join
    pipelines_by_word as by_id
    on known_words.source_system = by_id.source_system
    and {{ word("known_words.pipeline_id") }} = by_id.word
left join
    pipelines_by_word as by_label
    on known_words.source_system = by_label.source_system
    and {{ word("known_words.pipeline_label") }} = by_label.word
