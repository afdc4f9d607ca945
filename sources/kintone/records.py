"""From a record as kintone answers it to rows of the raw tables, by a mapping.

Values: https://kintone.dev/en/docs/kintone/overview/field-types/ — every field is {type, value}, numbers are texts, user
fields are {code, name}, subtables are lists of {id, value}. Types are not cast here: the engine does, and quarantines what
does not fit. This file sends no requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

import orjson

from sources.kintone.forms import Form
from sources.kintone.mapping import App, Column, Subtable

Row = dict[str, Any]

_NAMED: Final = frozenset(
    {"CREATOR", "MODIFIER", "USER_SELECT", "ORGANIZATION_SELECT", "GROUP_SELECT", "STATUS_ASSIGNEE"}
)
_PEOPLE: Final = frozenset({"CREATOR", "MODIFIER", "USER_SELECT", "STATUS_ASSIGNEE"})
# Columns of their own, or nothing that a record says of itself.
_APART: Final = frozenset(
    {"__ID__", "__REVISION__", "RECORD_NUMBER", "CREATED_TIME", "UPDATED_TIME", "FILE", "REFERENCE_TABLE"}
)


@dataclass
class Read:
    """What records gave: rows by entity, and the users that their fields name."""

    rows: dict[str, list[Row]] = field(default_factory=dict[str, list[Row]])
    users: dict[str, str] = field(default_factory=dict[str, str])


class RecordReader:
    """Reads the records of one app."""

    def __init__(self, app: App, form: Form, path: str) -> None:
        """`path` is the app's part of a record's address, such as /k/12/."""
        self._app, self._path = app, path
        self._updated, self._created = form.code_of("UPDATED_TIME") or "", form.code_of("CREATED_TIME") or ""
        named = {code for column in app.columns for code in column.fields} | {app.key or ""}
        self._unmapped = [
            one.code
            for one in form.fields.values()
            if one.subtable is None and one.code not in named and one.type not in _APART
            and one.code not in {table.code for table in app.subtables}
        ]  # fmt: skip
        self._people = [one.code for one in form.fields.values() if one.type in _PEOPLE and one.subtable is None]

    def key(self, record: Mapping[str, Row]) -> str | None:
        """What identifies the record in this product; None where its key field is empty."""
        return text_of(record[self._app.key]) if self._app.key else str(record["$id"]["value"])

    def read(self, records: Iterable[Mapping[str, Row]], read: Read) -> None:
        """Adds the rows of the records, and of their subtables, to `read`."""
        for record in records:
            for code in self._people:
                for person in _people(record.get(code)):
                    read.users[str(person["code"])] = str(person.get("name") or "")
            row = self._row(record)
            for table in self._app.subtables:
                rows = [
                    self._line(table, line, row)
                    for line in cast("list[Row]", record.get(table.code, {}).get("value") or [])
                ]
                read.rows.setdefault(table.entity, []).extend(rows)
                if "subtable_rows" in row:
                    row["subtable_rows"] = ",".join(filter(None, [row["subtable_rows"], *(one["id"] for one in rows)]))
            read.rows.setdefault(self._app.entity, []).append(row)

    def _row(self, record: Mapping[str, Row]) -> Row:
        app, number = self._app, str(record["$id"]["value"])
        source_id = self.key(record)
        return {
            "id": None if source_id is None else f"{app.object}|{source_id}",
            "source_object": app.object,
            "source_id": source_id,
            **{column.name: _value(column, record) for column in app.columns},
            **({"subtable_rows": ""} if app.entity == "opportunity" else {}),
            "created_at": text_of(record.get(self._created)),
            "updated_at": text_of(record.get(self._updated)),
            "record_path": f"{self._path}show#record={number}",
            "unmapped_columns": self._unmapped_text(record),
        }

    def _line(self, table: Subtable, line: Row, parent: Row) -> Row:
        values = cast("Mapping[str, Row]", line["value"])
        return {
            "id": f"{table.object}|{line['id']}",
            "source_object": table.object,
            "source_id": str(line["id"]),
            "subtable": table.code,
            "opportunity_ref": parent["id"],
            **{column.name: _value(column, values) for column in table.columns},
            "updated_at": parent["updated_at"],
            "record_path": parent["record_path"],
        }

    def _unmapped_text(self, record: Mapping[str, Row]) -> str | None:
        found = {code: _plain(record[code]) for code in self._unmapped if code in record}
        found = {code: value for code, value in found.items() if value not in (None, "", [])}
        return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if found else None


def text_of(cell: Row | None, *, codes: bool = False) -> str | None:
    """The field's value as one text, None when empty. `codes`: user fields give login names instead of names."""
    if cell is None:
        return None
    value: Any = cell["value"]
    if cell["type"] in _NAMED:
        people = _people(cell)
        if codes:
            return str(people[0]["code"]) if people else None
        return ", ".join(str(person.get("name") or person["code"]) for person in people) or None
    if isinstance(value, list):
        return ";".join(str(one) for one in cast("list[Any]", value)) or None
    return None if value is None or value == "" else str(value)


def _value(column: Column, record: Mapping[str, Row]) -> str | None:
    if column.constant is not None:
        return column.constant
    for code in column.fields:
        cell = record.get(code)
        found = text_of(cell, codes=column.refers_to is not None)
        if found is None:
            continue
        if column.refers_to is not None:
            return f"{column.refers_to}|{_referred(found, cell)}"
        if column.values:
            return column.values.get(found, found)
        if column.kind == "bool" and isinstance((cell or {}).get("value"), list):
            return "true"  # a ticked check box
        return _divided(found, column.divide_by)
    if column.kind == "bool" and any(isinstance(record.get(code, {}).get("value"), list) for code in column.fields):
        return column.default or "false"
    return column.default if column.refers_to is None else None


def _referred(found: str, cell: Row | None) -> str:
    """A look-up of a record number may carry the app's code before it (APPCODE-12): the number is the record's id."""
    head, dash, number = found.rpartition("-")
    return number if dash and head and cell and cell["type"] == "RECORD_NUMBER" and number.isdigit() else found


def _divided(found: str, by: float | None) -> str:
    if by is None:
        return found
    try:
        return str(Decimal(found) / Decimal(str(by)))
    except InvalidOperation:
        return found  # the engine quarantines it


def _people(cell: Row | None) -> list[Row]:
    value: Any = None if cell is None else cell["value"]
    if isinstance(value, Mapping):
        value = [value]
    return [one for one in cast("list[Row]", value or []) if one.get("code")]


def _plain(cell: Row) -> Any:
    if cell["type"] == "SUBTABLE":
        return [
            {code: _plain(inner) for code, inner in cast("Mapping[str, Row]", line["value"]).items()}
            for line in cell["value"]
        ]
    return text_of(cell, codes=True)
