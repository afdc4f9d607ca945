{{ config(enabled=connected("hubspot")) }} {{ no_rows("email_event") }}
