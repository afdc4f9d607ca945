"""A small company for one tool, made of records whose texts carry marks by which they are found again in raw.

What a record of a tool looks like is taken from the demo company: the first version of one of its records, without its
references. Ids are the demo's own. So nothing here knows a vendor, and a tool that the demo runs is served at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from sources.demo.company import COMPANY_START_NOW, Company, build
from sources.demo.ids import Ids
from sources.demo.simulate import Simulation
from sources.demo.tables import TABLES, TARGET

NOW = COMPANY_START_NOW.replace(tzinfo=None)
BORN = NOW - timedelta(days=30)
MARKED = {"person_versions": "family_name", "account_versions": "name", "deal_versions": "name"}
"""Tables whose records the cases are told with, most telling first, and the column that carries the mark."""
STAFF = ("user_versions", "role_versions", "product_versions")
MARK = re.compile(r"zq(\d+)v(\d+)z")


def mark(number: int, version: int = 1) -> str:
    """The text by which version `version` of record `number` is found in raw."""
    return f"zq{number}v{version}z"


@cache
def demo() -> Company:
    """The demo company that records are copied from."""
    return build(11)


@dataclass(frozen=True)
class Kind:
    """An object of a tool in which records can be made."""

    instance: str
    table: str
    object: str

    @property
    def column(self) -> str:
        return MARKED[self.table]


@cache
def kinds(instance: str) -> tuple[Kind, ...]:
    """The objects of the tool that hold people, accounts or deals, in that order."""
    found = []
    for table in MARKED:
        rows = (
            demo()
            .cursor()
            .execute(f"select distinct object from company.{table} where instance = ? order by 1", [instance])
        )
        found += [Kind(instance, table, name) for (name,) in rows.fetchall()]
    return tuple(found)


@cache
def template(kind: Kind) -> Mapping[str, Any]:
    """A record of that object as the demo has it, without references to others and without an end."""
    rows = (
        demo()
        .cursor()
        .execute(
            f"select * exclude (until) from company.{kind.table} where instance = ? and object = ? and not is_deleted"
            ' order by "at", source_id limit 1',
            [kind.instance, kind.object],
        )
        .to_arrow_table()
    )
    row = rows.to_pylist()[0]
    return {name: None if name.endswith("_source_id") else value for name, value in row.items()}


@cache
def staff(instance: str) -> Mapping[str, pa.Table]:
    """The tool's users, roles and products, as the demo has them."""
    return {
        table: demo().cursor().execute(
            f"select * exclude (until) from company.{table} where instance = ?", [instance]
        ).to_arrow_table().cast(TABLES[table])
        for table in STAFF
    }  # fmt: skip


@dataclass
class Records:
    """The records of one tool: versions noted in any order, and what of them is alive at an instant."""

    instance: str
    ids: Ids = field(default_factory=Ids)
    rows: list[tuple[Kind, dict[str, Any]]] = field(default_factory=list)
    keys: dict[int, tuple[Kind, str]] = field(default_factory=dict)

    def add(self, kind: Kind, at: datetime = BORN, times: int = 1, **values: Any) -> list[int]:
        """New records, all born at one instant; gives their numbers."""
        numbers = []
        for source_id in self.ids.block(self.instance, kind.object, times):
            number = len(self.keys) + 1
            self.keys[number] = kind, source_id
            numbers.append(number)
            self._put(number, at, {**template(kind), "created_at": at, kind.column: mark(number), **values})
        return numbers

    def add_text(self, kind: Kind, text: str, at: datetime = BORN) -> int:
        """A new record whose mark stands at the beginning of a text."""
        return self.add(kind, at, **{kind.column: f"{mark(len(self.keys) + 1)} {text}"})[0]

    def change(self, number: int, at: datetime, **values: Any) -> int:
        """A new version with a mark of its own; gives the version."""
        last = self.newest(number, datetime.max)
        version = 1 + sum(
            row["source_id"] == last["source_id"] for kind, row in self.rows if kind == self.keys[number][0]
        )
        self._put(number, at, {**last, self.keys[number][0].column: mark(number, version), **values})
        return version

    def delete(self, number: int, at: datetime, into: int | None = None) -> None:
        """It is gone, or lives on in the record `into`."""
        winner = self.keys[into][1] if into else None
        last = self.newest(number, datetime.max)
        self._put(number, at, {**last, "is_deleted": True, "merged_into_source_id": winner})

    def newest(self, number: int, now: datetime) -> dict[str, Any]:
        """The version that holds at `now`; empty when there is none yet."""
        kind, source_id = self.keys[number]
        mine = [row for other, row in self.rows if other == kind and row["source_id"] == source_id and row["at"] <= now]
        return max(mine, key=lambda row: row["at"], default={})

    def _put(self, number: int, at: datetime, values: Mapping[str, Any]) -> None:
        kind, source_id = self.keys[number]
        own = {"instance": kind.instance, "object": kind.object, "source_id": source_id, "entity_id": f"e{number}"}
        self.rows.append((kind, {"is_deleted": False, "merged_into_source_id": None, **values, **own, "at": at}))

    def live(self, now: datetime) -> dict[int, str]:
        """Number -> the text that carries its mark, of what is there at `now`."""
        newest: dict[tuple[Kind, str], dict[str, Any]] = {}
        for kind, row in self.rows:
            key = kind, row["source_id"]
            if row["at"] <= now and (key not in newest or newest[key]["at"] <= row["at"]):
                newest[key] = row
        return {
            number: newest[key][key[0].column]
            for number, key in self.keys.items()
            if key in newest and not newest[key]["is_deleted"]
        }

    def tables(self, rows: Iterable[tuple[Kind, Mapping[str, Any]]] | None = None) -> dict[str, pa.Table]:
        """One Arrow table per tool table."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for kind, row in self.rows if rows is None else rows:
            found.setdefault(kind.table, []).append(row)
        made = {
            name: pa.Table.from_pylist(
                [{column: row.get(column) for column in schema.names} for row in found.get(name, [])], schema
            )
            for name, schema in TABLES.items()
        }
        return {**made, **staff(self.instance), "target": TARGET.empty_table()}

    def company(self) -> Company:
        """The company with these records."""
        return Company(11, "small", Simulation(self.tables(), {}))

    def insert(self, company: Company, since: int) -> None:
        """Records noted after the first `since` rows come into a company that is served already; new records only."""
        for kind, row in self.rows[since:]:
            table = pa.Table.from_pylist([{c: row.get(c) for c in TABLES[kind.table].names}], TABLES[kind.table])
            cursor = company.cursor()
            cursor.register("late", table)
            cursor.execute(f"insert into company.{kind.table} by name select * from late")
            cursor.unregister("late")
