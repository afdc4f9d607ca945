-- Several tools may call several accounts primary; one of them is.
select person_id
from {{ ref("person_accounts") }}
where is_primary and valid_to is null
group by person_id
having count(distinct account_id) > 1
