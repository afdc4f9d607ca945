"""The demo company: builds it from (seed, scale) and shows it as of its clock.

Everything is a pure function of seed and scale, simulated up to half a year past the start; `now` only cuts. This file
joins the parts and must not decide anything about the business.

In SQL (through `cursor()`): `company.<table>` all versions, past and future; `visible.<table>` versions with at <= now;
`current.accounts, people, person_accounts, deals, deal_lines, deal_people, deal_splits, products, users, roles, campaigns,
campaign_members, activities` the newest visible version per (instance, object, source_id), deleted ones with their flag;
`company.clock` one row (now, start_now); `company.target`. Schema `truth` is for `truth.py` only, a sandbox must not read it. `at` is a word of DuckDB's grammar: write `"at"` inside functions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Literal

import duckdb
import pyarrow as pa

from sources.demo.simulate import Simulation, simulate
from sources.demo.tables import CURRENT_NAME, INSTANCE_VENDOR, TABLES

COMPANY_START_NOW = datetime(2026, 10, 30, 9, 0, tzinfo=UTC)
Scale = Literal["small", "medium", "large"]


class Company:
    """A built company. `now` is aware UTC."""

    def __init__(self, seed: int, scale: Scale, simulation: Simulation) -> None:
        self.seed, self.scale = seed, scale
        self._now, self._lock = COMPANY_START_NOW, Lock()
        self._con = duckdb.connect(":memory:")
        _fill(self._con, simulation.tools)
        _keep_truth(self._con, simulation.truth)
        _make_views(self._con, self._now)

    @property
    def now(self) -> datetime:
        return self._now

    def advance(self, days: int) -> datetime:
        """Moves the clock forward and gives the new now; the past does not change."""
        if days < 0:
            raise ValueError(f"days must be 0 or more, not {days}: the company's clock never goes back")
        with self._lock:
            self._now += timedelta(days=days)
            self._con.cursor().execute("update company.clock set now = ?", [self._now.replace(tzinfo=None)])
        return self._now

    def con(self) -> duckdb.DuckDBPyConnection:
        """The in-memory database's own connection; use `cursor()` from any thread but the builder's."""
        return self._con

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, safe for one thread."""
        return self._con.cursor()

    def instances(self, vendor: str) -> list[str]:
        """The instances that the company runs of a vendor."""
        return [name for name, owner in INSTANCE_VENDOR.items() if owner == vendor]


def _fill(con: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> None:
    con.execute("create schema company")
    for name in [*TABLES, "target"]:
        arrow = tables.pop(name)
        con.register("incoming", arrow)
        if name == "target":
            con.execute("create table company.target as select * from incoming")
        else:
            con.execute(
                f'create table company.{name} as select *, lead("at") over'
                ' (partition by instance, object, source_id order by "at") as until'
                ' from incoming order by instance, object, source_id, "at"'
            )
        con.unregister("incoming")


def _keep_truth(con: duckdb.DuckDBPyConnection, tables: dict[str, pa.Table]) -> None:
    con.execute("create schema truth")
    for name, table in tables.items():
        con.register("incoming", table)
        con.execute(f"create table truth.{name} as select * from incoming")
        con.unregister("incoming")


def _make_views(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    con.execute("create table company.clock (now timestamp, start_now timestamp)")
    con.execute("insert into company.clock values (?, ?)", [now.replace(tzinfo=None)] * 2)
    con.execute("create schema visible; create schema current")
    for name, short in CURRENT_NAME.items():
        con.execute(
            f"create view visible.{name} as select * exclude (until) from company.{name}"
            ' where "at" <= (select now from company.clock)'
        )
        con.execute(
            f"create view current.{short} as select * exclude (until) from company.{name}"
            ' where "at" <= (select now from company.clock)'
            " and (until is null or until > (select now from company.clock))"
        )


def build(seed: int, scale: Scale = "small") -> Company:
    """Builds the company; small takes a second or two, medium about a minute."""
    return Company(seed, scale, simulate(seed, scale))
