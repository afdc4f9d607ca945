{{ config(enabled=connected("marketo")) }}

-- Members of programs; success in a program is their response.
with
    members as (
        {{
            latest(
                "marketo",
                "program_members",
                ["status_name", "membership_date", "reached_success_date"],
                keys=["program_id", "lead_id"],
                cursor="updated_at",
            )
        }}
    )

select
    {{ common_columns("program_members", source_id="program_id || ':' || lead_id", created="membership_date") }},
    {{ key_of("programs", "program_id") }} as campaign_key,
    {{ key_of("leads", "lead_id") }} as person_key,
    status_name as status,
    {{ to_utc_timestamp("reached_success_date") }} as responded_at
from members
