"""A column of text → a typed column, in one vectorised statement; the few cells that it cannot read go to `values.py`.

The fast path knows the common plain forms only and must agree with the reference on each of them (a property test
holds that); whatever it does not know comes back NULL and is read cell by cell, once per distinct text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import duckdb
import pyarrow as pa
from pyarrow import compute

from sources.files.values import parser

# pyarrow's compute functions are made at run time, so a type checker does not know them.
pc: Any = compute

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "decimal": pa.decimal128(38, 9),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}

_YEAR_FIRST_DAY = r"^\d{4}([-/])\d{1,2}\1\d{1,2}$"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2})?"


@dataclass(frozen=True)
class Cast:
    """How one column is read."""

    kind: str
    order: str | None = None
    zone: str = "Asia/Tokyo"


@dataclass(frozen=True)
class Refusal:
    """A cell that has no value of its column's type: which row (0-based), its text, and why with the remedy."""

    row: int
    value: str
    reason: str


def cast_column(
    cells: pa.ChunkedArray, how: Cast, con: duckdb.DuckDBPyConnection
) -> tuple[pa.ChunkedArray, list[Refusal]]:
    """The typed column, NULL where the cell is blank or refused, and the refusals."""
    if how.kind == "text":
        return cells, []
    target = ARROW_TYPES[how.kind]
    if cells.null_count == len(cells):
        return pa.chunked_array([pa.nulls(len(cells), target)]), []
    typed = _fast(cells, how, con).cast(target)
    missed = pc.and_(pc.is_valid(cells), pc.is_null(typed))
    if not pc.any(missed).as_py():
        return typed, []
    return _slow(cells, typed, missed, how)


def _fast(cells: pa.ChunkedArray, how: Cast, con: duckdb.DuckDBPyConnection) -> pa.ChunkedArray:
    """One statement over the whole column. The regular expressions keep DuckDB's own leniency out."""
    con.register("column_of_text", pa.table({"x": cells}))
    try:
        con.execute(f"select {_expression(how)} as y from column_of_text")
        return con.fetch_arrow_table().column("y")
    finally:
        con.unregister("column_of_text")


def _expression(how: Cast) -> str:
    number = r"case when regexp_full_match(x, '[+-]?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{0,6})?') then replace(x, ',', '') end"
    if how.kind == "decimal":
        return f"try_cast({number} as decimal(38, 9))"
    if how.kind == "double":
        return f"try_cast({number} as double)"
    if how.kind == "bigint":
        return r"case when regexp_full_match(x, '[+-]?\d{1,18}') then try_cast(x as bigint) end"
    if how.kind == "bool":
        return (
            "case lower(x) when 'true' then true when '1' then true when 'はい' then true "
            "when 'false' then false when '0' then false when 'いいえ' then false end"
        )
    day = "try_strptime(x, ['%Y-%m-%d', '%Y/%m/%d'" + (", '%m/%d/%Y'" if how.order == "us" else "") + "])"
    known = r"\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}" + (r"|\d{1,2}/\d{1,2}/\d{4}" if how.order == "us" else "")
    if how.kind == "date":
        return f"case when regexp_full_match(x, '{known}') then {day} end::date"
    return _instant(how, day, known)


def _instant(how: Cast, day: str, known: str) -> str:
    dates = ["%Y-%m-%d", "%Y/%m/%d", *(["%m/%d/%Y"] if how.order == "us" else [])]
    forms = ", ".join(f"'{date}{clock}'" for date in dates for clock in (" %H:%M:%S", " %H:%M", "T%H:%M:%S"))
    zone = how.zone.replace("'", "''")
    clock = r"[ T]\d{1,2}:\d{2}(:\d{2})?"
    return (
        f"case when regexp_full_match(x, '({known})') then timezone('{zone}', {day}) "
        f"when regexp_full_match(x, '({known}){clock}') then timezone('{zone}', try_strptime(x, [{forms}])) "
        r"when regexp_full_match(x, '\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})') "
        "then try_cast(x as timestamptz) end"
    )


def _slow(
    cells: pa.ChunkedArray, typed: pa.ChunkedArray, missed: pa.ChunkedArray, how: Cast
) -> tuple[pa.ChunkedArray, list[Refusal]]:
    """The cells that the fast path left: each distinct text is parsed once."""
    read = parser(how.kind, how.order, how.zone)
    rows = cast(list[int], pc.indices_nonzero(missed).to_pylist())
    texts = cast(list[str], pc.filter(cells, missed).to_pylist())
    known: dict[str, Any] = {text: _outcome(read, text) for text in set(texts)}
    refusals = [
        Refusal(row, text, str(known[text]))
        for row, text in zip(rows, texts, strict=True)
        if isinstance(known[text], ValueError)
    ]
    values = [None if isinstance(known[text], ValueError) else known[text] for text in texts]
    found = pa.array(values, ARROW_TYPES[how.kind])
    filled = pc.replace_with_mask(typed.combine_chunks(), missed.combine_chunks(), found)
    return pa.chunked_array([filled]), refusals


def _outcome(read: Callable[[str], object], text: str) -> object:
    try:
        return read(text)
    except ValueError as error:
        return error
