"""A tool whose administrator adds, removes or retypes a field: the answers, descriptions and files of a vendor, rewritten.

Which field it is, is found by a value that only it has: nothing here knows a vendor's names. A field that is described is
taken out of (or added to) the description as well, and what a client asks of an added one is taken out of its request.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sources.demo.chaos import answer_of

TITLE, NUMBER = "zqtitle", 4711
"""The values by which a field of texts and one of numbers are found."""
WORDS: dict[str, dict[str, Any]] = {
    "person_versions": {"job_title": TITLE, "score": float(NUMBER)},
    "account_versions": {"city": TITLE, "employee_count": NUMBER},
    "deal_versions": {"next_step": TITLE, "amount": NUMBER},
}
"""Table of the company -> the columns of a record that carry them."""


def names_in(text: str, value: str | int) -> set[str]:
    """The fields that have the value, in an answer or a file."""
    parsed = _json(text)
    if parsed is not None:
        return set(_owners(parsed, value, ()))
    found: set[str] = set()
    rows = list(csv.reader(io.StringIO(text)))
    for row in rows[1:]:
        found |= {name for name, cell in zip(rows[0], row, strict=False) if _is(cell, value)}
    return found


def _owners(node: Any, value: str | int, above: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            if _is(inner, value):
                yield above[-1] if name == "value" and above else name
            else:
                yield from _owners(inner, value, (*above, name))
    elif isinstance(node, list):
        for inner in node:
            yield from _owners(inner, value, above)


def _is(found: Any, value: str | int) -> bool:
    if isinstance(value, str):
        return found == value
    try:
        return not isinstance(found, bool) and float(found) == value
    except (TypeError, ValueError):
        return False


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in ("{", "[") else None
    except ValueError:
        return None


class Fields:
    """What is done to one field. Subclasses say what becomes of a value (`cell`) and of a description (`told`)."""

    def __init__(self, name: str) -> None:
        self.name, self.met = name, 0

    def cells(self, value: Any) -> dict[str, Any]:
        """Field -> value, instead of the one field."""
        raise NotImplementedError

    def told(self, description: Any) -> list[Any]:
        """The descriptions instead of the one."""
        return [description]

    def asked(self, request: str) -> str:
        """The request as the tool itself understands it."""
        return request

    # answers and files -------------------------------------------------------------------------------------------
    def rewritten(self, text: str) -> str:
        parsed = _json(text)
        if parsed is not None:
            return json.dumps(self._walk(parsed), ensure_ascii=False)
        rows = list(csv.reader(io.StringIO(text)))
        if not rows or self.name not in rows[0]:
            return text
        place = rows[0].index(self.name)
        whole = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if len(row) == len(rows[0])]
        header = [*rows[0][:place], *self.cells(""), *rows[0][place + 1 :]]
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n" if "\r\n" in text else "\n")
        writer.writerow(header)
        for row in whole:
            self.met += 1
            row |= self.cells(row[self.name])
            writer.writerow([row[name] for name in header])
        return out.getvalue()

    def _walk(self, node: Any) -> Any:
        if isinstance(node, list):
            return [kept for one in node for kept in (self._described(one) if self._names(one) else [self._walk(one)])]
        if not isinstance(node, dict):
            return node
        found: dict[str, Any] = {}
        for name, value in node.items():
            if name == self.name:
                self.met += 1
                found |= self.cells(value)
            else:
                found[name] = self._walk(value)
        return found

    def _described(self, description: Any) -> list[Any]:
        self.met += 1
        return self.told(description)

    def _names(self, node: Any) -> bool:
        """It is a description: one of its values, or of the values within them, is the field's name."""
        if not isinstance(node, dict):
            return node == self.name
        inner = [v for one in node.values() for v in ([one] if not isinstance(one, dict) else one.values())]
        return self.name in [v for v in inner if isinstance(v, str)]

    # where it is put ---------------------------------------------------------------------------------------------
    def layer(self, app: Any) -> Any:
        """In front of a vendor's app."""

        async def within(scope: Any, receive: Any, send: Any) -> None:
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            query, body = (self.asked(part.decode()).encode() for part in (scope.get("query_string", b""), body))
            headers = [
                (name, str(len(body)).encode() if name == b"content-length" else v) for name, v in scope["headers"]
            ]
            given = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def again() -> Any:
                return next(given, {"type": "http.disconnect"})

            start, answer = await answer_of(app, {**scope, "query_string": query, "headers": headers}, again)
            if start["status"] == 200:
                answer = self.rewritten(answer.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
            kept = [
                (name, value) for name, value in start["headers"] if name.lower() not in (b"content-length", b"etag")
            ]
            await send({**start, "headers": [*kept, (b"content-length", str(len(answer)).encode())]})
            await send({"type": "http.response.body", "body": answer})

        return within

    def file(self, path: Path) -> None:
        """In a file that was put for reading."""
        for encoding in ("cp932", "utf-8-sig"):
            try:
                text = path.read_bytes().decode(encoding)
            except UnicodeDecodeError:
                continue
            path.write_bytes(self.rewritten(text).encode(encoding))
            return


class Added(Fields):
    """Another field beside it, with the same values."""

    @property
    def other(self) -> str:
        return f"{self.name}_added" if re.fullmatch(r"\w+", self.name, re.ASCII) else f"{self.name}２"

    def cells(self, value: Any) -> dict[str, Any]:
        return {self.name: value, self.other: value}

    def told(self, description: Any) -> list[Any]:
        text = json.dumps(description)
        return [description, json.loads(text.replace(json.dumps(self.name), json.dumps(self.other)))]

    def asked(self, request: str) -> str:
        parsed = _json(request)
        if parsed is not None:
            return json.dumps(self._without(parsed), ensure_ascii=False)
        for name in (self.other, quote(self.other)):
            name = re.escape(name)
            request = re.sub(rf'(,|%2C|\+|%20)*"?{name}"?(?!\w)|"{name}", *', "", request)
        return request

    def _without(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._without(one) for one in node if one != self.other]
        if isinstance(node, dict):
            return {name: self._without(one) for name, one in node.items()}
        return node


class Vanished(Fields):
    """The field is gone."""

    def cells(self, value: Any) -> dict[str, Any]:
        return {}

    def told(self, description: Any) -> list[Any]:
        return []


class Retyped(Fields):
    """The field has values of another type."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(name)
        self._value = value

    def cells(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict):  # a value with its type, or the description of the field
            return {self.name: {**value, "value": self._value} if "value" in value else value}
        return {self.name: self._value if value is not None else None}
