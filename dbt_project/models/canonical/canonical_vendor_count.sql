{{ config(materialized="table") }}

select
    source_system,
    vendor,
    stream,
    source_object,
    live_count,
    status,
    message,
    counted_at,
    load_seq,
    row_number() over (partition by source_system, stream order by load_seq desc, counted_at desc) = 1 as is_current
from {{ ref("stg_loads__vendor_count") }}
