{{ config(enabled=connected("files")) }}

with targets as ({{ files_latest("target", ["period_start", "team", "owner_email", "amount", "currency"]) }})

select
    {{ record_key("source_system", "source_object", "source_id") }} as record_key,
    source_system,
    period_start,
    team,
    owner_email,
    amount as amount_original,
    coalesce(currency, '{{ var("default_currency") }}') as currency,
    is_gone or coalesce(is_deleted, false) as is_deleted,
    load_seq
from targets
