"""A tiny company written out by hand, as versions of Salesforce records: every number the tests expect can be counted here.

The simulated company is left to the end-to-end tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from sources.demo.tables import TABLES, TARGET
from sources.salesforce.sandbox.ids import with_suffix

START = datetime(2026, 1, 5, 1, 0, 0)
NOW = datetime(2026, 10, 30, 9, 0, 0)
OBJECTS = {
    "account_versions": "Account", "deal_versions": "Opportunity", "deal_line_versions": "OpportunityLineItem",
    "deal_person_versions": "OpportunityContactRole", "deal_split_versions": "OpportunitySplit",
    "product_versions": "Product2", "user_versions": "User", "role_versions": "UserRole",
    "campaign_versions": "Campaign", "campaign_member_versions": "CampaignMember",
    "person_account_versions": "AccountContactRelation",
}  # fmt: skip


def sf_id(prefix: str, number: int) -> str:
    return with_suffix(f"{prefix}5g0000{number:06d}"[:15].ljust(15, "0"))


@dataclass
class Rows:
    """Versions of records by table; `add` gives the id back."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, source_id: str, at: datetime = START, **values: Any) -> str:
        rows = self.tables.setdefault(table, [])
        earlier = [row for row in rows if row["source_id"] == source_id]
        row = {
            "instance": "salesforce", "object": OBJECTS.get(table), "entity_id": "e" + source_id,
            "is_deleted": False, "merged_into_source_id": None,
            **(earlier[-1] if earlier else {"created_at": at}), **values, "source_id": source_id, "at": at,
        }  # fmt: skip
        rows.append(row)
        return source_id

    def arrow(self) -> dict[str, pa.Table]:
        made = {
            name: pa.Table.from_pylist(
                [{column: row.get(column) for column in schema.names} for row in self.tables.get(name, [])], schema
            )
            for name, schema in TABLES.items()
        }
        return {**made, "target": TARGET.empty_table()}


