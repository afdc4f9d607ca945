"""One org over the demo company: its objects as tables as of the company's clock, and queries over them as JSON or CSV rows.

A snapshot of an object is made when it is first asked for at an instant, kept while that instant is "now" and for open
query locators a little longer. Must not know HTTP.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sources.salesforce.sandbox.deals import DEAL_OBJECTS
from sources.salesforce.sandbox.fields import Field, ObjectType
from sources.salesforce.sandbox.ids import suffix_macro
from sources.salesforce.sandbox.objects import PEOPLE_OBJECTS, REFERENCE_OBJECTS
from sources.salesforce.sandbox.work import WORK_OBJECTS

if TYPE_CHECKING:
    import duckdb

    from sources.demo.company import Company

OBJECTS: dict[str, ObjectType] = {
    each.name: each for each in (*PEOPLE_OBJECTS, *DEAL_OBJECTS, *WORK_OBJECTS, *REFERENCE_OBJECTS)
}
DATA_OBJECTS: tuple[str, ...] = tuple(each.name for each in (*PEOPLE_OBJECTS, *DEAL_OBJECTS, *WORK_OBJECTS))
KEPT_SNAPSHOTS = 4  # of one object: a query begun before the clock moved goes on over its own
_SQL_TYPES = {
    "boolean": "boolean", "int": "bigint", "double": "double", "currency": "double", "percent": "double",
    "date": "date", "datetime": "timestamp", "address": "json", "anyType": "json",
}  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """An object's rows at one instant, in the order of their stamps."""

    object: ObjectType
    table: str
    at: datetime


class Org:
    """The objects of one instance. Thread-safe: every call works on a cursor of its own."""

    def __init__(self, company: Company, instance: str, forbidden: Sequence[str] = ()) -> None:
        self._company, self._instance = company, instance
        self._schema = f"sandbox_{instance}"
        self._forbidden = {name.lower() for name in forbidden}
        self._objects = {each.name.lower(): each for each in OBJECTS.values()}
        self._snapshots: dict[str, Snapshot] = {}
        self._tables: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        cursor = company.cursor()
        cursor.execute(f"create schema if not exists {self._schema}")
        cursor.execute(suffix_macro("salesforce_id"))

    @property
    def now(self) -> datetime:
        """The company's clock, naive UTC."""
        return self._company.now.replace(tzinfo=None)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        return self._company.cursor()

    def objects(self) -> list[ObjectType]:
        """Objects that the signed-in user may read."""
        return [each for name, each in sorted(self._objects.items()) if name not in self._forbidden]

    def find(self, name: str) -> ObjectType | None:
        """An object by name in any letter case; None when there is none, or no permission for it."""
        return None if name.lower() in self._forbidden else self._objects.get(name.lower())

    def snapshot(self, each: ObjectType) -> Snapshot:
        """The object's rows as of now."""
        now = self.now
        with self._lock:
            kept = self._snapshots.get(each.name)
            if kept is not None and kept.at == now:
                return kept
            table = f'{self._schema}."{each.name}_{now:%Y%m%d%H%M%S}"'
            source = each.source.replace("{instance}", self._instance)
            columns = ", ".join(f'({one.sql or "null"})::{sql_type(one)} as "{one.name}"' for one in each.fields)
            order = ", ".join(f'"{name}"' for name in (each.order, "Id"))
            self.cursor().execute(f"create or replace table {table} as select {columns} from {source} order by {order}")
            made = Snapshot(each, table, now)
            self._snapshots[each.name] = made
            self._drop_old(each, table)
            return made

    def _drop_old(self, each: ObjectType, table: str) -> None:
        """Frees snapshots that no open query can still be reading."""
        tables = self._tables.setdefault(each.name, [])
        tables.append(table)
        while len(tables) > KEPT_SNAPSHOTS:
            self.cursor().execute(f"drop table if exists {tables.pop(0)}")

    def count(self, each: ObjectType, *, with_deleted: bool) -> int:
        """Rows of `query` or of `queryAll`."""
        where = ' where not "IsDeleted"' if each.has_is_deleted and not with_deleted else ""
        row = self.cursor().execute(f"select count(*) from {self.snapshot(each).table}{where}").fetchone()
        return int(row[0]) if row else 0

    def deleted(self, each: ObjectType, start: datetime, end: datetime) -> list[tuple[str, datetime]]:
        """(id, when) of records deleted in [start, end), oldest first."""
        if each.deletion == "flag" and each.has_is_deleted:
            rows = f'select "Id", "{each.order}" from {self.snapshot(each).table} where "IsDeleted"'
        elif each.deleted_sql:
            rows = each.deleted_sql.replace("{instance}", self._instance)
        else:
            return []
        found: list[Any] = (
            self.cursor()
            .execute(
                f"select * from ({rows}) gone(id, stamp) where stamp >= ? and stamp < ? order by stamp, id",
                [start, end],
            )
            .fetchall()
        )
        return [(row[0], row[1]) for row in found]

    def updated(self, each: ObjectType, start: datetime, end: datetime) -> list[str]:
        """Ids of records that were made or changed in [start, end)."""
        alive = ' and not "IsDeleted"' if each.has_is_deleted else ""
        found: list[Any] = (
            self.cursor()
            .execute(
                f'select "Id" from {self.snapshot(each).table} where "{each.order}" >= ? and "{each.order}" < ?{alive}',
                [start, end],
            )
            .fetchall()
        )
        return [row[0] for row in found]


def sql_type(each: Field) -> str:
    return _SQL_TYPES.get(each.type, "varchar")
