-- Names the words that the maps channels and pipeline_map do not know; they are shown as `unmapped`.
{{ config(severity="warn") }}

select source_system, check_name, measured_value, details
from {{ ref("data_health") }}
where check_name in ('unmapped_channels', 'unmapped_pipelines') and status <> 'ok'
