-- Attributes of living people that do not depend on as-of: whose record rules, else the next that knows.
{{ config(schema="work") }}

with
    -- Where people came from, in our words.
    channels as ({{ mapped_words(ref("canonical_person"), ["lead_source"], "channels", "source_value", "channel") }}),
    records as (
        select
            records.entity_id as person_id,
            records.precedence,
            records.is_live,
            records.source_system,
            persons.full_name,
            persons.email,
            coalesce(persons.phone, persons.mobile) as phone,
            persons.job_title,
            persons.lead_source,
            case
                when {{ word("persons.lead_source") }} <> '' then coalesce(channels.channel, 'unmapped')
            end as channel,
            persons.score,
            coalesce(persons.is_email_opted_out, false) as is_email_opted_out,
            coalesce(persons.is_call_opted_out, false) as is_call_opted_out,
            persons.owner_key,
            persons.created_at
        from {{ ref("canonical_person") }} as persons
        inner join
            {{ ref("entity_records") }} as records
            on persons.record_key = records.record_key
            and records.entity_type = 'person'
        left join
            channels
            on persons.source_system = channels.source_system
            and {{ word("persons.lead_source") }} = channels.word
        where records.entity_is_live
    ),
    live as (
        select
            person_id,
            {{ survivor("full_name") }} as full_name,
            {{ survivor("email") }} as email,
            {{ survivor("phone") }} as phone,
            {{ survivor("job_title") }} as job_title,
            {{ survivor("lead_source") }} as lead_source,
            coalesce({{ survivor("channel") }}, 'none') as channel,
            {{ survivor("score") }} as lead_score,
            {{ survivor("owner_key") }} as owner_key,
            min(created_at) as created_at,
            {{ sorted_list("source_system") }} as source_systems,
            count(*) as source_record_count
        from records
        where is_live
        group by person_id
    ),
    -- A refusal stands although its record was deleted or merged away.
    refusals as (
        select
            person_id,
            max(case when is_email_opted_out then 1 else 0 end) = 1 as is_email_opted_out,
            max(case when is_call_opted_out then 1 else 0 end) = 1 as is_call_opted_out
        from records
        group by person_id
    )

select
    live.person_id,
    live.full_name,
    live.email,
    live.phone,
    live.job_title,
    live.lead_source,
    live.channel,
    live.lead_score,
    owners.entity_id as owner_id,
    live.created_at,
    refusals.is_email_opted_out,
    refusals.is_call_opted_out,
    live.source_systems,
    live.source_record_count
from live
inner join refusals on live.person_id = refusals.person_id
left join {{ living("user") }} as owners on live.owner_key = owners.record_key
