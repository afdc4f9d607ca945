"""One business unit's objects as of the company's clock, built when first asked for and again after the clock has moved.

They live in the company's own in-memory database, in a schema of their own. This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING, Any

from sources.account_engagement.columns import OBJECTS
from sources.account_engagement.sandbox.sql import TABLES

if TYPE_CHECKING:
    from sources.demo.company import Company

Row = dict[str, Any]
SHIFT = timedelta(hours=9)
"""The API user's preferred time zone: instants are told in it."""


class Store:
    """Safe for several threads; each call takes a cursor of its own."""

    def __init__(self, company: Company, name: str, crm: str) -> None:
        self._company, self._crm, self._lock = company, crm, RLock()
        self._schema = f"unit_{name}"
        self._built: dict[str, datetime] = {}
        company.cursor().execute(f"create schema if not exists {self._schema}")

    def table(self, name: str) -> str:
        """The name of a table of `sql.TABLES`, up to date."""
        with self._lock:
            now = self._company.now
            if self._built.get(name) != now:
                select = TABLES[name](self._crm, self.table)
                self._company.cursor().execute(f"create or replace table {self._schema}.{name} as {select}")
                self._built[name] = now
        return f"{self._schema}.{name}"

    def columns(self, name: str) -> set[str]:
        """The fields that a table has values for."""
        cursor = self._company.cursor().execute(f"select * from {self.table(name)} limit 0")
        return {column[0] for column in cursor.description or ()}

    def rows(self, name: str, where: str, values: Sequence[Any], order: str, limit: int) -> list[Row]:
        """Rows of an object, whole."""
        cursor = self._company.cursor().execute(
            f"select * from {self.table(name)} where {where} order by {order} limit {limit}", list(values)
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def counts(self) -> dict[str, int]:
        """What is there of each object, the recycle bin left out."""
        found: dict[str, int] = {}
        for name, each in OBJECTS.items():
            live = 'where not "isDeleted"' if each.recycled else ""
            row = self._company.cursor().execute(f"select count(*) from {self.table(name)} {live}").fetchone()
            found[name] = int(row[0]) if row else 0
        return found


def told(value: Any) -> Any:
    """A value as the API writes it."""
    if isinstance(value, datetime):
        return f"{value + SHIFT:%Y-%m-%dT%H:%M:%S}+09:00"
    return value
