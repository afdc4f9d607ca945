{{ config(enabled=connected("marketo")) }} {{ no_rows("email_event") }}
