{{ config(enabled=connected("kintone")) }} {{ no_rows("opportunity_split") }}
