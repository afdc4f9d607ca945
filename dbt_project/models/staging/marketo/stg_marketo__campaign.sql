{{ config(enabled=connected("marketo")) }}

-- Programs. Their period costs are what they cost; Marketo has no budgets.
with
    programs as (
        {{
            latest(
                "marketo",
                "programs",
                ["name", "type", "channel", "status", "start_date", "end_date", "costs", "created_at"],
                cursor="updated_at",
            )
        }}
    ),

    cost_lists as (select source_system, id, cast(costs as string) as costs from programs),

    cost_entries as ({{ explode_json_list("cost_lists", "costs", ["source_system", "id"]) }}),

    costs as (
        select source_system, id, sum(cast({{ json_text("item", "$.cost") }} as decimal(18, 4))) as actual_cost
        from cost_entries
        group by source_system, id
    ),

    costed as (
        select programs.*, costs.actual_cost
        from programs
        left join costs on programs.source_system = costs.source_system and programs.id = costs.id
    )

select
    {{ common_columns("programs", created="created_at", url=instance_url("marketo") ~ " || '/#PG' || id || 'A1'") }},
    name,
    cast(null as string) as parent_key,
    channel as source_channel,
    type as campaign_type,
    nullif(status, '') as status,
    cast({{ to_utc_timestamp("start_date") }} as date) as start_date,
    cast({{ to_utc_timestamp("end_date") }} as date) as end_date,
    cast(null as decimal(18, 4)) as budget,
    actual_cost,
    '{{ var("default_currency") }}' as currency
from costed
