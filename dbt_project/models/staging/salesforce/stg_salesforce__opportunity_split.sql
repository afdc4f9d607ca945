{{ config(enabled=connected("salesforce")) }}

with
    splits as (
        {{
            latest(
                "salesforce",
                "opportunity_split",
                ["opportunity_id", "split_owner_id", "split_percentage"] + ["created_date"],
                cursor="system_modstamp",
                flag="is_deleted",
            )
        }}
    )

select
    {{
        common_columns(
            "OpportunitySplit",
            created="created_date",
            flag="is_deleted",
            url=instance_url("salesforce") ~ " || '/' || id",
        )
    }},
    {{ key_of("Opportunity", "opportunity_id") }} as opportunity_key,
    {{ key_of("User", "split_owner_id") }} as user_key,
    split_percentage / 100.0 as share
from splits
