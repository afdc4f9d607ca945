-- What the numbers of the marts mean: the columns' own descriptions as a table.
with metrics as ({{ metric_rows() }})

select
    column_1 as name,
    column_2 as definition,
    column_3 as unit,
    column_4 as table_name,
    column_5 as column_name,
    column_6 as owner,
    column_7 as status
from metrics
