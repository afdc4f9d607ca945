{{ config(enabled=connected("marketo")) }} {{ no_rows("campaign") }}
