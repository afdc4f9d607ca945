"""One Pipedrive account's items as of the company's clock, built when first asked for and again after the clock has moved.

They live in the company's own in-memory database, in a schema of their own. This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from sources.pipedrive.sandbox.sql import LISTED, TABLES

if TYPE_CHECKING:
    from sources.demo.company import Company

Row = dict[str, Any]


class Store:
    """Safe for several threads; each call takes a cursor of its own."""

    def __init__(self, company: Company, name: str, crm: str) -> None:
        self._company, self._crm, self._lock = company, crm, RLock()
        self._schema = f"account_{name}"
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

    def rows(self, name: str, where: str, values: Sequence[Any], order: str, limit: int) -> list[Row]:
        """Items of one kind, whole."""
        cursor = self._company.cursor().execute(
            f"select * from {self.table(name)} where {where} order by {order} limit {limit}", list(values)
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def counts(self) -> dict[str, int]:
        """What is there of each kind."""
        found: dict[str, int] = {}
        for name in LISTED:
            select = f"select count(*) from {self.table(name)} where not is_deleted"
            (row,) = self._company.cursor().execute(select).fetchall()
            found[name] = row[0]
        return found
