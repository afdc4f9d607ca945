"""What a Pipedrive account over the demo company's CRM holds, as SQL: one select a kind of item, columns named as fields.

The company runs no Pipedrive: organizations are the CRM's accounts, persons its contacts and the leads that are not
converted yet (a conversion merges two persons). Numeric ids are ranks over the company's whole life, so that a day that passes
changes none. Instants are naive UTC in whole seconds. Fields: https://developers.pipedrive.com/docs/api/v1. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

Build = Callable[[str, Callable[[str], str]], str]
"""(CRM instance, name of another table of this file) -> select."""

STAGES: Final = (
    ("inquiry", "Qualified"), ("discovery", "Contact Made"), ("first_meeting", "Demo Scheduled"),
    ("decision_maker", "Decision Maker Reached"), ("proposal", "Proposal Made"), ("agreement", "Negotiations Started"),
    ("contract", "Contract Sent"),
)  # fmt: skip
PIPELINES: Final = (("new_business", "Pipeline"), ("renewal", "Renewals"))
BEGAN: Final = "timestamp '2023-10-01 00:00:00'"
ARCHIVED_AFTER: Final = "interval 400 day"
"""The company archives deals that were lost so long ago."""
# Keys of custom fields are made at random when a field is made.
DOMAIN: Final = "5f1c2a90d37b48e6a1c04be2d98f73610ab4c7e9"
INDUSTRY: Final = "9be04d17c6a25f38812d7f60e4ba391c5d02f8a7"
LEAD_SOURCE: Final = "c3a7f51e08d94b26b7e1603f5ad82c9470fe6b1d"


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _ranks(crm: str, table: str) -> str:
    return f"""
        select object, source_id, row_number() over (order by min(created_at), source_id) as id
        from company.{table} where instance = {literal(crm)} group by object, source_id
        """


def user_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "user_versions")


def organization_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "account_versions")


def person_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "person_versions")


def deal_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "deal_versions")


def activity_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "activity_versions")


def product_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "product_versions")


def line_ids(crm: str, _table: Callable[[str], str]) -> str:
    return _ranks(crm, "deal_line_versions")


def _times(alias: str) -> str:
    return f"""date_trunc('second', {alias}.created_at) as add_time, date_trunc('second', {alias}."at") as update_time,
            {alias}.is_deleted"""


def _contact_ways(column: str, label: str, primary: bool) -> str:
    one = f"[struct_pack(value := {column}, \"primary\" := {str(primary).lower()}, label := '{label}')]"
    return f"case when {column} is null then [] else {one} end"


def users(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, u.name, u.email, u.is_active as active_flag, true as activated, u.is_deleted, 1 as role_id,
            'ja_JP' as locale, date_trunc('second', u.created_at) as created, date_trunc('second', u."at") as modified
        from current.users u join {table("user_ids")} i using (source_id) where u.instance = {literal(crm)}
        """


def pipelines(_crm: str, _table: Callable[[str], str]) -> str:
    rows = ", ".join(f"({n}, {literal(name)}, {n})" for n, (_, name) in enumerate(PIPELINES, 1))
    return f"""
        select id, name, order_nr, false as is_deleted, true as is_deal_probability_enabled, {BEGAN} as add_time,
            {BEGAN} as update_time
        from (values {rows}) pipelines (id, name, order_nr)
        """


def stages(_crm: str, _table: Callable[[str], str]) -> str:
    rows = ", ".join(
        f"({10 * p + n}, {literal(name)}, {p}, {n})"
        for p in range(1, len(PIPELINES) + 1)
        for n, (_, name) in enumerate(STAGES, 1)
    )
    return f"""
        select id, name, pipeline_id, order_nr, false as is_deleted, 100 as deal_probability,
            false as is_deal_rot_enabled, null::integer as days_to_rotten, {BEGAN} as add_time, {BEGAN} as update_time
        from (values {rows}) stages (id, name, pipeline_id, order_nr)
        """


