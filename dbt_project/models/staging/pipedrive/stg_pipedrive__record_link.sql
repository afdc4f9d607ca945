{{ config(enabled=connected("pipedrive")) }} {{ no_rows("record_link") }}
