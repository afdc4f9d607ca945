{{ config(enabled=connected("account_engagement")) }} {{ no_rows("product") }}
