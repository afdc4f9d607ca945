{{ config(enabled=connected("files")) }} {{ no_rows("email_event") }}
