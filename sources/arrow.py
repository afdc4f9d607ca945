"""Bytes as a vendor sent them -> typed Arrow tables, without a Python object per value.

`Pages` says what the bodies are and how to read them (`Json` or `Csv`); `read` turns many bodies at once into one
table plus the rows that could not be cast. This module must not know a vendor, a stream's state, or dlt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from sources.stream import DataType, Rejected

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Field:
    """Where a raw column is found in a row, and its type. Nested things are read as JSON text (`text`)."""

    path: tuple[str, ...]
    """Keys from the row down to the value: `("properties", "hs_lastmodifieddate")`."""
    type: DataType = "text"


@dataclass(frozen=True)
class Json:
    """How to read JSON bodies."""

    rows: tuple[str, ...]
    """Keys from the body down to the list of rows: `("records",)`; empty = the body is the list."""
    fields: Mapping[str, Field]
    """Raw column -> field. Build it once per stream and reuse the same object: it is the cache key."""
    open: bool = False
    """True: keys of a row that no field names become columns too (for vendors without a describe endpoint)."""


@dataclass(frozen=True)
class Csv:
    """How to read CSV bodies (UTF-8, header line on each)."""

    fields: Mapping[str, Field]
    """Raw column -> field; the path is the one header name."""
    delimiter: str = ","
    null: str = ""


@dataclass(frozen=True)
class Pages:
    """Some bodies of one stream, all read the same way. The engine gathers them into larger batches by itself."""

    bodies: Sequence[bytes]
    shape: Json | Csv


def column_name(vendor_name: str) -> str:
    """The raw column of a vendor's field name: dlt's snake_case (`AccountId` -> `account_id`, `Foo__c` -> `foo_c`)."""
    raise NotImplementedError


def envelope(body: bytes, rows: str) -> dict[str, Any]:
    """The outer object of a page without parsing its rows (they come back as an empty list).

    For paging tokens on a hot path: `envelope(body, "results")["paging"]`. Falls back to a full parse when the cut
    does not give valid JSON. The rows must be the only list of objects at the top level of the body.
    """
    start = body.find(b'"' + rows.encode() + b'"')
    opening = body.find(b"[", start) if start >= 0 else -1
    closing = body.rfind(b"}]") + 1
    if opening > 0 and closing > opening and body[start + len(rows) + 2 : opening].strip() == b":":
        try:
            return orjson.loads(body[: opening + 1] + body[closing:])
        except orjson.JSONDecodeError:
            pass
    whole: dict[str, Any] = orjson.loads(body)
    return whole


def read(pages: Pages) -> tuple[pa.Table, list[Rejected]]:
    """One typed table of all rows of the bodies, and a `Rejected` for each value that could not be cast.

    A row with a bad value leaves the table and is quarantined whole. Raises `BadAnswer` when a body is not JSON.
    """
    raise NotImplementedError
