-- Words of the tools that no map knows, with the number of live records that use each: pipelines of deals and channels
-- of people, deals, campaigns and touches. One row per map, source and word; a source whose words are all known has
-- its rows too, with nothing unmapped.
{{ config(schema="work") }}

{% set with_lead_source = ["person", "opportunity"] %}
{% set with_channel = ["campaign", "interaction"] %}

with
    {% for entity in with_lead_source %}
        {{ entity }}_channels as (
            {{ mapped_words(ref("canonical_" ~ entity), ["lead_source"], "channels", "source_value", "channel") }}
        ),
    {% endfor %}
    words as (
        select
            'pipelines' as subject, source_system, source_pipeline as source_word, pipeline = 'unmapped' as is_unmapped
        from {{ ref("canonical_opportunity") }}
        where not coalesce(is_deleted, false)
        {% for entity in with_channel %}
            union all
            select
                'channels' as subject, source_system, source_channel as source_word, channel = 'unmapped' as is_unmapped
            from {{ ref("canonical_" ~ entity) }}
            where not coalesce(is_deleted, false)
        {% endfor %}
        {% for entity in with_lead_source %}
            union all
            select
                'channels' as subject,
                records.source_system,
                records.lead_source as source_word,
                {{ word("records.lead_source") }} <> '' and {{ entity }}_channels.channel is null as is_unmapped
            from {{ ref("canonical_" ~ entity) }} as records
            left join
                {{ entity }}_channels
                on records.source_system = {{ entity }}_channels.source_system
                and {{ word("records.lead_source") }} = {{ entity }}_channels.word
            where not coalesce(records.is_deleted, false)
        {% endfor %}
    )

select
    subject,
    source_system,
    case when coalesce(is_unmapped, false) then source_word end as source_word,
    count(case when is_unmapped then 1 end) as record_count
from words
group by 1, 2, 3
