-- Stage, amount and currency of the newest row of each live deal against canonical and marts. A file has no field for
-- won
-- deals: those count whose stage some row of the map stage_map calls won.
{{ config(enabled=connected("files")) }}

{% set won_words %}
    select {{ word("listed.source_stage") }} as word
    from ({{ map_rows("stage_map") }}) as listed
    where listed.stage = 'won' and listed.source_system in (log.instance_name, log.vendor_name, '*')
{% endset %}
{% set raw_deals = live_deals_of_raw(
    "files",
    "opportunity",
    ["source_id", "stage", "amount", "currency", "is_deleted"],
    id="log.source_id",
    stamp="version_at",
    amount="log.amount",
    currency="log.currency",
    is_won=word("log.stage") ~ " in (" ~ won_words ~ ")",
    is_gone="log.is_deleted",
) %}

{{ deals_that_differ("files", raw_deals) }}
