"""The form of an app, as kintone tells it, and whether a mapping fits it.

Shapes: https://kintone.dev/en/docs/kintone/rest-api/apps/form/get-form-fields/. This file sends no requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

from sources.errors import ConfigurationError
from sources.kintone.mapping import App, Column
from sources.tables import DataType

Row = dict[str, Any]

_NO_VALUE: Final = frozenset({"SUBTABLE", "FILE", "GROUP", "REFERENCE_TABLE", "CATEGORY", "STATUS_ASSIGNEE"})
_NUMBERS: Final = frozenset(
    {"NUMBER", "CALC", "SINGLE_LINE_TEXT", "RADIO_BUTTON", "DROP_DOWN", "RECORD_NUMBER", "__ID__"}
)
_TIMES: Final = frozenset({"DATE", "DATETIME", "CREATED_TIME", "UPDATED_TIME", "CALC", "SINGLE_LINE_TEXT"})
_FLAGS: Final = frozenset(
    {"CHECK_BOX", "MULTI_SELECT", "RADIO_BUTTON", "DROP_DOWN", "SINGLE_LINE_TEXT", "NUMBER", "STATUS"}
)
_FITTING: Final[Mapping[DataType, frozenset[str]]] = {
    "bigint": _NUMBERS, "double": _NUMBERS, "decimal": _NUMBERS, "date": _TIMES, "timestamp": _TIMES - {"DATE"}, "bool": _FLAGS,
}  # fmt: skip


@dataclass(frozen=True)
class FormField:
    """One field; `subtable` is the code of the subtable that it stands in."""

    code: str
    label: str
    type: str
    subtable: str | None = None
    options: tuple[str, ...] | None = None
    """What a field of choices offers; None where it is no field of choices."""


@dataclass(frozen=True)
class Form:
    """All fields of an app, by code: a code is used once in an app, inside of subtables too."""

    app: str
    fields: Mapping[str, FormField] = field(default_factory=dict[str, FormField])

    def code_of(self, kind: str) -> str | None:
        """The code of the field of that type that every record has, such as UPDATED_TIME: companies may rename it."""
        return next((one.code for one in self.fields.values() if one.type == kind), None)


def read_form(app: str, answer: Mapping[str, Any]) -> Form:
    """The form in an answer of `app/form/fields.json`."""
    return Form(app, {one.code: one for one in _fields(answer["properties"], None)})


def _fields(properties: Mapping[str, Row], subtable: str | None) -> Iterator[FormField]:
    for code, told in properties.items():
        options: Mapping[str, Row] = told.get("options") or {}
        ordered = tuple(sorted(options, key=lambda name: int(options[name].get("index") or 0)))
        label = str(told.get("label") or code)
        yield FormField(code, label, str(told["type"]), subtable, ordered if "options" in told else None)
        if told["type"] == "SUBTABLE":
            yield from _fields(told["fields"], code)


def check(app: App, form: Form, path: Path) -> None:
    """Raises `ConfigurationError` with app, field, value and remedy where the mapping does not fit the form."""
    if app.key is not None:
        _check_field(app, app.key, None, form, path, app.line)
    for column in app.columns:
        _check_column(app, column, None, form, path)
    for table in app.subtables:
        found = form.fields.get(table.code)
        if found is None or found.type != "SUBTABLE":
            known = [one.code for one in form.fields.values() if one.type == "SUBTABLE"]
            _fail(path, table.line, app, table.code, "is no subtable of the app", f"Its subtables: {_words(known)}")
        for column in table.columns:
            _check_column(app, column, table.code, form, path)
    for kind, name in (("UPDATED_TIME", "更新日時"), ("CREATED_TIME", "作成日時")):
        if form.code_of(kind) is None:
            _fail(path, app.line, app, kind, "is no field that the token can read", f"Let it read the field {name}")


def _check_column(app: App, column: Column, subtable: str | None, form: Form, path: Path) -> None:
    for code in column.fields:
        one = _check_field(app, code, subtable, form, path, column.line)
        fitting = _FITTING.get(column.kind)
        if one.type in _NO_VALUE or (fitting is not None and one.type not in fitting and not column.values):
            _fail(
                path, column.line, app, code, f"is of type {one.type}, which gives no {column.kind} for `{column.name}`",
                f"Name a field of another type: {_words(sorted(fitting)) if fitting else 'one with a text'}",
            )  # fmt: skip
        if one.options is not None and column.values:
            wrong = [word for word in column.values if word not in one.options]
            if wrong and len(column.fields) == 1:
                _fail(
                    path,
                    column.line,
                    app,
                    code,
                    f"offers no choice {wrong[0]!r}",
                    f"Its choices: {_words(one.options)}",
                )


def _check_field(app: App, code: str, subtable: str | None, form: Form, path: Path, line: int) -> FormField:
    known = {one.code for one in form.fields.values() if one.subtable == subtable}
    if code not in known:
        where = f"its subtable {subtable}" if subtable else "it"
        _fail(path, line, app, code, f"is no field code of {where}", f"Known there: {_words(sorted(known))}")
    return form.fields[code]


def _words(words: Any) -> str:
    return ", ".join(words) or "none"


def _fail(path: Path, line: int, app: App, code: str, problem: str, remedy: str) -> NoReturn:
    raise ConfigurationError(f"{path}, line {line}: app {app.name}: field {code!r} {problem}. {remedy}.")
