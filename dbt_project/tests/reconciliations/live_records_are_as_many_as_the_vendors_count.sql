-- Live canonical records plus quarantined rows against the vendor's own count, per object. Differences that stand are
-- in
-- no_difference_to_the_vendors_count_stands.
{{ config(severity="warn") }}

select source_system, details, measured_value, expected_value
from {{ ref("data_health") }}
where check_name = 'row_counts' and status = 'warn'
