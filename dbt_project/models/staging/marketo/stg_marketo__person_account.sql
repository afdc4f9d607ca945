{{ config(enabled=connected("marketo")) }} {{ no_rows("person_account") }}
