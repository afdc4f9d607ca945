{{ config(enabled=connected("marketo")) }}

{% set columns = [
    "created_at",
    "email",
    "first_name",
    "last_name",
    "first_name_kana",
    "last_name_kana",
    "phone",
    "mobile_phone",
    "title",
    "department",
    "company",
    "external_company_id",
    "sfdc_account_id",
    "sfdc_lead_owner_id",
    "lead_source",
    "lead_score",
    "unsubscribed",
    "do_not_call",
] %}
{% set merged_now %}
    select source_system, loser_id as touched_key
    from {{ ref("stg_marketo__merge") }}
    where load_seq > {{ since_seq() }}
{% endset %}

with
    leads as ({{ latest("marketo", "leads", columns, cursor="updated_at", also_touched=[merged_now]) }}),

    crm_instances as ({{ mirrored_instances("person", "marketo") }}),

    merged_leads as (
        select
            leads.*,
            merges.winner_id,
            merges.merged_at,
            {{ record_key("crm_instances.mirrors_source_system", "'User'", "leads.sfdc_lead_owner_id") }} as owner_key
        from leads
        left join
            {{ ref("stg_marketo__merge") }} as merges
            on leads.source_system = merges.source_system
            and leads.id = merges.loser_id
        left join crm_instances on leads.source_system = crm_instances.source_system
    ),

    gone_leads as (
        select source_system, loser_id, winner_id, load_seq
        from {{ ref("stg_marketo__merge") }}
        union all
        select source_system, lead_id as loser_id, cast(null as string) as winner_id, max(load_seq) as load_seq
        from
            (
                {{ versions("marketo", "deleted_leads", ["lead_id"], keys=["marketo_guid"], restrict=false) }}
            ) as deletions
        group by source_system, lead_id
    ),

    -- Merged away or deleted before the first load: the API gives nothing of them but their ids.
    never_seen as (
        select
            gone_leads.source_system,
            gone_leads.loser_id,
            max(gone_leads.winner_id) as winner_id,
            max(gone_leads.load_seq) as load_seq
        from gone_leads
        left join
            ({{ versions("marketo", "leads", [], restrict=false) }}) as every_version
            on gone_leads.source_system = every_version.source_system
            and gone_leads.loser_id = every_version.id
        where every_version.id is null
        group by gone_leads.source_system, gone_leads.loser_id
    )

select
    {{
        common_columns(
            "leads",
            created="created_at",
            merged_into="winner_id",
            url=instance_url("marketo") ~ " || '/leadDatabase/loadLeadDetail?leadId=' || id",
        )
    }},
    nullif(concat_ws(' ', first_name, last_name), '') as full_name,
    last_name as family_name,
    first_name as given_name,
    last_name_kana as family_kana,
    first_name_kana as given_kana,
    email,
    phone,
    mobile_phone as mobile,
    title as job_title,
    department,
    company as company_name,
    {{ key_of("companies", "coalesce(nullif(sfdc_account_id, ''), nullif(external_company_id, ''))") }} as account_key,
    lead_source,
    lead_score as score,
    unsubscribed as is_email_opted_out,
    do_not_call as is_call_opted_out,
    cast(null as string) as converted_to_key,
    cast(null as timestamp) as converted_at,
    owner_key
from merged_leads
union all
{{ merged_stub("person", "leads", "marketo", "never_seen") }}
