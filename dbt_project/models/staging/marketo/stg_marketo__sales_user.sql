{{ config(enabled=connected("marketo")) }} {{ no_rows("sales_user") }}
