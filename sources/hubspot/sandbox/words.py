"""The words that the demo company's two portals use: pipelines, stages, lifecycle, outcomes, association types.

Data only; the shipped stage map and lifecycle map hold exactly these values. It must not be read by the source: a real
portal's words come from its own pipelines and properties.

HubSpot's default sales pipeline and its stages: https://knowledge.hubspot.com/object-settings/set-up-and-customize-pipelines
Lifecycle stages and lead status: https://knowledge.hubspot.com/records/use-lifecycle-stages
Association type ids: https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Stage:
    """One stage of a deal pipeline as a portal's administrator made it."""

    stage_id: str
    label: str
    probability: float
    canonical: str


@dataclass(frozen=True)
class Pipeline:
    """A deal pipeline; `canonical` is the demo company's own name of it."""

    pipeline_id: str
    label: str
    canonical: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Portal:
    """What distinguishes one portal of the company from the other."""

    portal_id: int
    token_prefix: str
    time_zone: str
    utc_offset_hours: int
    currency: str
    hosting: str
    pipelines: tuple[Pipeline, ...]


def _numbered(first_id: int, rows: tuple[tuple[str, float, str], ...]) -> tuple[Stage, ...]:
    return tuple(Stage(str(first_id + n), *row) for n, row in enumerate(rows))


_RENEWAL_ROWS: Final = (
    ("Renewal due", 0.05, "inquiry"),
    ("Review of needs", 0.1, "discovery"),
    ("Review meeting", 0.2, "first_meeting"),
    ("Decision maker confirmed", 0.35, "decision_maker"),
    ("Renewal offered", 0.5, "proposal"),
    ("Terms agreed", 0.75, "agreement"),
    ("Papers out", 0.9, "contract"),
    ("Renewed", 1.0, "won"),
    ("Not renewed", 0.0, "lost"),
)

# The default pipeline keeps HubSpot's own stage ids; two stages were added by hand (numbers, as the API gives them).
_DEFAULT: Final = Pipeline(
    "default",
    "Sales Pipeline",
    "new_business",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", 0.05, "inquiry"),
        Stage("qualifiedtobuy", "Qualified To Buy", 0.1, "discovery"),
        Stage("presentationscheduled", "Presentation Scheduled", 0.2, "first_meeting"),
        Stage("decisionmakerboughtin", "Decision Maker Bought-In", 0.35, "decision_maker"),
        Stage("1035500101", "Proposal Sent", 0.5, "proposal"),
        Stage("contractsent", "Contract Sent", 0.75, "agreement"),
        Stage("1035500102", "Papers Exchanged", 0.9, "contract"),
        Stage("closedwon", "Closed Won", 1.0, "won"),
        Stage("closedlost", "Closed Lost", 0.0, "lost"),
    ),
)

_EMEA: Final = Pipeline(
    "48211907",
    "EMEA New Business",
    "new_business",
    _numbered(
        98640331,
        (
            ("Inbound", 0.05, "inquiry"),
            ("Needs analysis", 0.1, "discovery"),
            ("First meeting", 0.2, "first_meeting"),
            ("Economic buyer reached", 0.35, "decision_maker"),
            ("Proposal sent", 0.5, "proposal"),
            ("Verbal agreement", 0.75, "agreement"),
            ("Legal", 0.9, "contract"),
            ("Won", 1.0, "won"),
            ("Lost", 0.0, "lost"),
        ),
    ),
)

PORTALS: Final[Mapping[str, Portal]] = {
    "hubspot": Portal(
        24100731,
        "pat-na1",
        "Asia/Tokyo",
        9,
        "JPY",
        "na1",
        (_DEFAULT, Pipeline("7210011", "Renewals", "renewal", _numbered(72100110, _RENEWAL_ROWS))),
    ),
    "hubspot_emea": Portal(
        145902277,
        "pat-eu1",
        "Europe/Berlin",
        1,
        "EUR",
        "eu1",
        (_EMEA, Pipeline("48211908", "EMEA Renewals", "renewal", _numbered(98640351, _RENEWAL_ROWS))),
    ),
}

