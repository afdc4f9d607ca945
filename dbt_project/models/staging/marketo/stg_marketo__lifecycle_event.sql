{{ config(enabled=connected("marketo")) }} {{ no_rows("lifecycle_event") }}
