"""What a business unit over the demo company's Salesforce org holds, as SQL: one select an object, its columns named as fields.

The company runs no Account Engagement: it is made from what the org and the tools synchronised with it know. Prospects are its
leads and contacts with an e-mail (a converted lead and its contact are one), with the CRM ids as links. Numeric ids are ranks
over the company's whole life, so that a day that passes changes none. Instants are naive UTC in whole seconds. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Build = Callable[[str, Callable[[str], str]], str]
"""(CRM instance, name of another table of this file) -> select."""

STAGES: Final[tuple[tuple[str, str], ...]] = (
    ("lead", "Prospect"),
    ("engaged", "Engaged"),
    ("mql", "Marketing Qualified Lead"),
    ("sql", "Sales Qualified Lead"),
    ("customer", "Won"),
    ("disqualified", "Disqualified"),
)
LIFECYCLE_BEGAN: Final = "timestamp '2023-10-01 00:00:00'"
MAILS: Final = "'email', 'email_open', 'email_click'"


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _stage(expression: str) -> str:
    arms = " ".join(f"when {literal(stage)} then {number}" for number, (stage, _) in enumerate(STAGES, 101))
    return f"case {expression} {arms} end"


def lifecycle_stages(_crm: str, _table: Callable[[str], str]) -> str:
    rows = ", ".join(f"({n}, {literal(name)}, {n - 100})" for n, (_, name) in enumerate(STAGES, 101))
    return f"""
        select id, name, position, false as "isLocked", false as "isDeleted", {LIFECYCLE_BEGAN} as "createdAt",
            {LIFECYCLE_BEGAN} as "updatedAt"
        from (values {rows}) stages (id, name, position)
        """


def roots(crm: str, _table: Callable[[str], str]) -> str:
    """(source_id, root, id): of each lead and contact the record its prospect began as, and the prospect's id."""
    return f"""
        with people as (
            select source_id, min(created_at) as born from company.person_versions
            where instance = {literal(crm)} and object in ('Lead', 'Contact') group by source_id
        ),
        conversions as (
            select converted_contact_source_id as contact, min(source_id) as lead from company.person_versions
            where instance = {literal(crm)} and converted_contact_source_id is not null group by 1
        ),
        rooted as (
            select p.source_id, coalesce(c.lead, p.source_id) as root, p.born from people p
            left join conversions c on c.contact = p.source_id
        ),
        ranked as (select root, row_number() over (order by min(born), root) as place from rooted group by root)
        select source_id, root, 5000000 + place as id from rooted join ranked using (root)
        """


def _ranks(crm: str, table: str, kept_in: str, start: int) -> str:
    return f"""
        select source_id, {start} + row_number() over (order by min(created_at), source_id) as id from company.{table}
        where instance = {literal(crm)} and object = {literal(kept_in)} group by source_id
        """


def account_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "account_versions", "Account", 3_000_000)


def campaign_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "campaign_versions", "Campaign", 10_000)


def opportunity_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "deal_versions", "Opportunity", 900_000)


