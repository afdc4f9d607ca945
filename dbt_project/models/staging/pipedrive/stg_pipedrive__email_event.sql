{{ config(enabled=connected("pipedrive")) }} {{ no_rows("email_event") }}
