{{ config(enabled=connected("marketo")) }}

-- Which program a name in an activity means: the last one that had it. An activity keeps the name that the program had
-- on that day, so a name stays the program's after it was given another.
with names as ({{ versions("marketo", "programs", ["name"], cursor="updated_at", restrict=false) }})

select source_system, name, id as program_id
from names
where name <> ''
qualify row_number() over (partition by source_system, name order by stamp desc nulls last, load_seq desc, id desc) = 1
