"""A company written by hand for the HubSpot tests: small, but with every case of both portals in it.

hubspot: 260 contacts (one archived, a chain of two merges), 30 companies, 40 deals with moves, lines, roles; hubspot_emea:
25 contacts with ids that hubspot has too. One week after the start some records change, one is archived, one merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pyarrow as pa
import uvicorn

from sources.demo.company import COMPANY_START_NOW, Company
from sources.demo.mounting import SandboxOptions
from sources.demo.simulate import Simulation
from sources.demo.tables import TABLES, TARGET

NOW = COMPANY_START_NOW.replace(tzinfo=None)
LATER = NOW + timedelta(days=3)
BORN = datetime(2025, 1, 6, 1, 2, 3, 456000)


class Rows:
    """Collects version rows per table; unnamed columns are null."""

    def __init__(self) -> None:
        self.of: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, instance: str, kept_in: str, source_id: int | str, at: datetime, **values: Any) -> None:
        row = {
            "instance": instance,
            "object": kept_in,
            "source_id": str(source_id),
            "entity_id": f"e-{instance}-{kept_in}-{source_id}",
            "at": at,
            "created_at": values.pop("created_at", BORN),
            "is_deleted": values.pop("is_deleted", False),
            **values,
        }
        self.of.setdefault(table, []).append({**dict.fromkeys(TABLES[table].names), **row})

    def tables(self) -> dict[str, pa.Table]:
        every = {**TABLES, "target": TARGET}
        return {name: pa.Table.from_pylist(self.of.get(name, []), schema=schema) for name, schema in every.items()}


def _people_and_accounts(rows: Rows, instance: str, people: int, accounts: int) -> None:
    for n in range(accounts):
        rows.add(
            "account_versions", instance, "companies", 5_000 + n, BORN + timedelta(minutes=n), name=f"山田製作所 {n}",
            domain=f"yamada{n}.example", website=f"https://yamada{n}.example", corporate_number="7000012050002",
            industry="Manufacturing", employee_count=100 + n, country="JP", region="大阪府", city="大阪市", owner_source_id="71",
            account_type="customer" if n % 2 else "prospect", crm_source_id="001000000000001AAA" if n == 1 else None,
            parent_source_id="5003" if n == 4 else None,
        )  # fmt: skip
    for n in range(people):
        base = {
            "family_name": "山田", "given_name": f"太郎{n} 😀", "email": f"taro{n}@yamada.example", "score": float(n),
            "account_source_id": str(5_000 + n % accounts), "lead_source": "Seminar", "owner_source_id": "71",
            "is_email_opted_out": n % 10 == 0, "is_call_opted_out": False, "crm_source_id": None,
        }  # fmt: skip
        born = BORN + timedelta(minutes=n)
        rows.add("person_versions", instance, "contacts", 101 + n, born, **base, stage="lead", created_at=born)
        if n % 3 == 0:
            rows.add("person_versions", instance, "contacts", 101 + n, born + timedelta(days=5), **base, stage="mql")
        if n % 9 == 0:
            rows.add(
                "person_versions", instance, "contacts", 101 + n, born + timedelta(days=9), **base, stage="disqualified"
            )
        if n == 20:  # changes after the first "now"
            rows.add(
                "person_versions", instance, "contacts", 101 + n, LATER, **{**base, "job_title": "部長"}, stage="sql"
            )


def _deals(rows: Rows, instance: str, deals: int, accounts: int) -> None:
    rows.add(
        "product_versions", instance, "products", 800, BORN, name="Tsunagu Pro", code="TP", family="Pro",
        list_price=Decimal("1200.00"), currency="JPY", is_recurring=True, margin_rate=0.6, is_active=True,
    )  # fmt: skip
    for n in range(deals):
        deal = str(9_000 + n)
        base = {
            "name": f"案件 {n}", "account_source_id": str(5_000 + n % accounts), "deal_type": "new", "pipeline": "new_business",
            "amount": Decimal("1000000.00"), "currency": "JPY", "probability": 0.05, "forecast_category": "pipeline",
            "expected_close_date": date(2026, 3, 31), "owner_source_id": "71", "changed_by_source_id": "71",
        }  # fmt: skip
        born = BORN + timedelta(minutes=n)
        rows.add("deal_versions", instance, "deals", deal, born, **base, stage="inquiry", created_at=born)
        moved = {**base, "amount": Decimal("1500000.50"), "probability": 0.5}
        rows.add("deal_versions", instance, "deals", deal, born + timedelta(days=10), **moved, stage="proposal")
        if n % 2:
            won = {**moved, "probability": 1.0, "forecast_category": "closed"}
            rows.add("deal_versions", instance, "deals", deal, born + timedelta(days=30), **won, stage="won")
        rows.add(
            "deal_line_versions", instance, "line_items", 60_000 + n, born, deal_source_id=deal, product_source_id="800",
            product_family="Pro", quantity=2.0, unit_price=Decimal("600.00"), amount=Decimal("1200.00"), is_recurring=True,
            service_start_date=date(2026, 4, 1), service_end_date=date(2027, 3, 31),
        )  # fmt: skip
        rows.add(
            "deal_person_versions", instance, "deals_contacts", f"{deal}:{101 + n}", born, deal_source_id=deal,
            person_source_id=str(101 + n), role="Decision Maker" if n % 2 else None, is_primary=n % 4 == 0,
        )  # fmt: skip


def _activities(rows: Rows, instance: str) -> None:
    for n, (name, kind) in enumerate(
        [("calls", "call"), ("emails", "email"), ("meetings", "meeting"), ("meetings", "visit"), ("notes", "note"),
         ("tasks", "task")] * 20
    ):  # fmt: skip
        rows.add(
            "activity_versions", instance, name, 30_000 + n, BORN + timedelta(hours=n), kind=kind,
            occurred_at=BORN + timedelta(hours=n), direction="outbound", subject=f"{kind} {n}", person_object="contacts",
            person_source_id=str(101 + n), account_source_id="5000", deal_source_id="9000" if n < 12 else None,
            owner_source_id="71", minutes=30.0, outcome="Connected" if kind == "call" else None, status="Completed",
        )  # fmt: skip
    for n in range(70):
        rows.add(
            "activity_versions", instance, "forms", 80_000 + n, BORN + timedelta(days=1, hours=n), kind="form",
            occurred_at=BORN + timedelta(days=1, hours=n), direction="inbound", subject="資料請求", person_object="contacts",
            person_source_id=str(101 + n % 20), form_name="資料請求" if n % 2 else "Contact us",
        )  # fmt: skip


def _users(rows: Rows, instance: str) -> None:
    for n in range(3):
        rows.add(
            "user_versions", instance, "owners", 71 + n, BORN, name=f"佐藤 {n}", family_name="佐藤", given_name=str(n),
            email=f"sato{n}@tsunagu.example", team="West", is_active=n < 2, role_source_id="40000",
        )  # fmt: skip
    rows.add("role_versions", instance, "teams", 40_000, BORN, name="West")


def _special(rows: Rows) -> None:
    """Archived, merged in a chain, and what happens in the week after."""
    gone = {"stage": "lead", "is_deleted": True, "family_name": "山田", "email": "gone@yamada.example"}
    rows.add("person_versions", "hubspot", "contacts", 110, NOW - timedelta(days=40), **gone)
    rows.add(
        "person_versions", "hubspot", "contacts", 111, NOW - timedelta(days=50), merged_into_source_id="112", **gone
    )
    rows.add(
        "person_versions", "hubspot", "contacts", 112, NOW - timedelta(days=20), merged_into_source_id="113", **gone
    )
    rows.add("person_versions", "hubspot", "contacts", 130, LATER, **gone)
    rows.add("person_versions", "hubspot", "contacts", 131, LATER, merged_into_source_id="132", **gone)
    rows.add(
        "person_account_versions", "hubspot", "contacts_companies", "101:5009", BORN, person_source_id="101",
        account_source_id="5009", role="Advisor", is_primary=False, is_active=True,
    )  # fmt: skip


def hand_made_company() -> Company:
    """The company, fresh."""
    rows = Rows()
    for instance, people, accounts, deals in (("hubspot", 260, 30, 40), ("hubspot_emea", 25, 5, 6)):
        _people_and_accounts(rows, instance, people, accounts)
        _deals(rows, instance, deals, accounts)
        _users(rows, instance)
        _activities(rows, instance)
    _special(rows)
    return Company(7, "small", Simulation(tools=rows.tables(), truth={}))


@dataclass
class Served:
    """A served sandbox: the JSON line's parts, the company behind it, and the requests seen per instance."""

    line: dict[str, Any]
    company: Company
    seen: dict[str, list[tuple[str, str]]]
    refused: Counter[str]
    """Answers with 429, per instance."""

    def count(self, instance: str, part: str = "") -> int:
        return sum(part in path for _, path in self.seen[instance])


