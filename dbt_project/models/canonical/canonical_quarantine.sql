{{ config(materialized="table") }}

select source_system, vendor, stream, source_key, reason, found_at, file, line, column_name, value, load_seq
from {{ ref("stg_loads__quarantine") }}
