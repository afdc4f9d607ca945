{{ config(enabled=connected("pipedrive")) }} {{ no_rows("lifecycle_event") }}
