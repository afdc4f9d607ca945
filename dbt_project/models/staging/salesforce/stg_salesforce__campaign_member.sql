{{ config(enabled=connected("salesforce")) }}

-- A member that was a lead when it joined keeps LeadId and gets ContactId when the lead is converted: it counts once.
{% set columns = ["campaign_id", "lead_id", "contact_id", "status", "first_responded_date"] %}

with
    members as (
        {{
            latest(
                "salesforce",
                "campaign_member",
                columns + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    )

select
    {{
        common_columns(
            "CampaignMember",
            created="created_date",
            flag="is_deleted",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    {{ key_of("Campaign", "campaign_id") }} as campaign_key,
    coalesce({{ key_of("Contact", "contact_id") }}, {{ key_of("Lead", "lead_id") }}) as person_key,
    status,
    {{ start_of_local_day("first_responded_date") }} as responded_at
from members
