"""A company written by hand for the Marketo tests, and its subscription served: small, but with every case in it.

700 leads of which some change, are deleted, or are merged (a chain too); programs with members; activities at one instant. One
week after the start more of all that happens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
from sources.marketo.sandbox import Subscription, mount_all

NOW = COMPANY_START_NOW.replace(tzinfo=None)
LATER = NOW + timedelta(days=3)
BORN = datetime(2026, 3, 6, 1, 2, 3)
LEADS, PROGRAMS = 700, 23
FIRST = 1_000_001


class Rows:
    """Collects version rows per table; unnamed columns are null."""

    def __init__(self) -> None:
        self.of: dict[str, list[dict[str, Any]]] = {}

    def add(self, table: str, kept_in: str, source_id: int | str, at: datetime, **values: Any) -> None:
        row = {
            "instance": "marketo",
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


def lead(n: int) -> dict[str, Any]:
    """The fields of the n-th lead when it is created."""
    return {
        "family_name": "山田, 太郎" if n == 3 else "山田", "given_name": f"太郎{n} 😀" if n % 2 else 'Anna "A"\nline',
        "email": f"taro{n}@yamada.example", "company_name": f"山田製作所 {n}", "score": 10.0,
        "job_title": None if n % 3 else "部長", "lead_source": ("Newsletter", "Seminar", "Web")[n % 3],
        "is_email_opted_out": False, "is_call_opted_out": n % 10 == 0,
        "crm_source_id": f"00Q5i0000000{n:03d}AAA" if n % 4 == 0 else None,
    }  # fmt: skip


def _people(rows: Rows) -> None:
    for n in range(LEADS):
        born = BORN + timedelta(hours=8 * n)
        if born > NOW:
            born = NOW - timedelta(hours=1)
        base = {**lead(n), "created_at": born}
        number = FIRST + n
        rows.add("person_versions", "leads", number, born, **base, stage="lead")
        if n % 5 == 0:
            moved = {**base, "score": 35.0}
            rows.add("person_versions", "leads", number, born + timedelta(minutes=30), **moved, stage="mql")
        if n % 50 == 1:
            rows.add(
                "person_versions", "leads", number, born + timedelta(minutes=40), **base, stage="lead", is_deleted=True
            )
        if n in (20, 400):  # changes after the first "now"
            changed = {**base, "job_title": "課長", "crm_source_id": "0035i000000012XAAQ"}
            rows.add("person_versions", "leads", number, LATER, **changed, stage="sql")
    gone = {"stage": "lead", "is_deleted": True}
    for loser, winner, at in ((11, 12, 50), (12, 13, 20)):
        rows.add(
            "person_versions", "leads", FIRST + loser, NOW - timedelta(days=at), **lead(loser),
            merged_into_source_id=str(FIRST + winner), **gone,
        )  # fmt: skip
    rows.add("person_versions", "leads", FIRST + 31, LATER, **lead(31), merged_into_source_id=str(FIRST + 32), **gone)
    rows.add("person_versions", "leads", FIRST + 33, LATER, **lead(33), **gone)
    rows.add("person_versions", "leads", FIRST + LEADS, LATER, **lead(LEADS), stage="lead", created_at=LATER)
    opted_out = {**lead(30), "is_email_opted_out": True}
    rows.add("person_versions", "leads", FIRST + 30, LATER, **opted_out, stage="mql", created_at=BORN)


def _programs(rows: Rows) -> None:
    kinds = (("Webinar", "seminar"), ("Email", "newsletter"), ("Content", "website"), ("Nurture", "newsletter"))
    for n in range(PROGRAMS):
        kind, channel = kinds[n % 4]
        rows.add(
            "campaign_versions", "programs", 1_001 + n, BORN + timedelta(days=n), name=f"2026 プログラム {n}", campaign_type=kind,
            channel=channel, status="In Progress", start_date=date(2026, 4, 1), end_date=date(2026, 9, 30),
            crm_source_id=f"7015i0000000{n:03d}AAA" if n % 2 else None, created_at=BORN + timedelta(days=n),
        )  # fmt: skip
    rows.add(
        "campaign_versions", "programs", 1_003, LATER, name="2026 プログラム 2 改", campaign_type="Content", channel="website",
        status="Completed", start_date=date(2026, 4, 1), end_date=date(2026, 9, 30), created_at=BORN,
    )  # fmt: skip
    for n in range(350):
        program, number = 1_001 + n % 3, FIRST + 2 * n
        joined = BORN + timedelta(days=60, minutes=n)
        fields = {"campaign_source_id": str(program), "person_object": "leads", "person_source_id": str(number)}
        key = f"{program}:{number}"
        rows.add("campaign_member_versions", "program_members", key, joined, **fields, status="Sent", created_at=joined)
        if n % 7 == 0:
            at = LATER if n == 14 else joined + timedelta(days=1)
            rows.add(
                "campaign_member_versions", "program_members", key, at, **fields, status="Clicked", responded_at=at,
                created_at=joined,
            )  # fmt: skip


def _activities(rows: Rows) -> None:
    kinds = ("web_visit", "form", "email", "email_open", "email_click", "seminar")
    for n in range(1_500):
        at = BORN + timedelta(hours=n) if n < 900 else BORN + timedelta(days=90)  # 600 at one instant
        kind = kinds[n % 6]
        if n % 100 == 99:
            at = LATER + timedelta(minutes=n)
        rows.add(
            "activity_versions", "activities", 800_000_001 + n, at, kind=kind, occurred_at=at, direction="inbound",
            subject=f"/page/{n % 7}" if kind == "web_visit" else f"件名 {n % 7}", person_object="leads",
            person_source_id=str(FIRST + n % LEADS), status="Completed", created_at=at,
            campaign_source_id=None if kind == "web_visit" else str(1_001 + n % PROGRAMS),
            form_name="資料請求" if kind == "form" else None,
        )  # fmt: skip


def hand_made_company() -> Company:
    """The company, fresh."""
    rows = Rows()
    _people(rows)
    _programs(rows)
    _activities(rows)
    return Company(7, "small", Simulation(tools=rows.tables(), truth={}))


@dataclass
class Served:
    """A served subscription: its part of the JSON line, what is behind it, and the requests seen."""

    line: dict[str, Any]
    company: Company
    subscription: Subscription
    seen: list[tuple[str, str]]

    def count(self, part: str) -> int:
        return sum(part in path for _, path in self.seen)

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.line["marketo"])


@contextmanager
def serving(company: Company, folder: Path, **switches: Any) -> Iterator[Served]:
    """Serves the subscription on a loopback port until the block ends."""
    options = SandboxOptions(now=lambda: company.now, folder=folder, **switches)
    subscription = Subscription(company, "marketo", options)
    mounted = mount_all({"marketo": subscription}, options)
    mounted.refresh()
    seen: list[tuple[str, str]] = []
    app = mounted.apps["marketo"]

    async def counting(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    server = uvicorn.Server(uvicorn.Config(counting, port=0, log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(mounted.describe({"marketo": f"http://127.0.0.1:{port}"}), company, subscription, seen)
    finally:
        server.should_exit = True
        thread.join(5)
