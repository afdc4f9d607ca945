{{ config(enabled=connected("hubspot")) }}

-- Records that were merged away, by what the surviving record lists: its hs_merged_object_ids. In a chain a record
-- may be
-- listed by several; one that lives is named first. https://knowledge.hubspot.com/records/merge-records
with
    {% for object in ["contacts", "companies", "deals"] %}
        {{ object }}_survivors as (
            {{ latest("hubspot", object, ["hs_merged_object_ids"], flag="archived", restrict=false) }}
        ),

        {{ object }}_lists as (
            {{
                explode_text(
                    object ~ "_survivors",
                    "hs_merged_object_ids",
                    ";",
                    ["source_system", "id", "is_gone", "archived", "load_seq"],
                )
            }}
        ) {{- ',' if not loop.last }}
    {% endfor %}

{% for object in ["contacts", "companies", "deals"] %}
    select
        source_system,
        '{{ object }}' as object,
        item as loser_id,
        min_by(id, case when is_gone or coalesce(archived, false) then 1 else 0 end) as winner_id,
        max(load_seq) as load_seq
    from {{ object }}_lists
    where item <> id
    group by source_system, item {{ 'union all' if not loop.last }}
{% endfor %}
