"""How the demo company's rows look as HubSpot properties: SQL expressions, one per property and object.

Data and small text builders; nothing is executed here. Every expression gives text, because HubSpot's API gives every
property value as text (numbers, dates and flags too) and null for what was never set:
https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sources.hubspot.sandbox import words
from sources.hubspot.sandbox.words import Portal


@dataclass(frozen=True)
class View:
    """Where an object's rows come from: the company's table, and an expression per property.

    `row` is the alias of the version row. `lookups` are left joins the expressions need.
    """

    table: str
    current: str
    properties: Mapping[str, str]
    lookups: str = ""
    refers: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """property -> (object, column): an id of another object, followed through merges."""


def text(value: str) -> str:
    """A SQL text literal."""
    return "'" + value.replace("'", "''") + "'"


def instant(expression: str) -> str:
    """HubSpot's form of an instant: milliseconds and Z."""
    return f"strftime({expression}, '%Y-%m-%dT%H:%M:%S.%gZ')"


def day(expression: str) -> str:
    """HubSpot's form of a date."""
    return f"strftime({expression}, '%Y-%m-%d')"


def flag(expression: str) -> str:
    """HubSpot's form of a flag."""
    return f"case {expression} when true then 'true' when false then 'false' end"


def number(expression: str) -> str:
    """A number as HubSpot gives it: text without an exponent and without trailing zeros."""
    return f"rtrim(rtrim(cast(cast({expression} as decimal(18,4)) as varchar), '0'), '.')"


def decode(expression: str, mapping: Mapping[str, str], other: str | None = None) -> str:
    """The mapped word; a value without one stays as it is (a portal's own option), or becomes `other`."""
    arms = " ".join(f"when {text(key)} then {text(value)}" for key, value in mapping.items())
    return f"case {expression} {arms} else {expression if other is None else text(other)} end"


def pipeline_id(portal: Portal) -> str:
    """The pipeline's id of a deal version."""
    return decode("r.pipeline", {p.canonical: p.pipeline_id for p in portal.pipelines})


def stage_id(portal: Portal) -> str:
    """The stage's id of a deal version, which depends on its pipeline."""
    arms = " ".join(
        f"when r.pipeline = {text(p.canonical)} and r.stage = {text(s.canonical)} then {text(s.stage_id)}"
        for p in portal.pipelines
        for s in p.stages
    )
    return f"case {arms} else r.stage end"


def close_date(portal: Portal) -> str:
    """A deal's close date is an instant: midnight of the day in the portal's time zone, as HubSpot's date picker sets it."""
    moment = f"cast(r.expected_close_date as timestamp) - interval {portal.utc_offset_hours} hour"
    return instant(moment)


# The stage before a disqualification: `lifecyclestage` keeps it, `hs_lead_status` says UNQUALIFIED.
LIFECYCLE: Final = decode("r.lifecycle", words.LIFECYCLE)
LIFECYCLE_WINDOW: Final = (
    "last_value(case when stage <> 'disqualified' then stage end ignore nulls) over"
    ' (partition by source_id order by "at" rows between unbounded preceding and current row)'
)

_CONTACTS: Final = View(
    "person_versions",
    "people",
    {
        "email": "r.email",
        "firstname": "r.given_name",
        "lastname": "r.family_name",
        "first_name_kana": "r.given_kana",
        "last_name_kana": "r.family_kana",
        "phone": "r.phone",
        "mobilephone": "r.mobile",
        "jobtitle": "r.job_title",
        "department": "r.department",
        "company": "r.company_name",
        "lifecyclestage": LIFECYCLE,
        "hs_lead_status": decode("r.stage", words.LEAD_STATUS),
        "hubspotscore": number("r.score"),
        "lead_source": "r.lead_source",
        "hs_email_optout": flag("r.is_email_opted_out"),
        "call_opt_out": flag("r.is_call_opted_out"),
        "hubspot_owner_id": "r.owner_source_id",
        "salesforcecontactid": "case when r.crm_source_id like '003%' then r.crm_source_id end",
        "salesforceleadid": "case when r.crm_source_id like '00Q%' then r.crm_source_id end",
    },
    refers={"associatedcompanyid": ("companies", "account_source_id")},
)

_COMPANIES: Final = View(
    "account_versions",
    "accounts",
    {
        "name": "r.name",
        "domain": "r.domain",
        "website": "r.website",
        "corporate_number": "r.corporate_number",
        "industry": "r.industry",
        "numberofemployees": "cast(r.employee_count as varchar)",
        "type": decode("r.account_type", words.ACCOUNT_TYPE),
        "lifecyclestage": "case r.account_type when 'prospect' then 'lead' else 'customer' end",
        "phone": "r.phone",
        "address": "r.street",
        "city": "r.city",
        "state": "r.region",
        "zip": "r.postal_code",
        "country": "r.country",
        "hubspot_owner_id": "r.owner_source_id",
        "salesforceaccountid": "r.crm_source_id",
    },
    refers={"hs_parent_company_id": ("companies", "parent_source_id")},
)


