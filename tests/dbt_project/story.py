"""A few records of Salesforce and of two HubSpot portals over four loads, each there for a rule that can go wrong.

Data only. Ids are short: prefixes are the vendors', the rest says what the record is for.
"""

from __future__ import annotations

import json
from typing import Any

from tests.dbt_project.raw_fixture import Load, at

Row = dict[str, Any]


def deal(**values: Any) -> Row:
    """An opportunity as the first load sees it."""
    return {
        "id": "006A",
        "name": "Deal",
        "account_id": "001A",
        "stage_name": "Qualification",
        "amount": 200,
        "probability": 20,
        "close_date": "2026-03-31",
        "owner_id": "005B",
        "created_date": at("2026-01-01T00:00:00Z"),
        "system_modstamp": at("2026-01-20T00:00:00Z"),
        "is_deleted": False,
        "is_closed": False,
        "is_won": False,
        "pipeline_c": "New Business",
        "currency_iso_code": "JPY",
        **values,
    }


def step(number: str, instant: str, stage: str, amount: int, probability: int, of: str = "006A") -> Row:
    """A row of OpportunityHistory."""
    return {
        "id": f"008{number}",
        "opportunity_id": of,
        "created_date": at(instant),
        "stage_name": stage,
        "amount": amount,
        "probability": probability,
        "close_date": "2026-03-31",
        "forecast_category": "Pipeline",
        "currency_iso_code": "JPY",
        "system_modstamp": at(instant),
    }


def record(identity: str, created: str, modified: str, **values: Any) -> Row:
    """Any other Salesforce record."""
    stamps = {"created_date": at(created), "system_modstamp": at(modified), "is_deleted": False}
    return {"id": identity, **stamps, **values}


def contact(identity: str, modified: str = "2026-01-03T00:00:00Z", **values: Any) -> Row:
    """A HubSpot contact."""
    return {
        "id": identity,
        "archived": False,
        "createdate": at("2026-01-01T00:00:00Z"),
        "lastmodifieddate": at(modified),
        "firstname": "Anna",
        "lastname": "Müller",
        "email": f"a{identity}@x.example",
        "lifecyclestage": "lead",
        **values,
    }


def history(**properties: list[tuple[str, str]]) -> str:
    """`properties_with_history`: newest first."""
    return json.dumps({p: [{"value": v, "timestamp": t} for v, t in entries] for p, entries in properties.items()})


def links(*pairs: tuple[str, list[tuple[int, str | None]]]) -> str:
    """A set of associations: (to, [(type id, label)]); a type above 100 is the company's own."""
    return json.dumps(
        [
            {
                "to": to,
                "types": [
                    {"type_id": n, "label": label, "category": "USER_DEFINED" if n > 100 else "HUBSPOT_DEFINED"}
                    for n, label in types
                ],
            }
            for to, types in pairs
        ],
        separators=(",", ":"),
    )


STAGES = (("appointmentscheduled", "Appointment Scheduled", 0.05), ("qualifiedtobuy", "Qualified To Buy", 0.1))
PIPELINES = [
    {
        "pipeline_id": "default",
        "pipeline_label": "Sales Pipeline",
        "stage_id": s,
        "stage_label": label,
        "probability": p,
    }
    for s, label, p in STAGES
]

