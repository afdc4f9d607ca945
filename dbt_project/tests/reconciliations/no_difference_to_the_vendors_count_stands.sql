-- Records are missing, or kept too long, when the vendor's count differs beyond the tolerance twice in a row.
select source_system, details, measured_value, expected_value
from {{ ref("data_health") }}
where check_name = 'row_counts' and status = 'error'
