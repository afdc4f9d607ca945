-- hs_is_closed_won, amount and deal_currency_code of the newest row of each live deal against canonical and marts.
{{ config(enabled=connected("hubspot")) }}

{% set raw_deals = live_deals_of_raw(
    "hubspot",
    "deals",
    ["amount", "deal_currency_code", "hs_is_closed_won", "archived"],
    id="log.id",
    stamp="hs_lastmodifieddate",
    amount="log.amount",
    currency="log.deal_currency_code",
    is_won="log.hs_is_closed_won",
    is_gone="log.archived",
) %}

{{ deals_that_differ("hubspot", raw_deals) }}
