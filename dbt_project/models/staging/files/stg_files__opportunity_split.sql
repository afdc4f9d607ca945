{{ config(enabled=connected("files")) }} {{ no_rows("opportunity_split") }}
