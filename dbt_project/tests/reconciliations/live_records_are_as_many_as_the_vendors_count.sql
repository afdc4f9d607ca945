-- Live canonical records plus quarantined rows against the vendor's own count, per object.
{{ config(severity="warn") }}

select source_system, details, measured_value, expected_value
from {{ ref("data_health") }}
where check_name = 'row_counts' and status <> 'ok'
