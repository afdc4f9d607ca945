-- Campaigns; the channel by the map channels, from what the tool calls it.
with
    records as ({{ with_own_fields("campaign", "(" ~ union_staging("campaign") ~ ")") }}),

    channel_words as (
        select record_key, source_system, vendor, nullif({{ word("source_channel") }}, '') as channel_word from records
    ),

    mapped as ({{ mapped_words("channel_words", ["channel_word"], "channels", "source_value", "channel") }})

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
    records.name,
    records.parent_key,
    coalesce(mapped.channel, case when channel_words.channel_word is null then 'none' else 'unmapped' end) as channel,
    records.source_channel,
    records.campaign_type,
    records.status,
    records.start_date,
    records.end_date,
    records.budget,
    records.actual_cost,
    records.currency
from records
inner join channel_words on records.record_key = channel_words.record_key
left join mapped on channel_words.source_system = mapped.source_system and channel_words.channel_word = mapped.word
