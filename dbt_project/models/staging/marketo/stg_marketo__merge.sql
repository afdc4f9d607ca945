{{ config(enabled=connected("marketo")) }}

-- Leads that were merged away, by the Merge Leads activities (type 32): the activity stands in the log of the lead that
-- stays, `Merge IDs` are those that went. A chain is followed by canonical.
-- https://experienceleague.adobe.com/en/docs/experience-platform/sources/connectors/adobe-applications/mapping/marketo
with
    merge_activities as (
        select
            source_system,
            marketo_guid,
            lead_id as winner_id,
            stamp,
            load_seq,
            {{ regexp_replace_all(json_key("cast(attributes as string)", "Merge IDs"), "[^0-9,]", "") }} as loser_ids
        from
            (
                {{
                    versions(
                        "marketo",
                        "activities",
                        ["lead_id", "activity_type_id", "attributes"],
                        keys=["marketo_guid"],
                        cursor="activity_date",
                        restrict=false,
                    )
                }}
            ) as every_version
        where activity_type_id = 32
        qualify row_number() over (partition by source_system, marketo_guid order by load_seq desc, _seq desc) = 1
    ),

    losers as (
        {{ explode_text("merge_activities", "loser_ids", ",", ["source_system", "winner_id", "stamp", "load_seq"]) }}
    )

select
    source_system,
    item as loser_id,
    max_by(winner_id, stamp) as winner_id,
    max(stamp) as merged_at,
    max(load_seq) as load_seq
from losers
where item <> winner_id
group by source_system, item
