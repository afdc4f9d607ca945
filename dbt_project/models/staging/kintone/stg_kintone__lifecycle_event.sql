{{ config(enabled=connected("kintone")) }} {{ no_rows("lifecycle_event") }}
