{{ config(enabled=connected("marketo")) }} {{ no_rows("product") }}
