{{ config(enabled=connected("kintone")) }} {{ no_rows("campaign_member") }}
