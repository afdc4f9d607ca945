{{ config(enabled=connected("salesforce")) }}

with
    roles as (
        {{
            latest(
                "salesforce",
                "opportunity_contact_role",
                ["opportunity_id", "contact_id", "role", "is_primary"] + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    )

select
    {{
        common_columns(
            "OpportunityContactRole",
            created="created_date",
            flag="is_deleted",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    {{ key_of("Opportunity", "opportunity_id") }} as opportunity_key,
    {{ key_of("Contact", "contact_id") }} as person_key,
    role,
    is_primary
from roles