FIRST = Load(
    "salesforce",
    "2026-02-01T00:00:00Z",
    {
        "user": [
            {
                "id": "005A",
                "name": "Rep",
                "is_active": True,
                "created_date": at("2025-01-01T00:00:00Z"),
                "system_modstamp": at("2025-01-01T00:00:00Z"),
            }
        ],
        "account": [record("001A", "2025-06-01T00:00:00Z", "2026-01-05T00:00:00Z", name="Acme", rating="Hot")],
        "opportunity": [deal(), deal(id="006Q", stage_name="Prospecting", owner_id="005A", amount=50, probability=10)],
        "opportunity_history": [
            step("A", "2026-01-01T00:00:00Z", "Prospecting", 100, 10),
            step("B", "2026-01-20T00:00:00Z", "Qualification", 200, 20),
        ],
        "opportunity_field_history": [
            {
                "id": "017A",
                "opportunity_id": "006A",
                "field": "Owner",
                "data_type": "EntityId",
                "old_value": "005A",
                "new_value": '"005B"',
                "created_date": at("2026-01-10T00:00:00Z"),
            }
        ],
        "lead": [
            record(
                "00QA",
                "2025-12-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
                last_name="山田",
                status="Closed - Converted",
                is_converted=True,
                converted_date="2026-01-02",
                converted_contact_id="003A",
            )
        ],
        "contact": [
            record("003A", "2026-01-01T16:00:00Z", "2026-01-01T16:00:00Z", last_name="山田", account_id="001A")
        ],
        "opportunity_contact_role": [
            record("00KA", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", opportunity_id="006A", contact_id="003A"),
            record("00KB", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", opportunity_id="006A", contact_id="003B"),
        ],
    },
)
SECOND = Load(
    "hubspot",
    "2026-02-01T01:00:00Z",
    {
        "account_info": [{"portal_id": 24100731, "ui_domain": "app.hubspot.com", "company_currency": "JPY"}],
        "pipelines": PIPELINES,
        "contacts": [
            contact("19"),
            contact(
                "20",
                associatedcompanyid="10",
                properties_with_history=history(
                    lifecyclestage=[
                        ("marketingqualifiedlead", "2026-01-03T00:00:00Z"),
                        ("lead", "2026-01-01T00:00:00Z"),
                    ],
                    associatedcompanyid=[("10", "2026-01-03T00:00:00Z"), ("9", "2026-01-01T00:00:00Z")],
                ),
            ),
            contact("21"),
        ],
        "contacts_companies": [
            {"from_id": "20", "read_at": at("2026-02-01T00:00:00Z"), "associations": links(("10", [(1, "Primary")]))}
        ],
        "deals": [
            {
                "id": "1",
                "archived": False,
                "createdate": at("2026-01-02T00:00:00Z"),
                "hs_lastmodifieddate": at("2026-01-15T00:00:00Z"),
                "pipeline": "default",
                "dealstage": "qualifiedtobuy",
                "closedate": at("2026-03-30T15:00:00Z"),
                "hs_salesforceopportunityid": "006A",
                "properties_with_history": history(
                    dealstage=[
                        ("qualifiedtobuy", "2026-01-15T00:00:00Z"),
                        ("appointmentscheduled", "2026-01-02T00:00:00Z"),
                    ],
                    pipeline=[("default", "2026-01-02T00:00:00Z")],
                    amount=[
                        ("500", "2026-01-15T00:00:00Z"),
                        ("", "2026-01-08T00:00:00Z"),
                        ("300", "2026-01-02T00:00:00Z"),
                    ],
                    closedate=[("2026-03-30T15:00:00Z", "2026-01-02T00:00:00Z")],
                    hs_deal_stage_probability=[("0.1", "2026-01-15T00:00:00Z"), ("0.05", "2026-01-02T00:00:00Z")],
                ),
            }
        ],
        "deals_companies": [
            {
                "from_id": "1",
                "read_at": at("2026-02-01T00:00:00Z"),
                "associations": links(("9", [(341, None)]), ("10", [(5, "Deal with Primary Company"), (341, None)])),
            }
        ],
        "deals_contacts": [
            {
                "from_id": "1",
                "read_at": at("2026-02-01T00:00:00Z"),
                "associations": links(("20", [(3, None), (101, "Decision Maker")]), ("21", [(3, None)])),
            }
        ],
        "forms": [{"id": "f1", "name": "資料請求", "archived": False}],
        "form_submissions": [
            {
                "form_id": "f1",
                "conversion_id": "c1",
                "submitted_at": at("2026-01-01T00:00:00Z"),
                "email": "A20@x.example",
            }
        ],
    },
)
OTHER_PORTAL = Load(
    "hubspot_emea", "2026-02-01T02:00:00Z", {"contacts": [contact("20", lifecyclestage="nobody knows")]}
)
THIRD = Load(
    "salesforce",
    "2026-02-08T00:00:00Z",
    {
        # An older version that comes late, and a deal deleted in the org: its OpportunityHistory is gone there.
        "account": [record("001A", "2025-06-01T00:00:00Z", "2026-01-02T00:00:00Z", name="Acme (old name)")],
        "opportunity": [
            deal(is_deleted=True, system_modstamp=at("2026-02-05T03:00:00Z")),
            deal(
                id="006Q",
                stage_name="Proposal/Price Quote",
                owner_id="005B",
                amount=50,
                probability=75,
                system_modstamp=at("2026-02-03T00:00:00Z"),
            ),
        ],
        "opportunity_contact_role": [{"id": "00KA", "_deleted": True}, {"id": "00KB", "_deleted": True}],
    },
)
FOURTH = Load(
    "hubspot",
    "2026-02-08T01:00:00Z",
    {
        "contacts": [
            contact(
                "20", "2026-02-05T00:00:00Z", hs_merged_object_ids="21", email="new@x.example", associatedcompanyid="10"
            ),
            {"id": "21", "_deleted": True},
        ],
        "deals_contacts": [
            {
                "from_id": "1",
                "read_at": at("2026-02-08T00:00:00Z"),
                "associations": links(("20", [(3, None), (102, "Champion")])),
            }
        ],
        # The portal renamed one stage and deleted the other.
        "pipelines": [{**PIPELINES[1], "stage_label": "Qualified"}],
    },
)
FIFTH = Load(
    "hubspot",
    "2026-02-09T01:00:00Z",
    {
        "contacts": [
            contact("19", "2026-02-08T00:00:00Z", hs_merged_object_ids="20;18"),
            {"id": "20", "_deleted": True},
        ]
    },
)
SIXTH = Load(
    "salesforce",
    "2026-02-10T00:00:00Z",
    {
        "opportunity_contact_role": [
            record("00KA", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", opportunity_id="006A", contact_id="003A")
        ]
    },
)
BEFORE = (FIRST, SECOND, OTHER_PORTAL)
AFTER = (THIRD, FOURTH, FIFTH, SIXTH)
