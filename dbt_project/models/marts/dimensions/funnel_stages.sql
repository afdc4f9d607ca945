-- The canonical stages of people and opportunities (table `stages`; the model's name leaves the map's name free).
{{ config(alias="stages") }}

select
    entity as entity_type,
    stage,
    cast(stage_order as bigint) as stage_order,
    is_closed,
    is_won,
    label_en,
    label_ja,
    exit_criterion
from ({{ map_rows("stages") }}) as stages
