{{ config(enabled=connected("pipedrive")) }} {{ no_rows("target") }}
