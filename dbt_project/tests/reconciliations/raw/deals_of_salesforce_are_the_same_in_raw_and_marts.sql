-- Opportunity.IsWon, Amount and CurrencyIsoCode of the newest row of each live opportunity against canonical and marts.
{{ config(enabled=connected("salesforce")) }}

{% set raw_deals = live_deals_of_raw(
    "salesforce",
    "opportunity",
    ["amount", "currency_iso_code", "is_won", "is_deleted"],
    id="log.id",
    stamp="system_modstamp",
    amount="log.amount",
    currency="log.currency_iso_code",
    is_won="log.is_won",
    is_gone="log.is_deleted",
) %}

{{ deals_that_differ("salesforce", raw_deals) }}
