"""What an answer may look like besides what the sandbox gives: layers around a vendor's app that change the pages with marks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sources.demo.chaos import answer_of
from tests.contract.small_company import MARK

Layer = Callable[[Any], Any]
Change = Callable[[str, Any], Any]
"""Gets the path and the JSON of an answer with marks in it, and gives what is answered instead."""


def changed(change: Change) -> Layer:
    """JSON answers in which records with marks are, changed on their way."""

    def layer(app: Any) -> Any:
        async def within(scope: Any, receive: Any, send: Any) -> None:
            start, body = await answer_of(app, scope, receive)
            if start["status"] == 200 and body[:1] in (b"{", b"[") and MARK.search(body.decode("utf-8", "replace")):
                body = json.dumps(change(scope["path"], json.loads(body))).encode()
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        return within

    return layer


def listening(answers: list[str]) -> Layer:
    """Nothing changed: the answers are noted."""

    def layer(app: Any) -> Any:
        async def within(scope: Any, receive: Any, send: Any) -> None:
            start, body = await answer_of(app, scope, receive)
            answers.append(body.decode("utf-8", "replace"))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        return within

    return layer


def page(answer: Any) -> list[Any]:
    """The longest list of records in an answer; empty when there is none."""
    found: list[Any] = []
    stack = [answer]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += one.values()
        elif isinstance(one, list) and len(one) > len(found) and all(isinstance(row, dict) for row in one):
            found = one
    return found


class Reversed:
    """Pages whose rows come the other way round."""

    def __init__(self) -> None:
        self.pages = 0

    def __call__(self, _path: str, answer: Any) -> Any:
        rows = page(answer)
        rows.reverse()
        self.pages += len(rows) > 1
        return answer


class Hollow:
    """The first full page has no rows, though there is more to come; the next one has them as well."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.state = "waiting"

    def __call__(self, path: str, answer: Any) -> Any:
        rows = page(answer)
        if self.state == "waiting" and len(rows) >= 50:
            self.kept, self.state = list(rows), "kept"
            rows.clear()
        elif self.state == "kept" and rows:
            rows[:0], self.state = self.kept, "given"
        return answer


class Meanwhile:
    """Something happens once the first page with records has been answered."""

    def __init__(self, happens: Callable[[], None]) -> None:
        self.happens: Callable[[], None] | None = happens

    def __call__(self, _path: str, answer: Any) -> Any:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return answer


def escaped(_path: str, answer: Any) -> Any:
    """Nothing else: `changed` writes JSON in ASCII, so that what is beyond the BMP comes as surrogate pairs."""
    return answer
