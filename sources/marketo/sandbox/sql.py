"""The SQL that turns the demo company's rows into Marketo's leads, activities, members, programs and lists.

Text builders only; nothing is executed here. All rows are as of the company's clock (`visible`, `current`). A merge combines
the activity logs and memberships of its leads, so what a merged lead did stands in the log of the one that stays:
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads#merge
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sources.marketo.sandbox import words

Build = Callable[[str, Callable[[str], str]], str]


def literal(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def versions(instance: str, _table: Callable[[str], str]) -> str:
    """Versions of leads with content, with the ids of their Salesforce records: a lead's id stays when a contact's comes."""
    window = '(partition by source_id order by "at" rows between unbounded preceding and current row)'
    return f"""
        select *, source_id::bigint as id,
            last_value(case when crm_source_id like '00Q%' then crm_source_id end ignore nulls) over {window} as sfdc_lead_id,
            last_value(case when crm_source_id like '003%' then crm_source_id end ignore nulls) over {window} as sfdc_contact_id,
            row_number() over (partition by source_id order by "at") as number
        from visible.person_versions where instance = {literal(instance)} and object = 'leads' and not is_deleted
        """


def merges(instance: str, _table: Callable[[str], str]) -> str:
    """(loser, into_id, winner, at): every merge, and the lead that stands at the end of the chain."""
    return f"""
        with recursive direct as (
            select source_id::bigint as loser, merged_into_source_id::bigint as into_id, "at" from current.people
            where instance = {literal(instance)} and object = 'leads' and merged_into_source_id is not null
        ), chain as (
            select loser, into_id, into_id as winner, "at" from direct union all
            select c.loser, c.into_id, d.into_id, c."at" from chain c join direct d on d.loser = c.winner
        )
        select c.* from chain c anti join direct d on d.loser = c.winner
        """


def leads(instance: str, table: Callable[[str], str]) -> str:
    """Living leads: one column per field under its REST name."""
    columns = ", ".join(f'{field.sql} as "{field.name}"' for field in (*words.SYSTEM_FIELDS, *words.FIELDS))
    return f"""
        with newest as (
            select * exclude (created_at) replace (date_trunc('second', "at") as "at"), date_trunc('second', created_at) as created_at
            from {table("versions")} qualify row_number() over (partition by id order by number desc) = 1
        ),
        living as (
            select source_id::bigint as id from current.people
            where instance = {literal(instance)} and object = 'leads' and not is_deleted
        ),
        gained as (select winner, max("at") as gained_at from {table("merges")} group by winner),
        r as (
            select newest.*, date_trunc('second', greatest(newest."at", coalesce(gained_at, newest."at"))) as updated_at
            from newest join living using (id) left join gained on gained.winner = newest.id
        )
        select {columns} from r order by id
        """


def deleted(instance: str, table: Callable[[str], str]) -> str:
    """Deleted leads that were not merged: (guid, at, lead, name)."""
    return f"""
        select 'd' || source_id as guid, date_trunc('second', "at") as "at", source_id::bigint as lead,
            coalesce(names.given_name || ' ', '') || coalesce(names.family_name, '') as name
        from current.people gone
        left join (
            select source_id, given_name, family_name from {table("versions")}
            qualify row_number() over (partition by id order by number desc) = 1
        ) names using (source_id)
        where gone.instance = {literal(instance)} and gone.object = 'leads' and gone.is_deleted
            and gone.merged_into_source_id is null
        order by "at", guid
        """


def programs(instance: str, _table: Callable[[str], str]) -> str:
    """(id, name, type, channel, status, start_date, end_date, sfdc_id, created_at, updated_at)."""
    return f"""
        select source_id::bigint as id, name, {_decode("campaign_type", words.PROGRAM_TYPES, "'Default'")} as type,
            {_decode("campaign_type", words.CHANNELS, "campaign_type")} as channel, start_date, end_date,
            crm_source_id as sfdc_id, date_trunc('second', created_at) as created_at, date_trunc('second', "at") as updated_at
        from current.campaigns where instance = {literal(instance)} and object = 'programs' and not is_deleted order by id
        """


def members(instance: str, table: Callable[[str], str]) -> str:
    """(programId, leadId, …) under the REST names, one row a living lead and program."""
    return f"""
        with every as (
            select campaign_source_id::bigint as program, coalesce(m.winner, person_source_id::bigint) as lead, v.status,
                v.responded_at, v."at", v.created_at
            from current.campaign_members v left join {table("merges")} m on m.loser = v.person_source_id::bigint
            where v.instance = {literal(instance)} and v.object = 'program_members' and not v.is_deleted
        ),
        one as (
            select * from every qualify row_number() over (partition by program, lead order by responded_at nulls last, "at" desc) = 1
        )
        select one.program as "programId", one.lead as "leadId", p.name as program, one.status as "statusName",
            date_trunc('second', one.created_at) as "membershipDate", one.responded_at is not null as "reachedSuccess",
            date_trunc('second', one.responded_at) as "reachedSuccessDate", false as "acquiredBy", false as "isExhausted",
            null::varchar as "nurtureCadence", null::varchar as "statusReason", null::varchar as "trackName",
            date_trunc('second', one.created_at) as "createdAt", date_trunc('second', one."at") as "updatedAt"
        from one join {table("programs")} p on p.id = one.program join {table("leads")} l on l.id = one.lead
        order by 1, 2
        """


def list_moves(_instance: str, table: Callable[[str], str]) -> str:
    """(list, lead, at, added): put on a list when created, taken off it with the opt-out."""
    parts = [
        f"""
        select {number} as list, id as lead, created_at as "at", true as added from {table("versions")}
        where number = 1 and lead_source = {literal(source)}
        union all
        select {number}, id, min("at"), false from {table("versions")}
        where is_email_opted_out and number > 1 group by id having any_value(lead_source) = {literal(source)}
        """
        for number, _, source in words.LISTS
    ]
    return " union all ".join(parts)


def activities(instance: str, table: Callable[[str], str]) -> str:
    """All activities of living leads: (at, guid, lead, type, value_id, value, campaign, attributes as JSON)."""
    parts = " union all by name ".join(
        (
            _touches(instance, table),
            _new_leads(table),
            _data_values(table),
            _scores(table),
            _statuses(instance, table),
            _list_changes(table),
            _merge_notes(table),
        )
    )
    return f"""
        with every as ({parts})
        select date_trunc('second', e."at") as "at", e.guid, coalesce(m.winner, e.lead) as lead, e.type, e.value_id, e.value,
            e.campaign, e.attributes
        from every e left join {table("merges")} m on m.loser = e.lead
        join {table("leads")} l on l.id = coalesce(m.winner, e.lead)
        order by 1, 2
        """


def _decode(expression: str, mapping: Mapping[str, str], other: str) -> str:
    arms = " ".join(f"when {literal(key)} then {literal(value)}" for key, value in mapping.items())
    return f"case {expression} {arms} else {other} end"


_EMAIL: Final = (
    "'Campaign Run ID', 1000 + (hash(a.subject, date_trunc('day', a.occurred_at)) % 100000)::bigint, 'Choice Number', 0,"
    " 'Step ID', 1, 'Test Variant', 0"
)
_DEVICE: Final = "'Device', 'unknown', 'Is Mobile Device', false, 'Is Bot Activity', false"
_BROWSER: Final = "'Client IP Address', '203.0.113.' || (hash(a.source_id) % 250)::varchar, 'User Agent', 'Mozilla/5.0'"


def _touches(instance: str, table: Callable[[str], str]) -> str:
    asset = "case when p.name is null then {0} else p.name || '.' || {0} end"
    number = "(hash({0}) % 9000)::bigint + 1000"
    return f"""
        select a.occurred_at as "at", a.source_id as guid, a.person_source_id::bigint as lead,
            {_decode("a.kind", {k: str(v) for k, v in words.KINDS.items()}, "'0'")}::bigint as type,
            case a.kind when 'form' then {number.format("a.form_name")} else {number.format("a.subject")} end as value_id,
            case a.kind when 'form' then {asset.format("a.form_name")} when 'web_visit' then a.subject
                when 'seminar' then a.subject else {asset.format("a.subject")} end as value,
            case when a.kind in ('email', 'email_open', 'email_click') then 5000 + (hash(a.subject) % 900)::bigint end as campaign,
            case a.kind
                when 'web_visit' then json_object({_BROWSER}, 'Webpage URL', {literal(words.SITE)} || a.subject)
                when 'form' then json_object({_BROWSER}, 'Form Fields', json_object('purpose', a.subject)::varchar, 'Webpage ID', 7)
                when 'email' then json_object({_EMAIL})
                when 'email_open' then json_object({_EMAIL}, {_DEVICE})
                when 'email_click' then json_object({_EMAIL}, {_DEVICE}, 'Link', {literal(words.SITE)})
                else json_object('Program', coalesce(p.name, '')) end::varchar as attributes
        from current.activities a left join {table("programs")} p on p.id = a.campaign_source_id::bigint
        where a.instance = {literal(instance)} and a.object = 'activities' and not a.is_deleted
        """


def _new_leads(table: Callable[[str], str]) -> str:
    return f"""
        select created_at as "at", 'n' || source_id as guid, id as lead, 12 as type, id as value_id,
            coalesce(given_name || ' ', '') || coalesce(family_name, '') as value, null::bigint as campaign,
            json_object('Lead Source', lead_source, 'Source Type', 'Web form fillout', 'Created Date',
                strftime(created_at, '%Y-%m-%d'))::varchar as attributes
        from {table("versions")} where number = 1
        """


def _data_values(table: Callable[[str], str]) -> str:
    """One activity per changed field of a version."""
    return " union all ".join(
        f"""
        select "at", 'c' || source_id || '-' || number || '-' || {field.id} as guid, id as lead, 13 as type, {field.id} as value_id,
            {literal(field.label)} as value, null::bigint as campaign,
            json_object('New Value', new_value, 'Old Value', old_value, 'Reason', 'Changed by Smart Campaign', 'Source',
                'Change Data Value')::varchar as attributes
        from (
            select r.*, ({field.sql})::varchar as new_value,
                lag(({field.sql})::varchar) over (partition by id order by number) as old_value
            from {table("versions")} r
        ) where number > 1 and new_value is distinct from old_value
        """
        for field in words.LOGGED
    )


def _scores(table: Callable[[str], str]) -> str:
    return f"""
        select "at", 's' || source_id || '-' || number as guid, id as lead, 22 as type, 62 as value_id, 'Lead Score' as value,
            null::bigint as campaign,
            json_object('New Value', new_value, 'Old Value', old_value, 'Change Value',
                printf('%+d', new_value - old_value), 'Reason', 'Scoring')::varchar as attributes
        from (
            select *, score::bigint as new_value, lag(score::bigint) over (partition by id order by number) as old_value
            from {table("versions")}
        ) where number > 1 and new_value is distinct from old_value
        """


def _statuses(instance: str, table: Callable[[str], str]) -> str:
    return f"""
        select "at", 'p' || replace(source_id, ':', '-') || '-' || number as guid, person_source_id::bigint as lead, 104 as type,
            campaign_source_id::bigint as value_id, p.name as value, null::bigint as campaign,
            json_object('Acquired By', false, 'New Status', status, 'New Status ID', (hash(status) % 90)::bigint,
                'Old Status', coalesce(old_status, 'Not in Program'), 'Old Status ID',
                (hash(coalesce(old_status, '')) % 90)::bigint, 'Program Member ID', (hash(source_id) % 9000000)::bigint,
                'Reason', 'Filled out form', 'Success', responded_at is not null)::varchar as attributes
        from (
            select *, lag(status) over (partition by source_id order by "at") as old_status,
                row_number() over (partition by source_id order by "at") as number
            from visible.campaign_member_versions
            where instance = {literal(instance)} and object = 'program_members' and not is_deleted
        ) join {table("programs")} p on p.id = campaign_source_id::bigint
        where status is distinct from old_status
        """


def _list_changes(table: Callable[[str], str]) -> str:
    name = "case list " + " ".join(f"when {n} then {literal(label)}" for n, label, _ in words.LISTS) + " end"
    return f"""
        select "at", 'l' || list || '-' || lead || '-' || case when added then 'a' else 'r' end as guid, lead,
            case when added then 24 else 25 end as type, list as value_id, {name} as value, null::bigint as campaign,
            json_object('Source', 'Smart Campaign')::varchar as attributes
        from {table("list_moves")}
        """


def _merge_notes(table: Callable[[str], str]) -> str:
    return f"""
        select "at", 'm' || loser as guid, into_id as lead, 32 as type, into_id as value_id, null::varchar as value,
            null::bigint as campaign,
            json_object('Master Updated', false, 'Merge IDs', '[' || loser || ']', 'Merge Source', 'Marketo UI',
                'Merged in Sales', false)::varchar as attributes
        from {table("merges")}
        """


TABLES: Final[Mapping[str, Build]] = {
    "versions": versions,
    "merges": merges,
    "leads": leads,
    "deleted": deleted,
    "programs": programs,
    "members": members,
    "list_moves": list_moves,
    "activities": activities,
}
