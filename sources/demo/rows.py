"""Records in tools and their versions, and how they become Arrow tables. Knows no business rule.

Inside the generator instants are epoch seconds, days epoch days and money floats; here they get the types of `tables.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from sources.demo.tables import DAY, INSTANT, MONEY, TABLES

_CHUNK = 100_000


class Record:
    """One record in one tool. Changes may be noted in any order; versions are written when the log is folded."""

    __slots__ = ("changes", "created", "entity_id", "fields", "head", "source_id", "table")

    def __init__(
        self, table: str, instance: str, object_name: str, source_id: str, entity_id: str, created: int, **fields: Any
    ) -> None:
        self.table, self.head = table, (instance, object_name)
        self.source_id, self.entity_id, self.created = source_id, entity_id, created
        self.fields, self.changes = fields, list[tuple[int, dict[str, Any]]]()

    def change(self, at: int, **fields: Any) -> None:
        """A change before the creation shapes the first version."""
        if at <= self.created:
            self.fields.update(fields)
        else:
            self.changes.append((at, fields))

    def delete(self, at: int) -> None:
        self.change(at, is_deleted=True)

    def merge_into(self, at: int, winner: str) -> None:
        self.change(at, is_deleted=True, merged_into_source_id=winner)


class Log:
    """Collects records and finished columns, and turns them into one Arrow table per tool table."""

    def __init__(self) -> None:
        self._records: dict[str, list[Record]] = {name: [] for name in TABLES}
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in TABLES}

    def add(self, record: Record) -> Record:
        self._records[record.table].append(record)
        return record

    def add_columns(self, table: str, columns: Mapping[str, Any], rows: int) -> None:
        """Columns of equal length; those left out are null."""
        schema = TABLES[table]
        arrays = [
            typed(columns[field.name], field.type) if field.name in columns else pa.nulls(rows, field.type)
            for field in schema
        ]
        self._parts[table].append(pa.Table.from_arrays(arrays, schema=schema))

    def settle(self, table: str, over: int = 0) -> None:
        """Writes the versions of the table's records, when there are more than `over`; nothing may change them afterwards.

        Their fields are let go (a large company would not fit otherwise); ids and instants stay readable.
        """
        records = self._records[table]
        if len(records) > over:
            self._parts[table].extend(_fold(table, records))
            for record in records:
                record.fields, record.changes = {}, []
            records.clear()

    def tables(self) -> dict[str, pa.Table]:
        for name in self._records:
            self.settle(name)
        return {
            name: pa.concat_tables(parts) if parts else TABLES[name].empty_table()
            for name, parts in self._parts.items()
        }


def _fold(name: str, records: list[Record]) -> list[pa.Table]:
    names = TABLES[name].names
    own = names[8:]
    parts: list[pa.Table] = []
    rows: list[list[Any]] = []
    for record in records:
        _write(rows, record, own)
        if len(rows) >= _CHUNK:
            parts.append(_arrow(name, rows))
            rows.clear()
    if rows:
        parts.append(_arrow(name, rows))
    return parts


def _write(rows: list[list[Any]], record: Record, own: list[str]) -> None:
    """First version, then one per instant that changes anything, none after a deletion."""
    instance, object_name = record.head
    state, at, created = record.fields, record.created, record.created
    head = [instance, object_name, record.source_id, record.entity_id]
    get = state.get
    rows.append([*head, at, created, False, None, *map(get, own)])
    deleted, winner = False, None
    for due, fields in sorted(record.changes, key=lambda change: change[0]):
        if all(get(key) == value for key, value in fields.items()):
            continue
        state.update(fields)
        deleted, winner = state.pop("is_deleted", deleted), state.pop("merged_into_source_id", winner)
        at = max(due, at + 1)
        rows.append([*head, at, created, deleted, winner, *map(get, own)])
        if deleted:
            return


def _arrow(name: str, rows: list[list[Any]]) -> pa.Table:
    schema = TABLES[name]
    columns = zip(*rows, strict=True)
    return pa.Table.from_arrays(
        [typed(list(column), field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def typed(values: Any, kind: pa.DataType) -> pa.Array:
    """Epoch seconds, epoch days and floats to the table's own types; everything else as it is."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values if values.type == kind else values.cast(kind)
    if kind == INSTANT:
        return pa.array(values, pa.int64()).cast(pa.timestamp("s")).cast(INSTANT)
    if kind == DAY:
        return pa.array(values, pa.int32()).cast(DAY)
    if kind == MONEY:
        return pa.array(values, pa.float64()).cast(MONEY)
    return pa.array(values, kind)
