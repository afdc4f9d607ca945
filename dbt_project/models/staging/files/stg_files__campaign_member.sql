{{ config(enabled=connected("files")) }} {{ no_rows("campaign_member") }}