@contextmanager
def serving(company: Company, folder: Path, **switches: Any) -> Iterator[Served]:
    """Serves both portals on loopback ports until the block ends."""
    from sources.hubspot.sandbox import mount

    options = SandboxOptions(now=lambda: company.now, folder=folder, **switches)
    mounted = mount(company, ["hubspot", "hubspot_emea"], options)
    mounted.refresh()
    seen: dict[str, list[tuple[str, str]]] = {name: [] for name in mounted.apps}
    refused: Counter[str] = Counter()
    servers = [uvicorn.Server(_configured(name, app, seen[name], refused)) for name, app in mounted.apps.items()]
    threads = [Thread(target=server.run, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        while not all(server.started for server in servers):
            sleep(0.01)
        ports = [server.servers[0].sockets[0].getsockname()[1] for server in servers]
        urls = {name: f"http://127.0.0.1:{port}" for name, port in zip(mounted.apps, ports, strict=True)}
        yield Served(mounted.describe(urls), company, seen, refused)
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join(5)


def _configured(name: str, app: Any, seen: list[tuple[str, str]], refused: Counter[str]) -> uvicorn.Config:
    async def counting(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append((scope["method"], scope["path"]))

        async def noting(message: Any) -> None:
            refused[name] += message["type"] == "http.response.start" and message["status"] == 429
            await send(message)

        await app(scope, receive, noting)

    return uvicorn.Config(counting, port=0, log_level="warning", lifespan="off")
