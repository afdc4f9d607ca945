-- No rate gives NULL, never a guess; the file is not published until the map has the rate.
select source_system, measured_value, details
from {{ ref("data_health") }}
where check_name = 'missing_fx_rates' and status = 'error'