# canonical stage of a person -> `lifecyclestage`. HubSpot's own words: a subscriber knows of the company, a lead has shown
# more than that. A disqualified person keeps the last one; `hs_lead_status` tells.
LIFECYCLE: Final[Mapping[str, str]] = {
    "lead": "subscriber",
    "engaged": "lead",
    "mql": "marketingqualifiedlead",
    "sql": "salesqualifiedlead",
    "customer": "customer",
}
LEAD_STATUS: Final[Mapping[str, str]] = {
    "lead": "NEW",
    "engaged": "OPEN",
    "mql": "IN_PROGRESS",
    "sql": "CONNECTED",
    "customer": "OPEN_DEAL",
    "disqualified": "UNQUALIFIED",
}
DEAL_TYPE: Final[Mapping[str, str]] = {
    "new": "newbusiness",
    "renewal": "renewal",
    "upsell": "upsell",
    "cross_sell": "cross_sell",
}
FORECAST_CATEGORY: Final[Mapping[str, str]] = {
    "pipeline": "PIPELINE",
    "best_case": "BEST_CASE",
    "commit": "COMMIT",
    "closed": "CLOSED",
    "omitted": "OMIT",
}
ACCOUNT_TYPE: Final[Mapping[str, str]] = {"prospect": "PROSPECT", "customer": "CUSTOMER", "former": "FORMER_CUSTOMER"}
DIRECTION: Final[Mapping[str, str]] = {"inbound": "INBOUND", "outbound": "OUTBOUND", "internal": "OUTBOUND"}
EMAIL_DIRECTION: Final[Mapping[str, str]] = {"inbound": "INCOMING_EMAIL", "outbound": "EMAIL", "internal": "EMAIL"}

# HubSpot's own call outcomes are these ids; a portal's added outcomes would be further ids.
CALL_DISPOSITION: Final[Mapping[str, str]] = {
    "Busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "Connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "Left Message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "Left Voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "No Answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "Wrong Number": "17b47fee-58de-441e-a44c-c6300d46f273",
}

OBJECT_TYPE_IDS: Final[Mapping[str, str]] = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-7": "products",
    "0-8": "line_items",
    "0-27": "tasks",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
}

# (from, to) -> id of the type without a label.
ASSOCIATION_TYPES: Final[Mapping[tuple[str, str], int]] = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("deals", "line_items"): 19,
    ("line_items", "deals"): 20,
    ("companies", "calls"): 181,
    ("calls", "companies"): 182,
    ("companies", "emails"): 185,
    ("emails", "companies"): 186,
    ("companies", "meetings"): 187,
    ("meetings", "companies"): 188,
    ("companies", "notes"): 189,
    ("notes", "companies"): 190,
    ("companies", "tasks"): 191,
    ("tasks", "companies"): 192,
    ("contacts", "calls"): 193,
    ("calls", "contacts"): 194,
    ("contacts", "emails"): 197,
    ("emails", "contacts"): 198,
    ("contacts", "meetings"): 199,
    ("meetings", "contacts"): 200,
    ("contacts", "notes"): 201,
    ("notes", "contacts"): 202,
    ("contacts", "tasks"): 203,
    ("tasks", "contacts"): 204,
    ("deals", "calls"): 205,
    ("calls", "deals"): 206,
    ("deals", "emails"): 209,
    ("emails", "deals"): 210,
    ("deals", "meetings"): 211,
    ("meetings", "deals"): 212,
    ("deals", "notes"): 213,
    ("notes", "deals"): 214,
    ("deals", "tasks"): 215,
    ("tasks", "deals"): 216,
}
PRIMARY_TYPES: Final[Mapping[tuple[str, str], int]] = {
    ("contacts", "companies"): 1,
    ("companies", "contacts"): 2,
    ("deals", "companies"): 5,
    ("companies", "deals"): 6,
}

# The labels are HubSpot's and may change, the ids do not:
# https://developers.hubspot.com/changelog/changes-to-primary-labels-for-hubspot-defined-association-labels
PRIMARY_COMPANY_LABELS: Final[Mapping[tuple[str, str], str]] = {
    ("contacts", "companies"): "Contact with Primary Company",
    ("companies", "contacts"): "Primary Company with Contact",
    ("deals", "companies"): "Deal with Primary Company",
    ("companies", "deals"): "Primary Company with Deal",
}

# Labels that the company made itself (category USER_DEFINED); ids are this portal's own.
PRIMARY_LABEL: Final = "Primary"
FORMER_LABEL: Final = "Former employee"
