"""A company written by hand for the kintone tests, and its domain served: small, but with every case in it.

10,001 activities saved in one minute; deals with subtables that change; contacts that are deleted; one week after the start more
of all that happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from sources.kintone.sandbox import Domain, mount_all

NOW = COMPANY_START_NOW.replace(tzinfo=None)
LATER = NOW + timedelta(days=3)
BORN = datetime(2026, 3, 6, 1, 2)
CROWDED = datetime(2026, 9, 1, 3, 4)
CUSTOMERS, CONTACTS, DEALS, ACTIVITIES = 20, 30, 8, 10_001


@dataclass
class Rows:
    """Collects version rows per table; unnamed columns are null."""

    of: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, kept_in: str, source_id: int | str, at: datetime, **values: Any) -> None:
        row = {
            "instance": "kintone",
            "object": kept_in,
            "source_id": str(source_id),
            "entity_id": f"e-{kept_in}-{source_id}",
            "at": at,
            "created_at": values.pop("created_at", BORN),
            "is_deleted": values.pop("is_deleted", False),
            **values,
        }
        self.of.setdefault(table, []).append({**dict.fromkeys(TABLES[table].names), **row})

    def tables(self) -> dict[str, pa.Table]:
        every = {**TABLES, "target": TARGET}
        return {name: pa.Table.from_pylist(self.of.get(name, []), schema=schema) for name, schema in every.items()}


def _staff(rows: Rows) -> None:
    for code, name, manager in (("akemi", "井上 明美", None), ("shota", "遠藤 翔太", "akemi")):
        rows.add(
            "user_versions", "users", code, BORN, name=name, email=f"{code}@hikari.example", team="関西営業部",
            department="西日本", manager_source_id=manager, is_active=True,
        )  # fmt: skip
    rows.add(
        "product_versions", "products", 1, BORN, name="Platform", code="P-1", family="Platform",
        list_price=Decimal("60000.00"), currency="JPY", is_recurring=True, margin_rate=0.78, is_active=True,
    )  # fmt: skip


def _accounts(rows: Rows) -> None:
    for n in range(1, CUSTOMERS + 1):
        values = {
            "name": f"株式会社山田{n} 😀" if n % 2 else '"山田" \\ 商事\n',
            "employee_count": None if n % 3 == 0 else 10 * n,
            "country": "JP",
            "owner_source_id": "shota" if n != 4 else "taro",
            "account_type": "customer",
            "parent_source_id": "1" if n == 2 else None,
        }
        rows.add("account_versions", "customers", n, BORN + timedelta(minutes=n), **values)
        if n == 3:
            rows.add("account_versions", "customers", n, LATER, **{**values, "account_type": "former"})
    for n in range(1, CONTACTS + 1):
        values = {
            "family_name": "佐藤", "given_name": f"学{n}", "email": f"manabu{n}@yamada.example",
            "account_source_id": str(1 + n % CUSTOMERS), "owner_source_id": "shota",
        }  # fmt: skip
        rows.add("person_versions", "contacts", n, BORN + timedelta(hours=n), **values)
        if n == 5:
            rows.add("person_versions", "contacts", n, NOW - timedelta(days=30), **values, is_deleted=True)
        if n == 6:
            rows.add("person_versions", "contacts", n, LATER, **values, is_deleted=True)


def deal(n: int) -> dict[str, Any]:
    return {
        "name": f"案件{n}", "account_source_id": "1", "deal_type": "renewal" if n % 2 else "upsell",
        "pipeline": "renewal" if n % 2 else "new_business", "stage": "proposal", "amount": Decimal("1234567.50"),
        "currency": "JPY", "probability": 0.5, "forecast_category": "best_case",
        "expected_close_date": date(2026, 12, 31), "owner_source_id": "shota", "changed_by_source_id": "shota",
    }  # fmt: skip


def _deals(rows: Rows) -> None:
    for n in range(1, DEALS + 1):
        made = BORN + timedelta(days=n)
        rows.add("deal_versions", "deals", n, made, **deal(n), created_at=made)
        for line in (2 * n - 1, 2 * n):
            rows.add(
                "deal_line_versions", "deal_lines", line, made, deal_source_id=str(n), product_source_id="1",
                product_family="Platform", quantity=2.0, unit_price=Decimal("100.25"), amount=Decimal("200.50"),
                service_start_date=date(2027, 1, 1), is_recurring=line % 2 == 0,
            )  # fmt: skip
        rows.add(
            "deal_person_versions", "deals_contacts", f"{n}:{n}", made, deal_source_id=str(n), person_source_id=str(n),
            role="Evaluator", is_primary=True,
        )  # fmt: skip
    won = {**deal(1), "stage": "won", "probability": 1.0, "forecast_category": "closed"}
    rows.add("deal_versions", "deals", 1, LATER, **won, created_at=BORN + timedelta(days=1))
    # Deal 2 loses one of its lines, and gains one.
    rows.add("deal_versions", "deals", 2, LATER, **deal(2), created_at=BORN + timedelta(days=2))
    rows.add("deal_line_versions", "deal_lines", 3, LATER, deal_source_id="2", is_deleted=True)
    rows.add(
        "deal_line_versions", "deal_lines", 99, LATER, deal_source_id="2", product_source_id="1",
        quantity=1.0, amount=Decimal("5.00"), is_recurring=False,
    )  # fmt: skip


def _activities(rows: Rows) -> None:
    for n in range(1, ACTIVITIES + 1):
        rows.add(
            "activity_versions", "activities", n, CROWDED, created_at=CROWDED, kind="call", occurred_at=CROWDED,
            direction="outbound", subject="日程調整", person_object="contacts", person_source_id="1",
            account_source_id="1", owner_source_id="shota", minutes=12.0, status="Completed",
        )  # fmt: skip


def hand_made_company(*, crowded: bool = False) -> Company:
    """The company; with `crowded` its 10,001 activities too."""
    rows = Rows()
    _staff(rows)
    _accounts(rows)
    _deals(rows)
    if crowded:
        _activities(rows)
    return Company(7, "small", Simulation(rows.tables(), {}))


@dataclass
class Served:
    """A served domain: its part of the JSON line, and what is behind it."""

    line: dict[str, Any]
    company: Company
    domain: Domain

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.line["kintone"])

    def asked(self, path: str) -> list[dict[str, Any]]:
        """Parameters of the calls of that path so far."""
        return [dict(call.parameters) for call in self.domain.log if call.path == path]


@contextmanager
def serving(company: Company, folder: Path, **switches: Any) -> Iterator[Served]:
    """Serves the domain on a loopback port until the block ends."""
    domain = Domain(company, "kintone", SandboxOptions(now=lambda: company.now, folder=folder, **switches))
    mounted = mount_all({"kintone": domain})
    server = uvicorn.Server(uvicorn.Config(mounted.apps["kintone"], port=0, log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(mounted.describe({"kintone": f"http://127.0.0.1:{port}"}), company, domain)
    finally:
        server.should_exit = True
        thread.join(5)
