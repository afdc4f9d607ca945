-- One row per campaign of any tool: attributes of the record that rules, else of the next that knows. Depends on no
-- as-of.
with
    records as (
        select
            records.entity_id as campaign_id,
            records.precedence,
            records.source_system,
            campaigns.name,
            nullif(campaigns.channel, 'none') as channel,
            campaigns.parent_key,
            campaigns.start_date,
            campaigns.end_date
        from {{ ref("canonical_campaign") }} as campaigns
        inner join
            {{ ref("entity_records") }} as records
            on campaigns.record_key = records.record_key
            and records.entity_type = 'campaign'
        where records.is_live
    ),
    survivors as (
        select
            campaign_id,
            {{ survivor("name") }} as name,
            coalesce({{ survivor("channel") }}, 'none') as channel,
            {{ survivor("parent_key") }} as parent_key,
            {{ survivor("start_date") }} as start_date,
            {{ survivor("end_date") }} as end_date,
            {{ survivor("source_system") }} as source_system
        from records
        group by campaign_id
    )

select
    survivors.campaign_id,
    survivors.name,
    survivors.channel,
    case when parents.entity_id <> survivors.campaign_id then parents.entity_id end as parent_campaign_id,
    survivors.start_date,
    survivors.end_date,
    survivors.source_system
from survivors
left join {{ living("campaign") }} as parents on survivors.parent_key = parents.record_key
