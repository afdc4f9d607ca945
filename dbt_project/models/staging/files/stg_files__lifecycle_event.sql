{{ config(enabled=connected("files")) }}

-- Entries of people into stages: every version of a person's row of stages is an entry. A row without the tool's own
-- field
-- and value has the stage in our words already (the mapping's value map).
with
    touched_people as (
        {{ touched("files", "lifecycle", "person_ref") }}
        union
        {{ touched("files", "person", "id") }}
    ),

    every_version as (
        {{
            files_versions(
                "lifecycle", ["person_ref", "stage", "source_field", "source_value", "entered_at"], restrict=false
            )
        }}
    )

select
    md5(every_version.source_system || '|' || every_version.person_ref) as record_key,
    every_version.source_system,
    every_version.vendor,
    coalesce(every_version.source_field, 'stage') as source_field,
    case
        when every_version.source_field is null then every_version.stage else every_version.source_value
    end as source_value,
    coalesce({{ to_utc_timestamp("every_version.entered_at") }}, every_version.stamp) as entered_at,
    max(every_version.load_seq) as load_seq
from every_version
inner join
    (select distinct source_system, touched_key from touched_people) as people
    on every_version.source_system = people.source_system
    and every_version.person_ref = people.touched_key
group by all
