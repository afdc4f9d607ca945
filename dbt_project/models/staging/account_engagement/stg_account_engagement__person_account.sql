{{ config(enabled=connected("account_engagement")) }} {{ no_rows("person_account") }}
