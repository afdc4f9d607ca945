"""kintone's query language as SQL: conditions, `order by`, `limit`, `offset`.

https://kintone.dev/en/docs/kintone/overview/query-string/ ; which operators a type of field has:
https://kintone.dev/en/docs/kintone/overview/query-string/#available-field-system-identifier-list (no functions here).
Codes of refusals as others have seen them on the real wire; documented nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<op>>=|<=|!=|=|>|<|\(|\)|,)|(?P<word>[^\s"=!<>(),]+))'
)
_ORDERED: Final = frozenset({"=", "!=", ">", ">=", "<", "<="})
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("__ID__", "RECORD_NUMBER", "NUMBER", "CALC"), _ORDERED | {"in", "not in"}),
    **dict.fromkeys(("CREATED_TIME", "UPDATED_TIME", "DATE", "DATETIME"), _ORDERED),
    **dict.fromkeys(("SINGLE_LINE_TEXT", "LINK"), frozenset({"=", "!=", "in", "not in", "like", "not like"})),
    "MULTI_LINE_TEXT": frozenset({"like", "not like"}),
    **dict.fromkeys(
        ("CREATOR", "MODIFIER", "USER_SELECT", "CHECK_BOX", "RADIO_BUTTON", "DROP_DOWN"), frozenset({"in", "not in"})
    ),
}
MOST: Final = 500
LAST_OFFSET: Final = 10_000


class Refused(Exception):
    """A request that kintone refuses: its code, message and HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Query:
    """The parts as SQL; `values` belong to the question marks of `where`."""

    where: str = "true"
    values: list[Any] = field(default_factory=list[Any])
    order: str = '"$id" desc'
    limit: int = 100
    offset: int = 0


def parse(text: str, types: Mapping[str, str]) -> Query:
    """The query over an app whose fields have these types. Raises `Refused`."""
    return _Parser(text, types).query()


class _Parser:
    def __init__(self, text: str, types: Mapping[str, str]) -> None:
        self._types, self._values = types, list[Any]()
        self._tokens: list[tuple[str, str]] = []
        place = 0
        text = text.strip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise Refused(400, "CB_VA01", "Missing or invalid input.")
            self._tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            place = found.end()
        self._at = 0

    def query(self) -> Query:
        query = Query()
        if self._word() not in ("", "order", "limit", "offset"):
            query.where = self._either()
        query.values = self._values
        if self._word() == "order":
            self._next()
            self._expect("by")
            query.order = self._order()
        if self._word() == "limit":
            self._next()
            query.limit = self._number("limit")
        if self._word() == "offset":
            self._next()
            query.offset = self._number("offset")
        if self._at < len(self._tokens):
            raise Refused(400, "CB_VA01", "Missing or invalid input.")
        if query.limit > MOST:
            raise Refused(400, "GAIA_QU01", f"limit must be {MOST} or less.")
        if query.offset > LAST_OFFSET:
            raise Refused(400, "GAIA_QU02", f"offset must be {LAST_OFFSET} or less.")
        return query

    def _either(self) -> str:
        parts = [self._both()]
        while self._word() == "or":
            self._next()
            parts.append(self._both())
        return f"({' or '.join(parts)})"

    def _both(self) -> str:
        parts = [self._one()]
        while self._word() == "and":
            self._next()
            parts.append(self._one())
        return f"({' and '.join(parts)})"

    def _one(self) -> str:
        kind, token = self._next()
        if token == "(":
            inner = self._either()
            self._expect(")")
            return inner
        if kind != "word":
            raise Refused(400, "CB_VA01", "Missing or invalid input.")
        code, column = token, self._column(token)
        operator = self._next()[1].lower()
        if operator == "not":
            operator = f"not {self._next()[1].lower()}"
        if operator not in _ALLOWED.get(self._types[code], ()):
            raise Refused(400, "GAIA_IQ03", f"Operator {operator} cannot be used for the field type of {code}.")
        if operator.endswith("in"):
            marks = ", ".join("?" for _ in self._list(code))
            return f"coalesce({column} {operator} ({marks}), {'true' if operator == 'not in' else 'false'})"
        value = self._value(code)
        if operator.endswith("like"):
            self._values.append(f"%{value}%")
            return (
                f"coalesce({column} {operator.replace('like', 'ilike')} ?, {'true' if 'not' in operator else 'false'})"
            )
        if value == "":
            return f"{column} is {'not ' if operator == '!=' else ''}null"
        self._values.append(value)
        return f"coalesce({column} {operator} ?, {'true' if operator == '!=' else 'false'})"

    def _list(self, code: str) -> list[Any]:
        self._expect("(")
        found: list[Any] = []
        while True:
            found.append(self._value(code))
            if self._next()[1] != ",":
                break
        self._values += found
        return found

    def _value(self, code: str) -> Any:
        kind, token = self._next()
        if kind == "text":
            token = re.sub(r"\\(.)", r"\1", token[1:-1])
        if self._types[code] in ("UPDATED_TIME", "CREATED_TIME", "DATETIME") and token:
            from datetime import UTC, datetime

            try:
                return datetime.fromisoformat(token.replace("Z", "+00:00")).astimezone(UTC).replace(tzinfo=None)
            except ValueError:
                raise Refused(400, "GAIA_IQ05", f"The value {token} of {code} is no date and time.") from None
        return token

    def _order(self) -> str:
        parts: list[str] = []
        while True:
            column = self._column(self._next()[1])
            way = self._next()[1].lower() if self._word() in ("asc", "desc") else "desc"
            parts.append(f"{column} {way}")
            if self._word() != ",":
                return ", ".join(parts)
            self._next()

    def _column(self, code: str) -> str:
        if code not in self._types:
            raise Refused(400, "GAIA_IQ11", f"Specified field ({code}) not found.")
        return '"' + code.replace('"', '""') + '"'

    def _number(self, what: str) -> int:
        token = self._next()[1]
        if not token.isdigit():
            raise Refused(400, "CB_VA01", f"{what} must be a number.")
        return int(token)

    def _word(self) -> str:
        return self._tokens[self._at][1].lower() if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise Refused(400, "CB_VA01", "Missing or invalid input.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, word: str) -> None:
        if self._next()[1].lower() != word:
            raise Refused(400, "CB_VA01", "Missing or invalid input.")
