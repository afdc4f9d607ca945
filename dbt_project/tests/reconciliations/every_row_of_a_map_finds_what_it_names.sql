-- Names records of identity_overrides and fields of field_map that no tool has delivered: such a row does nothing.
{{ config(severity="warn") }}

select source_system, check_name, details
from {{ ref("data_health") }}
where check_name in ('idle_rows_of_identity_overrides', 'idle_rows_of_field_map') and status <> 'ok'
