{{ config(materialized="table") }}

select
    cast(rate_date as date) as rate_date,
    cast(from_currency as string) as from_currency,
    cast(to_currency as string) as to_currency,
    cast(rate as double) as rate,
    'seed' as source_system
from ({{ map_rows("fx_rates") }}) as listed
