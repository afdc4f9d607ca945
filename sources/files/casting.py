"""Columns of text → typed columns, in one vectorised statement; the few cells that it cannot read go to `values.py`.

The fast path knows the common plain forms only and must agree with the reference on each of them (a property test
holds that); whatever it does not know comes back NULL and is read cell by cell, once per distinct text.
"""

from collections.abc import Callable, Mapping
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


def cast_columns(
    cells: Mapping[str, pa.ChunkedArray], how: Mapping[str, Cast], con: duckdb.DuckDBPyConnection
) -> tuple[dict[str, pa.ChunkedArray], dict[str, list[Refusal]]]:
    """The typed columns, NULL where a cell is blank or refused, and the refusals of those columns that have any."""
    columns: dict[str, pa.ChunkedArray] = {}
    refusals: dict[str, list[Refusal]] = {}
    todo: dict[str, pa.ChunkedArray] = {}
    for name, texts in cells.items():
        if _has_work(texts, how[name]):
            whole = _whole(texts, how[name])
            (todo if whole is None else columns)[name] = texts if whole is None else whole
    for name, typed in _fast(todo, how, con).items():
        target, texts = ARROW_TYPES[how[name].kind], cells[name]
        columns[name] = typed if typed.type == target else typed.cast(target)
        if typed.null_count == texts.null_count:  # a blank cell gives NULL, so all others have a value
            continue
        missed = pc.and_(pc.is_valid(texts), pc.is_null(typed))
        columns[name], refused = _slow(texts, columns[name], missed, how[name])
        if refused:
            refusals[name] = refused
    for name, texts in cells.items():
        if name not in columns:
            is_text = how[name].kind == "text"
            columns[name] = texts if is_text else _empty(len(texts), ARROW_TYPES[how[name].kind])
    return columns, refusals


def cast_column(
    cells: pa.ChunkedArray, how: Cast, con: duckdb.DuckDBPyConnection
) -> tuple[pa.ChunkedArray, list[Refusal]]:
    """One column: see `cast_columns`."""
    columns, refusals = cast_columns({"x": cells}, {"x": how}, con)
    return columns["x"], refusals.get("x", [])


def _has_work(cells: pa.ChunkedArray, how: Cast) -> bool:
    return how.kind != "text" and cells.null_count < len(cells)


def _empty(count: int, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(count, kind)])


# Lengths of 2026-04-01, of it with 09:30 and with 09:30:00, and of a blank: Arrow would also take an hour alone, or a fraction.
_LENGTHS = {"date": {10, None}, "timestamp": {10, 16, 19, None}}


def _whole(cells: pa.ChunkedArray, how: Cast) -> pa.ChunkedArray | None:
    """Arrow's own strict casts, in a third of the time: a column that is plain from top to bottom, as most are, else None."""
    try:
        if how.kind == "bigint":
            # Arrow reads hexadecimal numbers too.
            is_hex = pc.any(pc.match_substring(cells, "x", ignore_case=True)).as_py()
            return None if is_hex else cells.cast(pa.int64())
        lengths = set(pc.unique(pc.binary_length(cells)).to_pylist())
        if not lengths <= _LENGTHS.get(how.kind, set()):
            return None
        iso = pc.replace_substring(cells, "/", "-")
        ends = pc.min_max(iso).as_py()
        if ends["min"] < "1900" or ends["max"] >= "2037":  # zones were another thing then; Arrow ends its rules there
            return None
        if how.kind == "date":
            return iso.cast(pa.date32())
        # A local time that a change of the clocks leaves out or repeats is an error here, and goes the other way.
        return pc.assume_timezone(iso.cast(pa.timestamp("us")), how.zone).cast(ARROW_TYPES["timestamp"])
    except pa.ArrowInvalid:
        return None


def _fast(
    cells: Mapping[str, pa.ChunkedArray], how: Mapping[str, Cast], con: duckdb.DuckDBPyConnection
) -> dict[str, pa.ChunkedArray]:
    """One statement over all columns. The regular expressions keep DuckDB's own leniency out."""
    if not cells:
        return {}
    places = {name: f"x{place}" for place, name in enumerate(cells)}
    con.register("columns_of_text", pa.table({places[name]: texts for name, texts in cells.items()}))
    try:
        casts = ", ".join(_expression(how[name], place) for name, place in places.items())
        con.execute(f"select {casts} from columns_of_text")
        return dict(zip(cells, con.to_arrow_table().columns, strict=True))
    finally:
        con.unregister("columns_of_text")


# Plain forms only; RE2 has no look-around, so the shapes are spelt out.
_WHOLE = r"[+-]?(\d{1,18}|\d{1,3}(,\d{3}){1,5})"
_NUMBER = r"[+-]?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{0,6})?"
_YEAR_FIRST = r"[12]\d{3}(-\d{1,2}-|/\d{1,2}/)\d{1,2}"
_MONTH_FIRST = r"\d{1,2}/\d{1,2}/[12]\d{3}"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2})?"
_WITH_OFFSET = r"[12]\d{3}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})"


def _expression(how: Cast, x: str) -> str:
    """SQL of the value of the text column `x`."""
    if how.kind == "bool":
        return (
            f"case lower({x}) when 'true' then true when '1' then true when 'はい' then true "
            "when 'false' then false when '0' then false when 'いいえ' then false end"
        )
    if how.kind in ("date", "timestamp"):
        return _instant(how, x)
    shape, native = (_WHOLE, "bigint") if how.kind == "bigint" else (_NUMBER, "decimal(38, 9)")
    native = "double" if how.kind == "double" else native
    return f"case when regexp_full_match({x}, '{shape}') then try_cast(replace({x}, ',', '') as {native}) end"


def _instant(how: Cast, x: str) -> str:
    clock = "" if how.kind == "date" else f"({_CLOCK})?"
    cases = [(_YEAR_FIRST, x)]
    if how.order == "us":
        cases.append((_MONTH_FIRST, rf"regexp_replace({x}, '^(\d{{1,2}})/(\d{{1,2}})/(\d{{4}})', '\3-\1-\2')"))
    if how.kind == "date":
        whens = [f"when regexp_full_match({x}, '{shape}') then try_cast({iso} as date)" for shape, iso in cases]
    else:
        zone = how.zone.replace("'", "''")
        whens = [
            f"when regexp_full_match({x}, '{shape}{clock}') then timezone('{zone}', try_cast({iso} as timestamp))"
            for shape, iso in cases
        ]
        whens.append(f"when regexp_full_match({x}, '{_WITH_OFFSET}') then try_cast({x} as timestamptz)")
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
