{{ config(enabled=connected("kintone")) }} {{ no_rows("target") }}