def organizations(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, a.name, u.id as owner_id, {_times("a")}, 3 as visible_to, []::integer[] as label_ids,
            struct_pack(value := concat_ws(' ', a.region, a.city, a.street), country := a.country,
                admin_area_level_1 := a.region, admin_area_level_2 := null, locality := a.city, sublocality := null,
                route := a.street, street_number := null, subpremise := null, postal_code := a.postal_code) as address,
            struct_pack("{DOMAIN}" := a.domain, "{INDUSTRY}" := a.industry) as custom_fields
        from current.accounts a join {table("organization_ids")} i using (source_id)
        left join {table("user_ids")} u on u.source_id = a.owner_source_id
        where a.instance = {literal(crm)}
        """


def persons(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, concat_ws(' ', p.family_name, p.given_name) as name, p.given_name as first_name,
            p.family_name as last_name, {_contact_ways("p.email", "work", True)} as emails,
            list_concat({_contact_ways("p.phone", "work", True)}, {_contact_ways("p.mobile", "mobile", False)}) as phones,
            p.job_title, u.id as owner_id, o.id as org_id, date_trunc('second', p.created_at) as add_time,
            date_trunc('second', p."at") as update_time, p.is_deleted or coalesce(p.is_converted, false) as is_deleted,
            3 as visible_to, []::integer[] as label_ids, struct_pack("{LEAD_SOURCE}" := p.lead_source) as custom_fields
        from current.people p join {table("person_ids")} i using (object, source_id)
        left join {table("user_ids")} u on u.source_id = p.owner_source_id
        left join {table("organization_ids")} o on o.source_id = p.account_source_id
        where p.instance = {literal(crm)}
        """


def moves(crm: str, _table: Callable[[str], str]) -> str:
    """(source_id, open_stage, stage_changed, closed): of each deal the last stage it was open in, and since when."""
    return f"""
        with changed as (
            select source_id, stage, "at" from visible.deal_versions where instance = {literal(crm)}
            qualify stage is distinct from lag(stage) over (partition by source_id order by "at")
        )
        select source_id, max_by(stage, "at") filter (stage not in ('won', 'lost')) as open_stage,
            date_trunc('second', max("at") filter (stage not in ('won', 'lost'))) as stage_changed,
            date_trunc('second', max("at")) as changed
        from changed group by source_id
        """


def _stage_id() -> str:
    arms = " ".join(f"when {literal(stage)} then {n}" for n, (stage, _) in enumerate(STAGES, 1))
    return f"case m.open_stage {arms} else 1 end"


def deals(crm: str, table: Callable[[str], str]) -> str:
    closed = "case when d.stage = '{}' then m.changed end"
    pipeline = f"case d.pipeline when {literal(PIPELINES[1][0])} then 2 else 1 end"
    return f"""
        with firsts as (
            select deal_source_id, min_by(person_source_id, (not is_primary, created_at, source_id)) as person
            from current.deal_people where instance = {literal(crm)} and not is_deleted group by 1
        ),
        told as (
            select i.id, d.name as title, u.id as owner_id, u.id as creator_user_id, d.amount::double as value,
                p.id as person_id, o.id as org_id, 10 * {pipeline} + {_stage_id()} as stage_id, {pipeline} as pipeline_id,
                d.currency, {_times("d")}, m.stage_changed as stage_change_time,
                case when d.stage in ('won', 'lost') then d.stage else 'open' end as open_or_closed,
                case when d.stage not in ('won', 'lost') then round(100 * d.probability)::integer end as probability,
                d.loss_reason as lost_reason, d.expected_close_date, {closed.format("won")} as won_time,
                {closed.format("lost")} as lost_time, 3 as visible_to, 'ManuallyCreated' as origin,
                struct_pack("{LEAD_SOURCE}" := d.lead_source) as custom_fields
            from current.deals d join {table("deal_ids")} i using (source_id) join {table("moves")} m using (source_id)
            left join {table("user_ids")} u on u.source_id = d.owner_source_id
            left join {table("organization_ids")} o on o.source_id = d.account_source_id
            left join firsts f on f.deal_source_id = d.source_id
            left join {table("person_ids")} p on p.source_id = f.person
            where d.instance = {literal(crm)}
        )
        select * exclude (open_or_closed), case when is_deleted then 'deleted' else open_or_closed end as status,
            coalesce(won_time, lost_time) as close_time,
            not is_deleted and coalesce(lost_time + {ARCHIVED_AFTER} <= (select now from company.clock), false) as is_archived,
            case when lost_time + {ARCHIVED_AFTER} <= (select now from company.clock) then lost_time + {ARCHIVED_AFTER} end as archive_time
        from told
        """


def activities(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, a.subject, a.kind as type, u.id as owner_id, u.id as creator_user_id, {_times("a")}, d.id as deal_id,
            null::varchar as lead_id, p.id as person_id, o.id as org_id, a.occurred_at::date as due_date,
            strftime(a.occurred_at, '%H:%M') as due_time, a.status = 'Completed' as done,
            case when a.minutes is not null then strftime(timestamp '2000-01-01' + to_minutes(a.minutes::bigint), '%H:%M') end as duration,
            case when a.status = 'Completed' then date_trunc('second', a.occurred_at) end as marked_as_done_time,
            false as busy, a.outcome as note
        from current.activities a join {table("activity_ids")} i using (object, source_id)
        left join {table("user_ids")} u on u.source_id = a.owner_source_id
        left join {table("person_ids")} p on p.source_id = a.person_source_id
        left join {table("organization_ids")} o on o.source_id = a.account_source_id
        left join {table("deal_ids")} d on d.source_id = a.deal_source_id
        where a.instance = {literal(crm)}
        """


def _billing(alias: str) -> str:
    return f"case when {alias}.is_recurring then 'monthly' else 'one-time' end as billing_frequency"


def products(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, p.name, p.code, p.family as category, {_times("p")}, {_billing("p")}, 0 as tax, 3 as visible_to,
            [struct_pack(product_id := i.id, price := p.list_price::double, currency := p.currency,
                cost := round(p.list_price::double * (1 - p.margin_rate)), direct_cost := null)] as prices,
            p.is_active as is_linkable
        from current.products p join {table("product_ids")} i using (source_id) where p.instance = {literal(crm)}
        """


def deal_products(crm: str, table: Callable[[str], str]) -> str:
    return f"""
        select i.id, d.id as deal_id, r.id as product_id, p.name, l.quantity, l.unit_price::double as item_price,
            l.amount::double as sum, p.currency, 0 as tax, 0 as discount, 'percentage' as discount_type, true as is_enabled,
            {_times("l")}, {_billing("l")}, l.service_start_date as billing_start_date
        from current.deal_lines l join {table("line_ids")} i using (source_id)
        join {table("deal_ids")} d on d.source_id = l.deal_source_id
        left join {table("product_ids")} r on r.source_id = l.product_source_id
        left join current.products p on p.instance = l.instance and p.source_id = l.product_source_id
        where l.instance = {literal(crm)}
        """


LISTED: Final = (
    "users",
    "pipelines",
    "stages",
    "organizations",
    "persons",
    "deals",
    "activities",
    "products",
    "deal_products",
)
TABLES: Final[Mapping[str, Build]] = {
    each.__name__: each
    for each in (
        user_ids, organization_ids, person_ids, deal_ids, activity_ids, product_ids, line_ids, users, pipelines, stages,
        organizations, persons, moves, deals, activities, products, deal_products,
    )
}  # fmt: skip
FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "deal": {"title": "Title", "value": "Value", "stage_id": "Stage", LEAD_SOURCE: "Lead source"},
    "person": {"name": "Name", "emails": "Email", LEAD_SOURCE: "Lead source"},
    "organization": {"name": "Name", "address": "Address", DOMAIN: "Domain", INDUSTRY: "Industry"},
}
"""field_code -> field_name of the Fields endpoints; codes of 40 characters are the company's own."""
