{{ config(enabled=connected("hubspot")) }}

-- Calls, e-mails, meetings, notes and tasks, and submissions of forms. An engagement may belong to several records: the
-- first of each kind by id is taken. A submission belongs to the contact with its e-mail address.
{% set engagements = {
    "calls": ("0-48", ["hs_call_title", "hs_call_direction", "hs_call_disposition", "hs_call_duration"]),
    "emails": ("0-49", ["hs_email_subject", "hs_email_direction", "hs_email_status"]),
    "meetings": (
        "0-47",
        [
            "hs_activity_type",
            "hs_meeting_title",
            "hs_meeting_start_time",
            "hs_meeting_end_time",
            "hs_meeting_outcome",
        ],
    ),
    "notes": ("0-46", ["hs_note_body"]),
    "tasks": ("0-27", ["hs_task_subject", "hs_task_status", "hs_task_completion_date"]),
} %}
{% set others = ["contacts", "companies", "deals"] %}
{% set touched_submissions %}
    select submissions.source_system, submissions.conversion_id as touched_key
    from ({{ versions('hubspot', 'form_submissions', ['conversion_id', 'email'], keys=['conversion_id'], restrict=false) }}) as submissions
    inner join
        (
            select distinct source_system, lower(email) as email
            from ({{ versions('hubspot', 'contacts', ['email'], flag='archived') }}) as changed_contacts
        ) as changed
        on submissions.source_system = changed.source_system
        and lower(submissions.email) = changed.email
{% endset %}

