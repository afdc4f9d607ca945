"""The apps' records as of the company's clock, made when first asked for and again after the clock has moved.

They live in the company's own in-memory database (schema `kintone_<instance>`). This file must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from sources.kintone.sandbox.apps import APPS, AppField, AppForm, Table
from sources.kintone.sandbox.query import Query

if TYPE_CHECKING:
    from sources.demo.company import Company

Row = dict[str, Any]

# Every app has them: https://kintone.dev/en/docs/kintone/overview/field-types/
NUMBER, CREATOR, CREATED, MODIFIER, UPDATED = "レコード番号", "作成者", "作成日時", "更新者", "更新日時"
SYSTEM: Final = (
    AppField("$id", "__ID__"), AppField("$revision", "__REVISION__"), AppField(NUMBER, "RECORD_NUMBER"),
    AppField(CREATOR, "CREATOR"), AppField(CREATED, "CREATED_TIME"), AppField(MODIFIER, "MODIFIER"),
    AppField(UPDATED, "UPDATED_TIME"),
)  # fmt: skip
_VERSIONS: Final = {
    "accounts": "account_versions", "people": "person_versions", "deals": "deal_versions",
    "activities": "activity_versions", "products": "product_versions", "users": "user_versions",
    "deal_people": "deal_person_versions", "deal_lines": "deal_line_versions",
}  # fmt: skip


class Store:
    """One domain's records."""

    def __init__(self, company: Company, instance: str) -> None:
        self._company, self.instance = company, instance
        self._schema = f"kintone_{instance}"
        self._made_for: datetime | None = None
        self._lock = RLock()
        self._users: dict[str, str] = {}
        self.apps = {app.id: app for app in APPS}

    def types(self, app: AppForm) -> dict[str, str]:
        """The fields that a query may name, with their types."""
        return {one.code: one.type for one in (*SYSTEM, *app.fields)}

    def records(self, app: AppForm, query: Query, wanted: Sequence[str] = ()) -> list[Row]:
        """Records as kintone answers them; `wanted` field codes only, if any are given."""
        rows = self._rows(
            f"select * from {self._table(app.name)} where {query.where} order by {query.order}"
            f" limit {query.limit} offset {query.offset}",
            query.values,
        )
        fields = [one for one in (*SYSTEM, *app.fields) if not wanted or one.code in wanted]
        tables = [table for table in app.tables if not wanted or table.code in wanted]
        lines = {table.code: self._lines(app, table, [row["$id"] for row in rows]) for table in tables}
        return [
            {
                **{one.code: self._cell(one, row.get(one.code)) for one in fields},
                **{
                    table.code: {"type": "SUBTABLE", "value": lines[table.code].get(row["$id"], [])} for table in tables
                },
            }
            for row in rows
        ]

    def total(self, app: AppForm, query: Query) -> int:
        """How many records meet the query's conditions."""
        found = self._rows(f"select count(*) as n from {self._table(app.name)} where {query.where}", query.values)
        return int(found[0]["n"])

    def numbers(self, app: AppForm, query: Query) -> list[int]:
        """The record numbers that meet the query, in its order: what a cursor keeps."""
        found = self._rows(
            f'select "$id" from {self._table(app.name)} where {query.where} order by {query.order}', query.values
        )
        return [int(row["$id"]) for row in found]

    def counts(self) -> dict[str, int]:
        """Live records of each app."""
        return {app.name: self.total(app, Query()) for app in APPS}

    # one value -------------------------------------------------------------------------------------------------------
    def _cell(self, one: AppField, value: Any) -> Row:
        return {"type": one.type, "value": self._value(one.type, value)}

    def _value(self, kind: str, value: Any) -> Any:
        if kind == "FILE":
            return []
        if kind == "USER_SELECT":
            return [] if value is None else [self._person(value)]
        if kind in ("CREATOR", "MODIFIER"):
            return self._person(value or "Administrator")
        if kind == "CHECK_BOX":
            return [] if value is None else [value]
        if value is None:
            return None if kind in ("DATE", "DROP_DOWN", "RADIO_BUTTON") else ""
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%dT%H:%M:00Z}"
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, (float, Decimal)):
            return f"{Decimal(str(value)).normalize():f}"
        return str(value)

    def _person(self, code: str) -> Row:
        return {"code": code, "name": self._users.get(code, code)}

    # tables ----------------------------------------------------------------------------------------------------------
    def _lines(self, app: AppForm, table: Table, numbers: list[int]) -> dict[int, list[Row]]:
        if not numbers:
            return {}
        found: dict[int, list[Row]] = {}
        rows = self._rows(
            f"select * from {self._table(f'{app.name}.{table.code}')} where parent in (select unnest(?)) order by row_id",
            [numbers],
        )
        for row in rows:
            values = {one.code: self._cell(one, row[one.code]) for one in table.fields}
            found.setdefault(row["parent"], []).append({"id": str(row["row_id"]), "value": values})
        return found

    def _table(self, name: str) -> str:
        with self._lock:
            if self._made_for != self._company.now:
                self._make()
                self._made_for = self._company.now
        return f'{self._schema}."{name}"'

    def _make(self) -> None:
        cursor = self._company.cursor()
        cursor.execute(f"create schema if not exists {self._schema}")
        for app in APPS:
            columns = ", ".join(f'{one.sql} as "{one.code}"' for one in app.fields)
            system = (
                f'{app.number} as "$id", coalesce(v.n, 1) as "$revision", {app.number} as "{NUMBER}",'
                f' {app.modifier} as "{CREATOR}", date_trunc(\'minute\', r.created_at) as "{CREATED}",'
                f' {app.modifier} as "{MODIFIER}", date_trunc(\'minute\', r."at") as "{UPDATED}"'
            )
            cursor.execute(
                f'create or replace table {self._schema}."{app.name}" as select {system}, {columns}'
                f" from {self._source(app.source, app.object)} order by 1"
            )
            for table in app.tables:
                columns = ", ".join(f'{one.sql} as "{one.code}"' for one in table.fields)
                cursor.execute(
                    f'create or replace table {self._schema}."{app.name}.{table.code}" as'
                    f" select {table.parent} as parent, {table.row_id} as row_id, {columns}"
                    f" from {self._source(table.source, None)}"
                )
        users = self._rows("select source_id, name from current.users where instance = ?", [self.instance])
        self._users = {row["source_id"]: row["name"] for row in users}

    def _source(self, view: str, kept_in: str | None) -> str:
        """Live rows `r`, their number of versions `v.n`, and a number `n.number` in the order of creation."""
        versions = _VERSIONS[view]
        mine = f"instance = '{self.instance}'" + (f" and object = '{kept_in}'" if kept_in else "")
        return (
            f"(select * from current.{view} where {mine} and not is_deleted) r"
            f" left join (select source_id, count(*) as n from visible.{versions} where {mine} group by all) v using (source_id)"
            f" left join (select source_id, row_number() over (order by min(created_at), source_id) as number"
            f" from company.{versions} where {mine} group by source_id) n using (source_id)"
        )

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        cursor = self._company.cursor().execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
