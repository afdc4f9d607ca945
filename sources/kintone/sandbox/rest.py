"""What kintone answers to each call, over the store. No HTTP here: a call is a method, a path and its parameters.

https://kintone.dev/en/docs/kintone/rest-api/ ; cursors: /records/add-cursor/, /records/get-cursor/, /records/delete-cursor/.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Any, Final

from sources.kintone.sandbox.apps import APPS, AppField, AppForm
from sources.kintone.sandbox.query import Query, Refused, parse
from sources.kintone.sandbox.store import SYSTEM, Row, Store

CURSORS: Final = 10
CURSOR_LIFE: Final = timedelta(minutes=10)
AT_ONCE: Final = 100


@dataclass(frozen=True)
class Call:
    """One request; `tokens` as the header gives them, by comma."""

    method: str
    path: str
    parameters: Mapping[str, Any]
    tokens: tuple[str, ...]


@dataclass
class Cursor:
    """Record numbers that are still to be fetched; their values are those of the fetch."""

    app: AppForm
    fields: list[str]
    numbers: list[int]
    size: int
    until: datetime


class Rest:
    """One domain."""

    def __init__(self, store: Store, seed: int, now: Callable[[], datetime], rate_limit: bool) -> None:
        self.store, self._now, self._rate_limit = store, now, rate_limit
        self.tokens = {
            app.id: hashlib.sha256(f"kintone:{store.instance}:{seed}:{app.id}".encode()).hexdigest()[:40]
            for app in APPS
        }
        self.calls: Counter[str] = Counter()
        """Calls by app: kintone counts them so, by day."""
        self._cursors: dict[str, Cursor] = {}
        self._numbers, self._lock, self._running = count(1), Lock(), 0
        self._routes: dict[tuple[str, str], Callable[[Call], Row]] = {
            ("GET", "records.json"): self._records,
            ("GET", "record.json"): self._record,
            ("POST", "records/cursor.json"): self._add_cursor,
            ("GET", "records/cursor.json"): self._get_cursor,
            ("DELETE", "records/cursor.json"): self._delete_cursor,
            ("GET", "app.json"): self._app,
            ("GET", "apps.json"): self._apps,
            ("GET", "app/form/fields.json"): self._fields,
            ("GET", "app/status.json"): self._status,
        }

    def answer(self, call: Call) -> Row:
        """The answer to one call. Raises `Refused`."""
        handler = self._routes.get((call.method, call.path))
        if handler is None:
            known = any(path == call.path for _, path in self._routes)
            raise Refused(405 if known else 404, "CB_IL02" if known else "CB_NF01", "Illegal request.")
        with self._lock:
            self._running += 1
        try:
            if self._rate_limit and self._running > AT_ONCE:
                raise Refused(429, "GAIA_TM01", "Too many requests at once.")
            return handler(call)
        finally:
            with self._lock:
                self._running -= 1

    # who may ---------------------------------------------------------------------------------------------------------
    def _allowed(self, call: Call, number: Any) -> AppForm:
        if not call.tokens:
            raise Refused(401, "CB_AU01", "Please login.")
        if any(token not in self.tokens.values() for token in call.tokens):
            raise Refused(
                400, "GAIA_IA02", "The specified API token does not match the API token generated via an app."
            )
        app = self.store.apps.get(int(number)) if str(number).isdigit() else None
        if app is None:
            raise Refused(404, "GAIA_AP01", f"The app (ID: {number}) not found. The app may have been deleted.")
        if self.tokens[app.id] not in call.tokens:
            raise Refused(400, "GAIA_AP15", f"The API token does not match the app (ID: {app.id}).")
        self.calls[app.name] += 1
        return app

    def _asked(self, call: Call) -> AppForm:
        if "app" not in call.parameters:
            raise Refused(400, "CB_VA01", "Missing or invalid input.")
        return self._allowed(call, call.parameters["app"])

    # records ---------------------------------------------------------------------------------------------------------
    def _records(self, call: Call) -> Row:
        app = self._asked(call)
        query = parse(str(call.parameters.get("query") or ""), self.store.types(app))
        told = str(call.parameters.get("totalCount", "")).lower() == "true"
        return {
            "records": self.store.records(app, query, _list(call.parameters.get("fields"))),
            "totalCount": str(self.store.total(app, query)) if told else None,
        }

    def _record(self, call: Call) -> Row:
        app = self._asked(call)
        number = str(call.parameters.get("id", ""))
        found = self.store.records(app, Query('"$id" = ?', [int(number)])) if number.isdigit() else []
        if not found:
            raise Refused(404, "GAIA_RE01", f"The specified record (ID: {number}) is not found.")
        return {"record": found[0]}

    def _add_cursor(self, call: Call) -> Row:
        app = self._asked(call)
        self._drop_old()
        if len(self._cursors) >= CURSORS:
            raise Refused(429, "GAIA_TM12", "A cursor cannot be created because the limit of cursors is reached.")
        size = int(call.parameters.get("size") or 100)
        if not 1 <= size <= 500:
            raise Refused(400, "CB_VA01", "size must be from 1 to 500.")
        query = parse(str(call.parameters.get("query") or ""), self.store.types(app))
        numbers = self.store.numbers(app, query)
        name = f"{next(self._numbers):08d}-{self.tokens[app.id][:8]}"
        fields = _list(call.parameters.get("fields"))
        self._cursors[name] = Cursor(app, fields, numbers, size, self._now() + CURSOR_LIFE)
        return {"id": name, "totalCount": str(len(numbers))}

    def _get_cursor(self, call: Call) -> Row:
        cursor = self._cursor(call)
        page, cursor.numbers = cursor.numbers[: cursor.size], cursor.numbers[cursor.size :]
        marks = ", ".join("?" for _ in page) or "null"
        query = Query(f'"$id" in ({marks})', list(page), f'list_position([{marks}]::bigint[], "$id")', limit=500)
        query = replace(query, values=[*page, *page])
        cursor.until = self._now() + CURSOR_LIFE
        if not cursor.numbers:
            del self._cursors[str(call.parameters["id"])]
        return {
            "records": self.store.records(cursor.app, query, cursor.fields) if page else [],
            "next": bool(cursor.numbers),
        }

    def _delete_cursor(self, call: Call) -> Row:
        self._cursor(call)
        del self._cursors[str(call.parameters["id"])]
        return {}

    def _cursor(self, call: Call) -> Cursor:
        self._drop_old()
        found = self._cursors.get(str(call.parameters.get("id", "")))
        if found is None:
            raise Refused(404, "GAIA_CU01", "The specified cursor is not found.")
        self._allowed(call, found.app.id)
        return found

    def _drop_old(self) -> None:
        now = self._now()
        self._cursors = {name: one for name, one in self._cursors.items() if one.until > now}

    # apps ------------------------------------------------------------------------------------------------------------
    def _app(self, call: Call) -> Row:
        return _described(self._allowed(call, call.parameters.get("id")))

    def _apps(self, call: Call) -> Row:
        """The apps of the given tokens."""
        mine = [app for app in APPS if self.tokens[app.id] in call.tokens]
        if not mine:
            self._allowed(call, 0)
        return {"apps": [_described(app) for app in mine]}

    def _status(self, call: Call) -> Row:
        self._asked(call)
        return {"enable": False, "states": None, "actions": None, "revision": "1"}

    def _fields(self, call: Call) -> Row:
        app = self._asked(call)
        properties = {one.code: _form_field(one) for one in (*SYSTEM[2:], *app.fields, *app.form_only)}
        for table in app.tables:
            properties[table.code] = {
                "type": "SUBTABLE",
                "code": table.code,
                "label": table.code,
                "noLabel": False,
                "fields": {one.code: _form_field(one) for one in table.fields},
            }
        return {"properties": properties, "revision": "7"}


def _described(app: AppForm) -> Row:
    person = {"code": "Administrator", "name": "Administrator"}
    return {
        "appId": str(app.id), "code": "", "name": app.title, "description": "", "spaceId": None, "threadId": None,
        "createdAt": "2023-11-01T00:00:00.000Z", "creator": person,
        "modifiedAt": "2023-11-01T00:00:00.000Z", "modifier": person,
    }  # fmt: skip


def _form_field(one: AppField) -> Row:
    told: Row = {"type": one.type, "code": one.code, "label": one.label or one.code, "noLabel": False}
    if one.options:
        told["options"] = {word: {"label": word, "index": str(index)} for index, word in enumerate(one.options)}
    if one.looks_up:
        app = next(app for app in APPS if app.name == one.looks_up)
        told["lookup"] = {
            "relatedApp": {"app": str(app.id), "code": ""},
            "relatedKeyField": "レコード番号",
            "fieldMappings": [],
            "lookupPickerFields": [],
            "filterCond": "",
            "sort": "",
        }
    if one.type == "CALC":
        told |= {"expression": one.expression, "format": "NUMBER", "hideExpression": False}
    return told


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)] if value else []
