{{ config(enabled=connected("hubspot")) }} {{ no_rows("campaign") }}
