{{ config(enabled=connected("account_engagement")) }} {{ no_rows("sales_user") }}