def _deals(portal: Portal) -> View:
    return View(
        "deal_versions",
        "deals",
        {
            "dealname": "r.name",
            "dealtype": decode("r.deal_type", words.DEAL_TYPE),
            "pipeline": pipeline_id(portal),
            "dealstage": stage_id(portal),
            "amount": number("r.amount"),
            "deal_currency_code": "r.currency",
            "closedate": close_date(portal),
            "hs_is_closed": "case when r.stage in ('won', 'lost') then 'true' else 'false' end",
            "hs_is_closed_won": "case when r.stage = 'won' then 'true' else 'false' end",
            "hs_deal_stage_probability": number("r.probability"),
            "hs_manual_forecast_category": decode("r.forecast_category", words.FORECAST_CATEGORY),
            "hs_next_step": "r.next_step",
            "closed_lost_reason": "r.loss_reason",
            "competitor": "r.competitor",
            "lead_source": "r.lead_source",
            "hubspot_owner_id": "r.owner_source_id",
            "hs_salesforceopportunityid": "r.crm_source_id",
        },
    )


_PRODUCTS: Final = View(
    "product_versions",
    "products",
    {
        "name": "r.name",
        "hs_sku": "r.code",
        "price": number("r.list_price"),
        "hs_cost_of_goods_sold": number("round(r.list_price * (1 - r.margin_rate), 2)"),
        "currency": "r.currency",
        "product_family": "r.family",
        "margin_rate": number("r.margin_rate"),
        "recurringbillingfrequency": "case when r.is_recurring then 'annually' end",
        "hs_recurring_billing_period": "case when r.is_recurring then 'P12M' end",
        "hs_status": "case when r.is_active then 'active' else 'inactive' end",
    },
)

_LINE_ITEMS: Final = View(
    "deal_line_versions",
    "deal_lines",
    {
        "name": "p.name",
        "hs_product_id": "r.product_source_id",
        "hs_sku": "p.code",
        "quantity": number("r.quantity"),
        "price": number("r.unit_price"),
        "amount": number("r.amount"),
        "hs_line_item_currency_code": "d.currency",
        "product_family": "r.product_family",
        "recurringbillingfrequency": "case when r.is_recurring then 'annually' end",
        "hs_recurring_billing_period": "case when r.is_recurring then 'P12M' end",
        "hs_recurring_billing_start_date": f"case when r.is_recurring then {day('r.service_start_date')} end",
        "hs_recurring_billing_end_date": f"case when r.is_recurring then {day('r.service_end_date')} end",
        "service_start_date": day("r.service_start_date"),
        "service_end_date": day("r.service_end_date"),
    },
    lookups=(
        "left join current.products p on p.instance = r.instance and p.source_id = r.product_source_id "
        "left join current.deals d on d.instance = r.instance and d.source_id = r.deal_source_id "
    ),
)

_ACTIVITY: Final[Mapping[str, str]] = {
    "hs_timestamp": instant("r.occurred_at"),
    "hubspot_owner_id": "r.owner_source_id",
}
_ENGAGEMENTS: Final[Mapping[str, Mapping[str, str]]] = {
    "calls": {
        "hs_call_title": "r.subject",
        "hs_call_direction": decode("r.direction", words.DIRECTION),
        "hs_call_disposition": decode("r.outcome", words.CALL_DISPOSITION),
        "hs_call_status": "'COMPLETED'",
        "hs_call_duration": number("r.minutes * 60000"),
    },
    "emails": {
        "hs_email_subject": "r.subject",
        "hs_email_direction": decode("r.direction", words.EMAIL_DIRECTION),
        "hs_email_status": "'SENT'",
        "hs_email_open_count": "case r.kind when 'email_open' then '1' when 'email_click' then '1' else '0' end",
        "hs_email_click_count": "case r.kind when 'email_click' then '1' else '0' end",
    },
    "meetings": {
        "hs_activity_type": "r.kind",
        "hs_meeting_title": "r.subject",
        "hs_meeting_start_time": instant("r.occurred_at"),
        "hs_meeting_end_time": instant("r.occurred_at + to_microseconds(cast(coalesce(r.minutes, 0) * 6e7 as bigint))"),
        "hs_meeting_outcome": (
            "case when r.status = 'Planned' then 'SCHEDULED' "
            "else replace(upper(coalesce(r.outcome, 'Completed')), ' ', '_') end"
        ),
        "hs_meeting_location": "null",
    },
    "notes": {"hs_note_body": "r.subject"},
    "tasks": {
        "hs_task_subject": "r.subject",
        "hs_task_status": "replace(upper(coalesce(r.status, 'Completed')), ' ', '_')",
        "hs_task_type": "'TODO'",
        "hs_task_completion_date": f"case when r.status = 'Completed' then {instant('r.occurred_at')} end",
    },
}


def views(portal: Portal) -> dict[str, View]:
    """All CRM objects of a portal."""
    engagements = {
        name: View("activity_versions", "activities", {**_ACTIVITY, **own}) for name, own in _ENGAGEMENTS.items()
    }
    return {
        "contacts": _CONTACTS,
        "companies": _COMPANIES,
        "deals": _deals(portal),
        "products": _PRODUCTS,
        "line_items": _LINE_ITEMS,
        **engagements,
    }
