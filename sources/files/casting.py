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
        return con.to_arrow_table().column("y")
    finally:
        con.unregister("column_of_text")


# Plain forms only; RE2 has no look-around, so the shapes are spelt out.
_WHOLE = r"[+-]?(\d{1,18}|\d{1,3}(,\d{3}){1,5})"
_NUMBER = r"[+-]?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{0,6})?"
_YEAR_FIRST = r"[12]\d{3}(-\d{1,2}-|/\d{1,2}/)\d{1,2}"
_MONTH_FIRST = r"\d{1,2}/\d{1,2}/[12]\d{3}"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2})?"
_WITH_OFFSET = r"[12]\d{3}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"


def _expression(how: Cast) -> str:
    if how.kind == "bool":
        return (
            "case lower(x) when 'true' then true when '1' then true when 'はい' then true "
            "when 'false' then false when '0' then false when 'いいえ' then false end"
        )
    if how.kind in ("date", "timestamp"):
        return _instant(how)
    shape, native = (_WHOLE, "bigint") if how.kind == "bigint" else (_NUMBER, "decimal(38, 9)")
    native = "double" if how.kind == "double" else native
    return f"case when regexp_full_match(x, '{shape}') then try_cast(replace(x, ',', '') as {native}) end"


def _instant(how: Cast) -> str:
    clock = "" if how.kind == "date" else f"({_CLOCK})?"
    cases = [(_YEAR_FIRST, "replace(x, '/', '-')")]
    if how.order == "us":
        cases.append((_MONTH_FIRST, r"regexp_replace(x, '^(\d{1,2})/(\d{1,2})/(\d{4})', '\3-\1-\2')"))
    if how.kind == "date":
        whens = [f"when regexp_full_match(x, '{shape}') then try_cast({iso} as date)" for shape, iso in cases]
    else:
        zone = how.zone.replace("'", "''")
        whens = [
            f"when regexp_full_match(x, '{shape}{clock}') then timezone('{zone}', try_cast({iso} as timestamp))"
            for shape, iso in cases
        ]
        whens.append(f"when regexp_full_match(x, '{_WITH_OFFSET}') then try_cast(x as timestamptz)")
    return f"case {' '.join(whens)} end"


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
