"""One subscription's tables as of the company's clock, built when first asked for and again after the clock has moved.

They live in the company's own in-memory database (schema `marketo_<instance>`). This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from sources.marketo.sandbox import words
from sources.marketo.sandbox.sql import TABLES, literal

if TYPE_CHECKING:
    from sources.demo.company import Company

Row = dict[str, Any]


class Store:
    """Safe for several threads; each call takes a cursor of its own."""

    def __init__(self, company: Company, instance: str) -> None:
        self.instance, self._company, self._lock = instance, company, RLock()
        self._schema = f"marketo_{instance}"
        self._built: dict[str, datetime] = {}
        company.cursor().execute(f"create schema if not exists {self._schema}")

    @property
    def now(self) -> datetime:
        """The company's clock."""
        return self._company.now

    def table(self, name: str) -> str:
        """The name of a table of `sql.TABLES`, up to date."""
        with self._lock:
            now = self._company.now
            if self._built.get(name) != now:
                select = TABLES[name](self.instance, self.table)
                self._company.cursor().execute(f"create or replace table {self._schema}.{name} as {select}")
                self._built[name] = now
        return f"{self._schema}.{name}"

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """The answer to a query."""
        cursor = self._company.cursor().execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, values: Sequence[Any] = ()) -> int:
        """The single number of a query."""
        row = self._company.cursor().execute(sql, list(values)).fetchone()
        return int(row[0] or 0) if row else 0

    def leads(
        self, wanted: Sequence[str], where: str, values: Sequence[Any] = (), limit: int | None = None
    ) -> list[Row]:
        """Leads with the wanted fields, by id."""
        columns = ", ".join(f'"{name}"' for name in wanted)
        first = "" if limit is None else f" limit {limit}"
        return self.rows(f"select {columns} from {self.table('leads')} where {where} order by id{first}", values)

    def members_of(self, number: int) -> str:
        """SQL: ids of the living leads on a static list."""
        return (
            f"select coalesce(m.winner, v.lead) as id from {self.table('list_moves')} v"
            f" left join {self.table('merges')} m on m.loser = v.lead where v.list = {number}"
            f' group by 1 having max_by(v.added, v."at")'
        )

    def counts(self) -> dict[str, int]:
        """What the JSON line says is there."""
        return {
            "leads": self.one(f"select count(*) from {self.table('leads')}"),
            "activities": self.one(f"select count(*) from {self.table('activities')}"),
            "deleted_leads": self.one(f"select count(*) from {self.table('deleted')}"),
            "programs": self.one(f"select count(*) from {self.table('programs')}"),
            "program_members": self.one(f"select count(*) from {self.table('members')}"),
            "static_lists": len(words.LISTS),
            "static_list_members": sum(
                self.one(f"select count(*) from ({self.members_of(n)}) join {self.table('leads')} using (id)")
                for n, _, _ in words.LISTS
            ),
        }


def instant(value: datetime | None) -> str | None:
    """Marketo's form of an instant."""
    return None if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"


def plain(row: Row) -> Row:
    """The row with its instants and days as text."""
    return {
        name: instant(value)
        if isinstance(value, datetime)
        else value.isoformat()
        if hasattr(value, "isoformat")
        else value
        for name, value in row.items()
    }


__all__ = ["Row", "Store", "instant", "literal", "plain"]
