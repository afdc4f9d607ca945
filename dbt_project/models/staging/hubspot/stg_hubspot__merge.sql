{{ config(enabled=connected("hubspot")) }}

-- Records that were merged away, by what the surviving record lists: its hs_merged_object_ids. In a chain a record
-- may be
-- listed by several; one that lives is named first. One that was listed once and is no more has no winner.
-- https://knowledge.hubspot.com/records/merge-records
{% set stamps = {
    "contacts": "lastmodifieddate",
    "companies": "hs_lastmodifieddate",
    "deals": "hs_lastmodifieddate",
} %}

with
    {% for object, stamp in stamps.items() %}
        {{ object }}_survivors as (
            {{
                latest(
                    "hubspot",
                    object,
                    ["hs_merged_object_ids"],
                    cursor=stamp,
                    flag="archived",
                    restrict=false,
                )
            }}
        ),

        {{ object }}_lists as (
            {{
                explode_text(
                    object ~ "_survivors",
                    "hs_merged_object_ids",
                    ";",
                    ["source_system", "id", "is_gone", "archived"],
                )
            }}
        ),

        {{ object }}_versions as (
            {{ versions("hubspot", object, ["hs_merged_object_ids"], flag="archived", restrict=false) }}
        ),

        {{ object }}_ever as (
            {{ explode_text(object ~ "_versions", "hs_merged_object_ids", ";", ["source_system", "id"]) }}
        ) {{- ',' if not loop.last }}
    {% endfor %}

{% for object in stamps %}
    select
        ever.source_system,
        '{{ object }}' as object,
        ever.item as loser_id,
        lists.id as winner_id,
        max(survivors.load_seq) over (partition by ever.source_system, ever.item) as load_seq
    from (select distinct source_system, id, item from {{ object }}_ever where item <> id) as ever
    inner join
        {{ object }}_survivors as survivors on ever.source_system = survivors.source_system and ever.id = survivors.id
    left join
        {{ object }}_lists as lists
        on ever.source_system = lists.source_system
        and ever.id = lists.id
        and ever.item = lists.item
    qualify
        row_number() over (
            partition by ever.source_system, ever.item
            order by
                case when lists.id is null then 1 else 0 end,
                case when lists.is_gone or coalesce(lists.archived, false) then 1 else 0 end,
                try_cast(lists.id as bigint),
                lists.id
        )
        = 1 {{ 'union all' if not loop.last }}
{% endfor %}
