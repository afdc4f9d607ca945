{#
  How a vendor's word becomes ours: the maps are looked up for the distinct words only, then joined. A row of the map
  applies to an instance, to a vendor, or to all ('*'): the nearest one wins. Words are compared trimmed, in lower case.
#}
{% macro word(expression) -%} lower(trim({{ expression }})) {%- endmacro %}


{# How near a row of a map is to a source: 4 its instance, 2 its vendor, 0 everybody; no row where it is none of these. #}
{% macro nearness(map_source, source_system, vendor) -%}
    case when {{ map_source }} = {{ source_system }} then 4 when {{ map_source }} = {{ vendor }} then 2 else 0 end
{%- endmacro %}


{# Condition: the row of the map applies to this source. #}
{% macro applies_to(map_source, source_system, vendor) -%}
    {{ map_source }} in ({{ source_system }}, {{ vendor }}, '*')
{%- endmacro %}


{#
  CTE body: what the map stage_map says of every distinct (source, pipeline, stage) in `relation`, as intervals of days
  [maps_from, maps_until). `relation` has source_system, vendor, source_pipeline_id, source_pipeline, source_stage_id,
  source_stage. Join on stage_word and the day of valid_from. A stage that is not listed has no row: it is `unmapped`.
#}
{% macro mapped_stages(relation) -%}
    select stage_word, stage, maps_from, lead(maps_from) over (partition by stage_word order by maps_from) as maps_until
    from
        (
            select words.stage_word, starts.maps_from, candidates.stage
            from
                (
                    select distinct
                        {{ stage_word() }} as stage_word,
                        source_system,
                        vendor,
                        {{ word("source_pipeline_id") }} as pipeline_id,
                        {{ word("source_pipeline") }} as pipeline,
                        {{ word("source_stage_id") }} as stage_id,
                        {{ word("source_stage") }} as stage
                    from {{ relation }}
                ) as words
            inner join
                (
                    select distinct coalesce(cast(valid_from as date), cast('0001-01-01' as date)) as maps_from
                    from ({{ map_rows("stage_map") }}) as map_starts
                ) as starts
                on 1 = 1
            inner join
                (
                    select
                        source_system,
                        {{ word("pipeline") }} as pipeline,
                        {{ word("source_stage") }} as source_stage,
                        stage,
                        coalesce(cast(valid_from as date), cast('0001-01-01' as date)) as maps_from
                    from ({{ map_rows("stage_map") }}) as map_entries
                ) as candidates
                on {{ applies_to("candidates.source_system", "words.source_system", "words.vendor") }}
                and (candidates.pipeline = '*' or candidates.pipeline in (words.pipeline_id, words.pipeline))
                and candidates.source_stage in (words.stage_id, words.stage)
                and candidates.maps_from <= starts.maps_from
            qualify
                row_number() over (
                    partition by words.stage_word, starts.maps_from
                    order by
                        {{ nearness("candidates.source_system", "words.source_system", "words.vendor") }}
                        + case when candidates.pipeline = '*' then 0 else 1 end desc,
                        candidates.maps_from desc,
                        case when candidates.source_stage = words.stage_id then 0 else 1 end,
                        candidates.stage
                )
                = 1
        ) as resolved
{%- endmacro %}


{# The words by which a version finds its stage in mapped_stages. #}
{% macro stage_word() -%}
    coalesce(source_system, '')
    || '|'
    || coalesce({{ word("source_pipeline_id") }}, '')
    || '|'
    || coalesce({{ word("source_pipeline") }}, '')
    || '|'
    || coalesce({{ word("source_stage_id") }}, '')
    || '|'
    || coalesce({{ word("source_stage") }}, '')
{%- endmacro %}


{#
  CTE body: the canonical value of every distinct word in `relation`, by a map with columns source_system, `map_word`
  and `map_value`: columns source_system, word, `map_value`. `words` are the columns of relation that hold the word.
#}
{% macro mapped_words(relation, words, map, map_word, map_value) -%}
    select asked.source_system, asked.word, listed.{{ map_value }}
    from
        (
            {%- for column in words %}
                {{ 'union' if not loop.first }}
                select distinct source_system, vendor, {{ word(column) }} as word
                from {{ relation }}
                where {{ column }} is not null
            {%- endfor %}
        ) as asked
    inner join
        ({{ map_rows(map) }}) as listed
        on {{ applies_to("listed.source_system", "asked.source_system", "asked.vendor") }}
        and {{ word("listed." ~ map_word) }} = asked.word
    qualify
        row_number() over (
            partition by asked.source_system, asked.word
            order by
                {{ nearness("listed.source_system", "asked.source_system", "asked.vendor") }} desc,
                listed.{{ map_value }}
        )
        = 1
{%- endmacro %}
