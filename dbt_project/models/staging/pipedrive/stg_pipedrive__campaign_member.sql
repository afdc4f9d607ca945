{{ config(enabled=connected("pipedrive")) }} {{ no_rows("campaign_member") }}