with
    {% for object, (type_id, own_columns) in engagements.items() %}
        {% set touched_records = [
            touched("hubspot", object, "id"),
            touched_by_lookup("hubspot", "account_info", object),
        ] %}
        {% for other in others %}
            {% do touched_records.append(touched("hubspot", object ~ "_" ~ other, "from_id")) %}
        {% endfor %}
        touched_{{ object }} as ({{ touched_records | join(" union ") }}),

        {{ object }}_records as (
            {{
                latest(
                    "hubspot",
                    object,
                    ["hs_createdate", "hs_timestamp", "hubspot_owner_id"] + own_columns,
                    cursor="hs_lastmodifieddate",
                    flag="archived",
                    also_touched=["select * from touched_" ~ object],
                )
            }}
        ),

        {% for other in others %}
            {{ object }}_{{ other }} as (
                select source_system, from_id, min_by(to_id, coalesce(try_cast(to_id as bigint), 0)) as to_id
                from
                    (
                        {{
                            link_sets(
                                "hubspot",
                                object ~ "_" ~ other,
                                "$.to",
                                also_touched=["select * from touched_" ~ object],
                            )
                        }}
                    ) as sets
                where is_current
                group by source_system, from_id
            ),
        {% endfor %}

        {{ object }}_joined as (
            select
                records.*,
                contacts.to_id as contact_id,
                companies.to_id as company_id,
                deals.to_id as deal_id,
                portals.record_base
            from {{ object }}_records as records
            {% for other in others %}
                left join
                    {{ object }}_{{ other }} as {{ other }}
                    on records.source_system = {{ other }}.source_system
                    and records.id = {{ other }}.from_id
            {% endfor %}
            left join {{ ref("stg_hubspot__portal") }} as portals on records.source_system = portals.source_system
        ),
    {% endfor %}

    submissions as (
        {{
            latest(
                "hubspot",
                "form_submissions",
                ["form_id", "submitted_at", "email", "page_url", "form_values"],
                keys=["conversion_id"],
                cursor="submitted_at",
                also_touched=[
                    touched_submissions,
                    touched_through("hubspot", "form_submissions", "form_id", "forms", key="conversion_id"),
                ],
            )
        }}
    ),

    forms as ({{ latest("hubspot", "forms", ["name"], cursor="updated_at", flag="archived", restrict=false) }}),

    contacts as (
        {{ latest("hubspot", "contacts", ["email"], cursor="lastmodifieddate", flag="archived", restrict=false) }}
    ),

    known_emails as (
        select distinct source_system, id, lower(email) as email
        from ({{ versions("hubspot", "contacts", ["email"], flag="archived", restrict=false) }}) as every_version
        where email is not null
    ),

    -- An address belongs to the contact that has it, else to one that had it.
    contacts_by_email as (
        select known_emails.source_system, known_emails.email, known_emails.id
        from known_emails
        inner join contacts on known_emails.source_system = contacts.source_system and known_emails.id = contacts.id
        qualify
            row_number() over (
                partition by known_emails.source_system, known_emails.email
                order by
                    case when contacts.is_gone or coalesce(contacts.archived, false) then 1 else 0 end,
                    case when known_emails.email = lower(contacts.email) then 0 else 1 end,
                    try_cast(known_emails.id as bigint),
                    known_emails.id
            )
            = 1
    ),

    submissions_joined as (
        select submissions.*, contacts_by_email.id as contact_id, forms.name as form_name
        from submissions
        left join
            contacts_by_email
            on submissions.source_system = contacts_by_email.source_system
            and lower(submissions.email) = contacts_by_email.email
        left join forms on submissions.source_system = forms.source_system and submissions.form_id = forms.id
    ),

    engagements as (
        {% for object, (type_id, own_columns) in engagements.items() %}
            select
                {{
                    common_columns(
                        object,
                        created="hs_createdate",
                        flag="archived",
                        url="record_base || '" ~ type_id ~ "/' || id",
                    )
                }},
                contact_id,
                company_id,
                deal_id,
                hubspot_owner_id,
                {% if object == "calls" %}
                    {{ to_utc_timestamp("hs_timestamp") }} as occurred_at,
                    'call' as touch_type,
                    lower(hs_call_direction) as direction,
                    -- HubSpot's own outcomes have fixed ids; a portal's further ones are ids too.
                    -- https://developers.hubspot.com/docs/api-reference/crm-calls-v3/guide
                    case
                        hs_call_disposition
                        when '9d9162e7-6cf3-4944-bf63-4dff82258764'
                        then 'busy'
                        when 'f240bbac-87c9-4f6e-bf70-924b57d47db7'
                        then 'connected'
                        when 'a4c4c377-d246-4b32-a13b-75a56a4cd0ff'
                        then 'left_message'
                        when 'b2cf5968-551e-4856-9783-52b3da59a7d0'
                        then 'voicemail'
                        when '73a0d17f-1163-4015-bdd5-ec830791da20'
                        then 'no_answer'
                        when '17b47fee-58de-441e-a44c-c6300d46f273'
                        then 'wrong_number'
                        else hs_call_disposition
                    end as outcome,
                    hs_call_title as subject,
                    hs_call_duration / 60000.0 as minutes
                {% elif object == "emails" %}
                    {{ to_utc_timestamp("hs_timestamp") }} as occurred_at,
                    'email' as touch_type,
                    case
                        upper(hs_email_direction) when 'INCOMING_EMAIL' then 'inbound' else 'outbound'
                    end as direction,
                    lower(hs_email_status) as outcome,
                    hs_email_subject as subject,
                    cast(null as double) as minutes
                {% elif object == "meetings" %}
                    coalesce(
                        {{ to_utc_timestamp("hs_meeting_start_time") }}, {{ to_utc_timestamp("hs_timestamp") }}
                    ) as occurred_at,
                    case
                        lower(hs_activity_type) when 'visit' then 'visit' when 'seminar' then 'seminar' else 'meeting'
                    end as touch_type,
                    cast(null as string) as direction,
                    lower(hs_meeting_outcome) as outcome,
                    hs_meeting_title as subject,
                    {{
                        dbt.datediff(
                            to_utc_timestamp("hs_meeting_start_time"),
                            to_utc_timestamp("hs_meeting_end_time"),
                            "second",
                        )
                    }} / 60.0 as minutes
                {% elif object == "notes" %}
                    {{ to_utc_timestamp("hs_timestamp") }} as occurred_at,
                    'note' as touch_type,
                    'internal' as direction,
                    cast(null as string) as outcome,
                    hs_note_body as subject,
                    cast(null as double) as minutes
                {% else %}
                    coalesce(
                        {{ to_utc_timestamp("hs_task_completion_date") }}, {{ to_utc_timestamp("hs_timestamp") }}
                    ) as occurred_at,
                    'task' as touch_type,
                    'internal' as direction,
                    lower(hs_task_status) as outcome,
                    hs_task_subject as subject,
                    cast(null as double) as minutes
                {% endif %}
            from {{ object }}_joined
            union all
        {% endfor %}
        select
            {{ common_columns("forms", source_id="conversion_id", created="submitted_at") }},
            contact_id,
            cast(null as string) as company_id,
            cast(null as string) as deal_id,
            cast(null as string) as hubspot_owner_id,
            {{ to_utc_timestamp("submitted_at") }} as occurred_at,
            'form' as touch_type,
            'inbound' as direction,
            'submitted' as outcome,
            form_name as subject,
            cast(null as double) as minutes
        from submissions_joined
    )

select
    record_key,
    source_system,
    vendor,
    source_object,
    source_id,
    created_at,
    updated_at,
    is_deleted,
    deleted_at,
    merged_into_key,
    record_url,
    extra_columns,
    load_id,
    load_seq,
    {{ key_of("contacts", "contact_id") }} as person_key,
    {{ key_of("companies", "company_id") }} as account_key,
    {{ key_of("deals", "deal_id") }} as opportunity_key,
    {{ key_of("owners", "hubspot_owner_id") }} as owner_key,
    occurred_at,
    touch_type,
    touch_type as source_channel,
    direction,
    outcome,
    subject,
    minutes,
    cast(null as string) as campaign_key
from engagements