def campaigns(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, c.name, c.source_id as "salesforceId", p.id as "parentCampaignId", null::bigint as "folderId",
            c.actual_cost::double as cost, c.is_deleted as "isDeleted", date_trunc('second', c.created_at) as "createdAt",
            date_trunc('second', c."at") as "updatedAt"
        from current.campaigns c join {table("campaign_ids")} i using (source_id)
        left join {table("campaign_ids")} p on p.source_id = c.parent_source_id
        where c.instance = {literal(crm)} and c.object = 'Campaign'
        """


def prospect_accounts(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, a.name, a.source_id as "salesforceId", a.phone, a.website, a.industry,
            a.employee_count::varchar as employees, a.account_type as type, a.street as "billingAddressOne",
            null::varchar as "billingAddressTwo", a.city as "billingCity", a.region as "billingState",
            a.postal_code as "billingZip", a.country as "billingCountry", null::bigint as "assignedToId",
            a.is_deleted as "isDeleted", date_trunc('second', a.created_at) as "createdAt",
            date_trunc('second', a."at") as "updatedAt"
        from current.accounts a join {table("account_ids")} i using (source_id)
        where a.instance = {literal(crm)} and a.object = 'Account'
        """


def first_campaigns(crm: str, table: Callable[[str], str]) -> str:
    """(id, campaign, at): the campaign by which a prospect came."""
    return f"""
        select r.id, min_by(c.id, (m.created_at, c.id)) as campaign, min(m.created_at) as "at"
        from visible.campaign_member_versions m join {table("roots")} r on r.source_id = m.person_source_id
        join {table("campaign_ids")} c on c.source_id = m.campaign_source_id
        where m.instance = {literal(crm)} group by r.id
        """


def prospects(crm: str, table: Callable[[str], str]) -> str:
    one = "coalesce(c.{0}, l.{0})"
    return f"""
        with people as (
            select p.*, r.root, r.id from current.people p join {table("roots")} r using (source_id)
            where p.instance = {literal(crm)}
        ),
        began as (select * from people where source_id = root),
        contacts as (select * from people where object = 'Contact' qualify row_number() over (partition by root order by source_id) = 1)
        select l.id, {one.format("email")} as email, {one.format("given_name")} as "firstName",
            {one.format("family_name")} as "lastName", {one.format("job_title")} as "jobTitle",
            {one.format("department")} as department, {one.format("company_name")} as company, {one.format("phone")} as phone,
            a.id as "prospectAccountId", f.campaign as "campaignId", {_stage("l.stage")} as "lifecycleStageId",
            l.lead_source as source, coalesce(c.score, l.score)::bigint as score,
            {one.format("source_id")} as "salesforceId", c.source_id as "salesforceContactId",
            case l.object when 'Lead' then l.source_id end as "salesforceLeadId", c.account_source_id as "salesforceAccountId",
            {one.format("owner_source_id")} as "salesforceOwnerId",
            coalesce({one.format("is_email_opted_out")}, false) as "optedOut",
            coalesce({one.format("is_email_opted_out")}, false) as "isDoNotEmail",
            coalesce({one.format("is_call_opted_out")}, false) as "isDoNotCall", false as "isReviewed", false as "isStarred",
            case l.object when 'Lead' then c.created_at end as "convertedAt",
            {one.format("is_deleted")} as "isDeleted", date_trunc('second', l.created_at) as "createdAt",
            date_trunc('second', greatest(l."at", c."at", f."at")) as "updatedAt", 'JP' as "region__c"
        from began l left join contacts c on c.root = l.root
        left join {table("account_ids")} a on a.source_id = coalesce(c.account_source_id, l.account_source_id)
        left join {table("first_campaigns")} f on f.id = l.id
        where {one.format("email")} is not null
        """


def lifecycle_histories(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        with moves as (
            select r.id as prospect, v."at", v.stage, v.created_at,
                lag(v.stage) over (partition by v.source_id order by v."at") as previous,
                lag(v."at") over (partition by v.source_id order by v."at") as since
            from company.person_versions v join {table("roots")} r using (source_id)
            where v.instance = {literal(crm)} and v.object = 'Lead'
        ),
        changed as (
            select *, 7000000 + row_number() over (order by "at", prospect) as id,
                lag("at") over (partition by prospect order by "at") as entered
            from moves where stage is distinct from previous
        )
        select h.id, prospect as "prospectId", {_stage("previous")} as "previousStageId", {_stage("stage")} as "nextStageId",
            epoch("at" - coalesce(entered, h.created_at))::bigint as "secondsElapsed", date_trunc('second', "at") as "createdAt"
        from changed h join {table("prospects")} p on p.id = h.prospect where "at" <= (select now from company.clock)
        """


def copies(crm: str, table: Callable[[str], str]) -> str:
    """(instance, source_id, prospect, linked_at): records of other tools that are synchronised with a lead or contact."""
    return f"""
        select v.instance, v.source_id, min_by(r.id, v."at") as prospect, min(v."at") as linked_at
        from visible.person_versions v join {table("roots")} r on r.source_id = v.crm_source_id
        where v.instance <> {literal(crm)} group by 1, 2
        """


def touches(_crm: str, table: Callable[[str], str]) -> str:
    """(id, prospect, kind, subject, form, campaign, occurred, changed): what prospects did since another tool knows them."""
    return f"""
        with ids as (
            select instance, source_id, 40000000 + row_number() over (order by min(occurred_at), instance, source_id) as id
            from company.activity_versions where kind in ({MAILS}, 'form', 'web_visit') group by instance, source_id
        )
        select ids.id, c.prospect, a.kind, a.subject, a.form_name as form, g.id as campaign,
            date_trunc('second', a.occurred_at) as occurred, date_trunc('second', a."at") as changed
        from current.activities a join ids using (instance, source_id)
        join {table("copies")} c on c.instance = a.instance and c.source_id = a.person_source_id
        join {table("prospects")} p on p.id = c.prospect
        left join current.campaigns k on k.instance = a.instance and k.source_id = a.campaign_source_id
        left join {table("campaign_ids")} g on g.source_id = k.crm_source_id
        where not a.is_deleted and a.occurred_at >= c.linked_at and (a.kind in ('form', 'web_visit') or (a.kind in ({MAILS}) and a.campaign_source_id is not null))
        """


def _names(column: str, kinds: str, start: int) -> str:
    return f"""
        select {column} as name, {start} + row_number() over (order by min(occurred_at), {column}) as id,
            min(occurred_at) as born
        from company.activity_versions where kind in ({kinds}) and {column} is not null group by 1
        """


def form_ids(_crm: str, _table: Callable[[str], str]) -> str:
    return _names("form_name", "'form'", 2_000)


def mail_ids(_crm: str, _table: Callable[[str], str]) -> str:
    return _names("subject", MAILS, 30_000)


def forms(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, i.name, null::bigint as "campaignId", null::bigint as "folderId", null::varchar as "salesforceId",
            false as "isDeleted", min(t.occurred) as "createdAt", min(t.occurred) as "updatedAt"
        from {table("touches")} t join {table("form_ids")} i on i.name = t.form where t.kind = 'form' group by i.id, i.name
        """


def emails(_crm: str, table: Callable[[str], str]) -> str:
    """One a prospect and a subject: what was opened had been sent."""
    return f"""
        select min(t.id) + 20000000 as id, t.subject as name, t.subject, 'html' as type, 'Web' as "clientType",
            min_by(t.campaign, t.id) as "campaignId", t.prospect as "prospectId", m.id as "listEmailId",
            false as "isOperational", min(t.occurred) as "sentAt"
        from {table("touches")} t join {table("mail_ids")} m on m.name = t.subject
        where t.kind in ({MAILS}) group by t.subject, t.prospect, m.id
        """


def list_emails(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select "listEmailId" as id, name, name as subject, min("campaignId") as "campaignId", 'Web' as "clientType",
            false as "isPaused", true as "isSent", false as "isOperational", min("sentAt") as "sentAt", false as "isDeleted",
            min("sentAt") as "createdAt", min("sentAt") as "updatedAt"
        from {table("emails")} group by 1, 2
        """


def visitors(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select prospect + 3000000 as id, prospect as "prospectId", '203.0.113.' || (prospect % 250)::varchar as "ipAddress",
            'host-' || prospect || '.example' as hostname, count(*) as "pageViewCount", true as "isIdentified",
            false as "doNotSell", min(occurred) as "createdAt", max(changed) as "updatedAt"
        from {table("touches")} where kind in ('form', 'web_visit') group by prospect
        """


def visitor_activities(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select t.id, t.prospect as "prospectId",
            case when t.kind in ('form', 'web_visit') then t.prospect + 3000000 end as "visitorId",
            case t.kind when 'email' then 6 when 'email_open' then 11 when 'email_click' then 1 when 'form' then 4 else 20 end as type,
            case t.kind when 'form' then 'Form' when 'web_visit' then 'Visit' else 'Email' end as "typeName",
            coalesce(t.form, t.subject) as details, t.campaign as "campaignId", m.id as "listEmailId",
            e.id as "emailId", f.id as "formId", t.occurred as "createdAt", t.changed as "updatedAt"
        from {table("touches")} t left join {table("form_ids")} f on f.name = t.form and t.kind = 'form'
        left join {table("mail_ids")} m on m.name = t.subject and t.kind in ({MAILS})
        left join {table("emails")} e on e."prospectId" = t.prospect and e."listEmailId" = m.id
        """


def list_ids(crm: str, _table: Callable[[str], str]) -> str:
    return f"""
        select lead_source as name, row_number() over (order by lead_source) as id, min(created_at) as born
        from company.person_versions where instance = {literal(crm)} and lead_source is not null group by 1
        """


def lists(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select id, name, name as title, 'Came by ' || name as description, false as "isPublic", true as "isDynamic",
            false as "isDeleted", date_trunc('second', born) as "createdAt", date_trunc('second', born) as "updatedAt"
        from {table("list_ids")} where born <= (select now from company.clock)
        """


def list_memberships(_crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select p.id + 100000000 as id, i.id as "listId", p.id as "prospectId", "optedOut", "createdAt", "updatedAt"
        from {table("prospects")} p join {table("list_ids")} i on i.name = p.source where not "isDeleted"
        """


def opportunities(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, d.name, d.deal_type as type, d.stage, case when d.stage in ('won', 'lost') then d.stage else 'open' end as status,
            c.id as "campaignId", d.source_id as "salesforceId", d.amount::double as value,
            (100 * d.probability)::bigint as probability, d.expected_close_date::timestamp as "closedAt",
            date_trunc('second', d.created_at) as "createdAt", date_trunc('second', d."at") as "updatedAt"
        from current.deals d join {table("opportunity_ids")} i using (source_id)
        left join {table("campaign_ids")} c on c.source_id = d.campaign_source_id
        where d.instance = {literal(crm)} and d.object = 'Opportunity' and not d.is_deleted
        """


TABLES: Final[Mapping[str, Build]] = {
    each.__name__: each
    for each in (
        lifecycle_stages, roots, account_ids, campaign_ids, opportunity_ids, campaigns, prospect_accounts, first_campaigns,
        prospects, lifecycle_histories, copies, touches, form_ids, mail_ids, forms, emails, list_emails, visitors,
        visitor_activities, list_ids, lists, list_memberships, opportunities,
    )
}  # fmt: skip
