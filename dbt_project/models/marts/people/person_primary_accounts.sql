-- The account a person is shown under: the relation the tools call primary, else the latest one.
{{ config(schema="work") }}

select person_id, account_id
from {{ ref("person_accounts") }}
qualify
    row_number() over (
        partition by person_id
        order by valid_to is not null, valid_to desc, is_primary desc, valid_from desc nulls last, account_id
    )
    = 1
