{{ config(enabled=connected("hubspot")) }} {{ no_rows("opportunity_split") }}
