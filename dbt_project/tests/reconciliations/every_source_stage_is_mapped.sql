-- Names the stages that the map stage_map does not know; deals in them are shown as `unmapped`.
{{ config(severity="warn") }}

select source_system, measured_value, details
from {{ ref("data_health") }}
where check_name in ('unmapped_stages', 'unmapped_lifecycle_stages') and status <> 'ok'
