{{ config(enabled=connected("kintone")) }} {{ no_rows("email_event") }}
