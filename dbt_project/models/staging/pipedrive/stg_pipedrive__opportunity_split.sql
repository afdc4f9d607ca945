{{ config(enabled=connected("pipedrive")) }} {{ no_rows("opportunity_split") }}
