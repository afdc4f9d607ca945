{{ config(enabled=connected("salesforce")) }} {{ no_rows("target") }}