USER, SECOND_USER = sf_id("005", 1), sf_id("005", 2)
ACCOUNTS, CONTACTS, LEADS, DEALS, MEMBERS, ROLES_OF_DEALS = (
    [sf_id(prefix, number) for number in range(1, count + 1)]
    for prefix, count in (("001", 450), ("003", 5), ("00Q", 6), ("006", 4), ("00v", 3), ("00K", 3))
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def company_rows() -> Rows:
    rows = Rows()
    _staff(rows)
    for number, one in enumerate(ACCOUNTS):
        rows.add(
            "account_versions", one, START + number * HOUR / 60, name=f"会社{number:03d} O'Neil & Co.", country="JP",
            region="東京都", city="港区", corporate_number="7010401022916", owner_source_id=USER, account_type="prospect",
            employee_count=number, domain=f"c{number}.example", website=f"https://c{number}.example",
        )  # fmt: skip
    # one deleted, a chain of two merges, one changed at the very end of September
    rows.add("account_versions", ACCOUNTS[0], NOW - 3 * DAY, is_deleted=True)
    rows.add("account_versions", ACCOUNTS[1], NOW - 2 * DAY, is_deleted=True, merged_into_source_id=ACCOUNTS[2])
    rows.add("account_versions", ACCOUNTS[2], NOW - 1 * DAY, is_deleted=True, merged_into_source_id=ACCOUNTS[3])
    rows.add("account_versions", ACCOUNTS[4], datetime(2026, 9, 30, 23, 59, 59, 700_000), name="Changed GmbH")
    _people(rows)
    _deals(rows)
    _work(rows)
    return rows


def _staff(rows: Rows) -> None:
    top = rows.add("role_versions", sf_id("00E", 1), name="CEO")
    role = rows.add("role_versions", sf_id("00E", 2), name="Sales", parent_source_id=top)
    for one, name in ((USER, "佐藤 花"), (SECOND_USER, "Lee Kim")):
        rows.add(
            "user_versions", one, name=name, family_name=name.split()[0], given_name=name.split()[1], team="East",
            email=f"{one[-6:].lower()}@demo.example", department="Sales", is_active=True, role_source_id=role,
        )  # fmt: skip


def _people(rows: Rows) -> None:
    for number, one in enumerate(CONTACTS):
        rows.add(
            "person_versions", one, object="Contact", family_name="山田", given_name=f"太郎{number}", family_kana="ヤマダ",
            email=f"taro{number}@c{number}.example", account_source_id=ACCOUNTS[10 + number], owner_source_id=USER,
            is_email_opted_out=number == 0, lead_source="Web",
        )  # fmt: skip
    rows.add("person_versions", CONTACTS[4], NOW - DAY, is_deleted=True, merged_into_source_id=CONTACTS[3])
    for number, one in enumerate(LEADS):
        rows.add(
            "person_versions", one, START + number * DAY, object="Lead", family_name="鈴木", given_name="一郎", stage="lead",
            company_name="鈴木商店", owner_source_id=USER, score=40.0, is_converted=False,
        )  # fmt: skip
    rows.add("person_versions", LEADS[0], START + 10 * DAY, stage="mql", score=80.0)
    rows.add("person_versions", LEADS[0], START + 12 * DAY, stage="sql", owner_source_id=SECOND_USER)
    rows.add(
        "person_versions", LEADS[0], START + 20 * DAY, is_converted=True, converted_at=datetime(2026, 1, 24, 18, 0),
        converted_account_source_id=ACCOUNTS[10], converted_contact_source_id=CONTACTS[0],
        converted_opportunity_source_id=DEALS[0],
    )  # fmt: skip
    rows.add(
        "person_account_versions", sf_id("07k", 1), person_source_id=CONTACTS[0], account_source_id=ACCOUNTS[11],
        role="Advisor", is_active=True, is_primary=False,
    )  # fmt: skip


def _deals(rows: Rows) -> None:
    for number, one in enumerate(DEALS):
        rows.add(
            "deal_versions", one, START + 20 * DAY, name=f"Deal {number}", account_source_id=ACCOUNTS[10 + number],
            deal_type="new" if number < 2 else "renewal", pipeline="new_business" if number < 2 else "renewal",
            stage="inquiry", amount=Decimal(1_000_000), currency="JPY", probability=0.1, forecast_category="pipeline",
            expected_close_date=datetime(2026, 9, 30).date(), owner_source_id=USER, changed_by_source_id=USER,
        )  # fmt: skip
    deal = DEALS[0]
    rows.add("deal_versions", deal, START + 30 * DAY, stage="first_meeting", probability=0.2)
    rows.add("deal_versions", deal, START + 31 * DAY, owner_source_id=SECOND_USER, next_step="Call back")
    rows.add("deal_versions", deal, START + 40 * DAY, amount=Decimal("1500000.50"))
    rows.add("deal_versions", deal, START + 50 * DAY, expected_close_date=datetime(2026, 12, 25).date())
    rows.add("deal_versions", deal, NOW - 5 * DAY, stage="won", probability=1.0, forecast_category="closed")
    rows.add("deal_versions", DEALS[1], NOW - 4 * DAY, is_deleted=True)
    rows.add("deal_versions", DEALS[2], START + 60 * DAY, stage="decision_maker", probability=0.5)
    rows.add("deal_versions", DEALS[3], NOW + 3 * DAY, stage="proposal", amount=Decimal(2_000_000))
    product = rows.add(
        "product_versions", sf_id("01t", 1), name="Cloud", code="CL-1", family="Platform", list_price=Decimal(500_000),
        currency="JPY", is_recurring=True, margin_rate=0.625, is_active=True,
    )  # fmt: skip
    rows.add(
        "deal_line_versions", sf_id("00k", 1), deal_source_id=deal, product_source_id=product, quantity=3.0,
        unit_price=Decimal(500_000), amount=Decimal(1_500_000), is_recurring=True,
        service_start_date=datetime(2026, 11, 1).date(), service_end_date=datetime(2027, 10, 31).date(),
    )  # fmt: skip
    for number, one in enumerate(ROLES_OF_DEALS):
        rows.add(
            "deal_person_versions", one, deal_source_id=deal, person_source_id=CONTACTS[number], role="Decision Maker",
            is_primary=number == 0,
        )  # fmt: skip
    rows.add("deal_person_versions", ROLES_OF_DEALS[2], NOW - DAY, is_deleted=True)
    rows.add("deal_person_versions", ROLES_OF_DEALS[1], NOW + DAY, is_deleted=True)
    rows.add("deal_split_versions", sf_id("1tK", 1), deal_source_id=deal, user_source_id=USER, share=0.4)


def _work(rows: Rows) -> None:
    campaign = rows.add(
        "campaign_versions", sf_id("701", 1), name="Spring seminar", campaign_type="Seminar", channel="seminar",
        status="Completed", budget=Decimal(300_000), actual_cost=Decimal(280_000),
    )  # fmt: skip
    for number, one in enumerate(MEMBERS):
        rows.add(
            "campaign_member_versions", one, campaign_source_id=campaign, status="Sent",
            person_object="Lead" if number else "Contact", person_source_id=LEADS[number] if number else CONTACTS[0],
            responded_at=datetime(2026, 2, 1, 16, 0) if number == 0 else None,
        )  # fmt: skip
    rows.add("campaign_member_versions", MEMBERS[2], NOW - 6 * DAY, is_deleted=True)
    rows.add("campaign_member_versions", MEMBERS[1], NOW + 2 * DAY, is_deleted=True)
    rows.add(
        "activity_versions", sf_id("00T", 1), NOW - 9 * DAY, object="Task", kind="call", occurred_at=NOW - 9 * DAY,
        direction="outbound", subject="Call", person_object="Contact", person_source_id=CONTACTS[0], minutes=12.0,
        deal_source_id=DEALS[0], owner_source_id=USER, status="completed", outcome="connected",
    )  # fmt: skip
    rows.add(
        "activity_versions", sf_id("00U", 1), NOW - 8 * DAY, object="Event", kind="visit", occurred_at=NOW - 8 * DAY,
        direction="outbound", subject="訪問", person_object="Contact", person_source_id=CONTACTS[0], minutes=60.0,
        account_source_id=ACCOUNTS[10], owner_source_id=USER, status="completed",
    )  # fmt: skip
