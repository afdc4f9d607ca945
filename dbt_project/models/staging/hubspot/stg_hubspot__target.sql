{{ config(enabled=connected("hubspot")) }} {{ no_rows("target") }}
