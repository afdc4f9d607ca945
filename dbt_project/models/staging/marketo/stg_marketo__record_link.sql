{{ config(enabled=connected("marketo")) }} {{ no_rows("record_link") }}
