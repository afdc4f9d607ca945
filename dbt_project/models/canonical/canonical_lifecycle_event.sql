{{ config(pre_hook='{{ forget_changed(["person"]) }}') }}

-- Entries of people into stages. Which field of which source decides is the map lifecycle_authority; a value that is
-- not
-- listed stays visible as `unmapped`; one that is listed without a stage says nothing of it. Of equal entries the one
-- that landed last is kept.
with
    entries as (select * from {{ ref("united_lifecycle_event") }}),

    authority as ({{ map_rows("lifecycle_authority") }}),

    words as (select distinct source_system, vendor, source_field, {{ word("source_value") }} as word from entries),

    mapped as (
        select words.source_system, words.source_field, words.word, coalesce(authority.stage, '') as stage
        from words
        inner join
            authority
            on {{ applies_to("authority.source_system", "words.source_system", "words.vendor") }}
            and {{ word("authority.source_field") }} = {{ word("words.source_field") }}
            and {{ word("authority.source_value") }} = words.word
        qualify
            row_number() over (
                partition by words.source_system, words.source_field, words.word
                order by
                    {{ nearness("authority.source_system", "words.source_system", "words.vendor") }} desc,
                    authority.stage
            )
            = 1
    )

select
    entries.record_key,
    entries.source_system,
    entries.vendor,
    coalesce(mapped.stage, 'unmapped') as stage,
    entries.source_field,
    entries.source_value,
    entries.entered_at,
    entries.load_seq
from entries
left join
    mapped
    on entries.source_system = mapped.source_system
    and entries.source_field = mapped.source_field
    and {{ word("entries.source_value") }} = mapped.word
where entries.entered_at is not null and entries.source_value is not null and coalesce(mapped.stage, 'unmapped') <> ''
qualify
    row_number() over (
        partition by entries.record_key, entries.source_field, entries.source_value, entries.entered_at
        order by entries.load_seq desc
    )
    = 1
