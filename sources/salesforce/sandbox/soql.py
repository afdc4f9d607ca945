"""SOQL as text -> a small tree. Knows the grammar only: no object, no field, no database.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
Not read: subqueries over child relationships, TYPEOF, HAVING, GROUP BY ROLLUP, geolocation functions; they are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal as Either

from sources.salesforce.sandbox.dates import DATE_LITERAL

Kind = Either["string", "number", "boolean", "null", "date", "datetime", "relative"]
Path = tuple[str, ...]  # names from the object to the field, never empty but in COUNT()


class SoqlError(Exception):
    """A query that Salesforce would refuse: its `code` and the message it gives."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Value:
    """A literal. `relative` is a date literal such as ("LAST_N_DAYS", 7)."""

    kind: Kind
    value: str | float | bool | date | datetime | tuple[str, int] | None


@dataclass(frozen=True)
class Item:
    """One thing selected: a field, or a function over one (`COUNT(Id) total`)."""

    path: Path
    function: str | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Comparison:
    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    path: Path
    negated: bool
    values: tuple[Value, ...] | Select


@dataclass(frozen=True)
class Junction:
    word: Either["AND", "OR"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    part: Condition


Condition = Comparison | Membership | Junction | Negation


@dataclass(frozen=True)
class Order:
    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Select:
    items: tuple[Item, ...]
    object: str
    where: Condition | None = None
    group_by: tuple[Path, ...] = ()
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    fields_of: str | None = None  # ALL, STANDARD or CUSTOM of FIELDS(...)

    @property
    def is_count(self) -> bool:
        """`SELECT COUNT() FROM …`, which answers with the number alone."""
        return len(self.items) == 1 and self.items[0].function == "COUNT" and not self.items[0].path

    @property
    def is_aggregate(self) -> bool:
        return bool(self.group_by) or any(each.function for each in self.items)


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<string>'(?:\\.|[^'\\])*')
    | (?P<word>[A-Za-z_][\w$]*(?:\.[A-Za-z_]\w*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),:])
    )""",
    re.X,
)
_ESCAPES = {"n": "\n", "N": "\n", "r": "\r", "R": "\r", "t": "\t", "T": "\t", "b": "\b", "f": "\f"}
_FUNCTIONS = ("COUNT", "COUNT_DISTINCT", "MIN", "MAX", "SUM", "AVG")


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Select:
    """The tree of a query; raises `SoqlError` MALFORMED_QUERY."""
    parser = _Parser(text)
    select = parser.select()
    parser.end()
    return select


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens(text)
        self.place = 0

    def _tokens(self, text: str) -> list[_Token]:
        found: list[_Token] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                start = at + len(text[at:]) - len(text[at:].lstrip())
                raise self.error(f"unexpected token: '{text[start : start + 1]}'", start)
            found.append(_Token(match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
            at = match.end()
        return found

    def error(self, message: str, at: int) -> SoqlError:
        line = self.text[max(0, at - 40) : at + 40].replace("\n", " ")
        pointer = " " * (at - max(0, at - 40)) + "^"
        return SoqlError("MALFORMED_QUERY", f"\n{line}\n{pointer}\nERROR at Row:1:Column:{at + 1}\n{message}")

    # --- reading tokens ---

    def peek(self) -> _Token:
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return _Token("end", "<EOF>", len(self.text))

    def unexpected(self) -> SoqlError:
        token = self.peek()
        return self.error(f"unexpected token: '{token.text}'", token.at)

    def take(self, kind: str) -> str:
        token = self.peek()
        if token.kind != kind:
            raise self.unexpected()
        self.place += 1
        return token.text

    def is_word(self, *words: str) -> bool:
        token = self.peek()
        return token.kind == "word" and token.text.upper() in words

    def word(self, *words: str) -> bool:
        """Takes the words in this order if they come next."""
        start = self.place
        for each in words:
            if not self.is_word(each):
                self.place = start
                return False
            self.place += 1
        return True

    def sign(self, text: str) -> bool:
        token = self.peek()
        if token.kind == "sign" and token.text == text:
            self.place += 1
            return True
        return False

    def need(self, text: str) -> None:
        if not (self.word(text) if text[0].isalpha() else self.sign(text)):
            raise self.unexpected()

    def end(self) -> None:
        if self.peek().kind != "end":
            raise self.unexpected()

    def path(self) -> Path:
        return tuple(self.take("word").split("."))

    # --- the clauses ---

    def select(self) -> Select:
        self.need("SELECT")
        items, fields_of = self.items()
        self.need("FROM")
        object_name = self.take("word")
        if self.peek().kind == "word" and not self.is_word(
            "WHERE", "WITH", "GROUP", "ORDER", "LIMIT", "OFFSET", "USING", "FOR", "ALL"
        ):
            self.place += 1  # an alias of the object
        if self.word("USING", "SCOPE"):
            self.take("word")
        where = self.conditions() if self.word("WHERE") else None
        if self.word("WITH"):
            self.take("word")
        group_by = self.paths() if self.word("GROUP", "BY") else ()
        order_by = self.orders() if self.word("ORDER", "BY") else ()
        limit = int(self.take("number")) if self.word("LIMIT") else None
        offset = int(self.take("number")) if self.word("OFFSET") else 0
        if self.word("FOR") and not (self.word("VIEW") or self.word("REFERENCE")):
            raise self.unexpected()
        if self.is_word("ALL"):
            raise self.error("ALL ROWS not allowed in this context", self.peek().at)
        return Select(items, object_name, where, group_by, order_by, limit, offset, fields_of)

    def items(self) -> tuple[tuple[Item, ...], str | None]:
        if self.is_word("FIELDS"):
            self.place += 1
            self.need("(")
            which = self.take("word").upper()
            self.need(")")
            if which not in ("ALL", "STANDARD", "CUSTOM"):
                raise self.unexpected()
            return (), which
        found = [self.item()]
        while self.sign(","):
            found.append(self.item())
        return tuple(found), None

    def item(self) -> Item:
        path = self.path()
        if not self.sign("("):
            alias = self.take("word") if self.peek().kind == "word" and not self.is_word("FROM") else None
            return Item(path, alias=alias)
        function = path[0].upper()
        if function not in _FUNCTIONS and function not in ("TOLABEL", "FORMAT"):
            self.place -= 2
            raise self.unexpected()
        inner: Path = () if self.sign(")") else self.path()
        if inner:
            self.need(")")
        elif function != "COUNT":
            raise self.unexpected()
        alias = self.take("word") if self.peek().kind == "word" and not self.is_word("FROM") else None
        if function in ("TOLABEL", "FORMAT"):
            return Item(inner, alias=alias)
        return Item(inner, function, alias)

    def paths(self) -> tuple[Path, ...]:
        found = [self.path()]
        while self.sign(","):
            found.append(self.path())
        return tuple(found)

    def orders(self) -> tuple[Order, ...]:
        found: list[Order] = []
        while True:
            path = self.path()
            descending = self.word("DESC") or (self.word("ASC") and False)
            nulls_last = descending  # Salesforce sorts nulls first, in ascending order
            if self.word("NULLS"):
                nulls_last = not self.word("FIRST")
                if nulls_last:
                    self.need("LAST")
            found.append(Order(path, descending, nulls_last))
            if not self.sign(","):
                return tuple(found)

    # --- conditions ---

    def conditions(self) -> Condition:
        """Terms joined by one kind of word: Salesforce refuses AND beside OR without parentheses."""
        parts = [self.term()]
        if not self.is_word("AND", "OR"):
            return parts[0]
        word: Either["AND", "OR"] = "AND" if self.is_word("AND") else "OR"
        while self.word(word):
            parts.append(self.term())
        if self.is_word("AND", "OR"):
            raise self.unexpected()
        return Junction(word, tuple(parts))

    def term(self) -> Condition:
        if self.word("NOT"):
            return Negation(self.term())
        if self.sign("("):
            inside = self.conditions()
            self.need(")")
            return inside
        path = self.path()
        if self.word("NOT", "IN"):
            return Membership(path, True, self.members())
        if self.word("IN"):
            return Membership(path, False, self.members())
        if self.word("LIKE"):
            return Comparison(path, "LIKE", self.value())
        if self.is_word("INCLUDES", "EXCLUDES"):
            negated = self.take("word").upper() == "EXCLUDES"
            return Membership(path, negated, self.members())
        token = self.peek()
        if token.kind != "sign" or token.text not in ("=", "!=", "<>", "<", "<=", ">", ">="):
            raise self.unexpected()
        self.place += 1
        return Comparison(path, "!=" if token.text == "<>" else token.text, self.value())

    def members(self) -> tuple[Value, ...] | Select:
        self.need("(")
        if self.is_word("SELECT"):
            inner = self.select()
            self.need(")")
            return inner
        found = [self.value()]
        while self.sign(","):
            found.append(self.value())
        self.need(")")
        return tuple(found)

    def value(self) -> Value:
        token = self.peek()
        self.place += 1
        if token.kind == "string":
            return Value("string", _unescape(token.text[1:-1]))
        if token.kind == "number":
            return Value("number", float(token.text) if re.search(r"[.eE]", token.text) else int(token.text))
        if token.kind == "datetime":
            return Value("datetime", _instant(token.text))
        if token.kind == "date":
            return Value("date", date.fromisoformat(token.text))
        word = token.text.upper()
        if token.kind == "word" and word in ("TRUE", "FALSE"):
            return Value("boolean", word == "TRUE")
        if token.kind == "word" and word == "NULL":
            return Value("null", None)
        if token.kind == "word" and DATE_LITERAL.fullmatch(word):
            counted = "_N_" in word or word == "N_DAYS_AGO"
            if counted:
                self.need(":")
            return Value("relative", (word, int(self.take("number")) if counted else 1))
        self.place -= 1
        raise self.unexpected()


def _unescape(text: str) -> str:
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    # An escaped wildcard keeps its backslash: LIKE reads it.
    return re.sub(r"\\([^%_])", lambda match: _ESCAPES.get(match[1], match[1]), text)


def _instant(text: str) -> datetime:
    stamp = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text))
    return stamp.astimezone(UTC).replace(tzinfo=None)
