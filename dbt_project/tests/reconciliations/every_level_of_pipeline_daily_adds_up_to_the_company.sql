-- Amounts, deals and flows (within a unit a change of owner is none); distinct accounts do not add up.
{% set measures = [
    "opportunity_count",
    "amount",
    "created_amount",
    "reopened_amount",
    "won_amount",
    "lost_amount",
    "moved_in_amount",
    "moved_out_amount",
    "changed_amount",
    "revalued_amount",
    "removed_amount",
] %}

with
    levels as (
        select
            snapshot_date,
            stage,
            level,
            {% for measure in measures %} sum({{ measure }}) as {{ measure }}, {% endfor %}
            sum(reassigned_amount) as reassigned_amount
        from {{ ref("pipeline_daily") }}
        group by snapshot_date, stage, level
    )

select levels.snapshot_date, levels.stage, levels.level
from levels
left join
    levels as company
    on levels.snapshot_date = company.snapshot_date
    and levels.stage = company.stage
    and company.level = 'company'
where
    levels.reassigned_amount <> 0
    {% for measure in measures %} or levels.{{ measure }} <> coalesce(company.{{ measure }}, 0) {% endfor %}
