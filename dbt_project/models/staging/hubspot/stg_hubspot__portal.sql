{{ config(enabled=connected("hubspot")) }}

-- One row a portal: its currency, and where its records are shown (https://app.hubspot.com/contacts/<portal>/record/…).
with
    portals as (
        {{ latest("hubspot", "account_info", ["ui_domain", "company_currency"], keys=["portal_id"], restrict=false) }}
    )

select
    source_system,
    company_currency,
    'https://'
    || coalesce(ui_domain, 'app.hubspot.com')
    || '/contacts/'
    || cast(portal_id as string)
    || '/record/' as record_base
from portals
qualify row_number() over (partition by source_system order by load_seq desc) = 1
