{{ config(enabled=connected("marketo")) }} {{ no_rows("opportunity_split") }}
