{{ config(enabled=connected("salesforce")) }} {{ no_rows("email_event") }}
