"""The tables that extraction makes: their columns, typed when empty, in one order, and cut to whole row groups.

Pure functions on Arrow tables; nothing here knows a vendor, a window or dlt's pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

DataType = Literal["text", "bigint", "double", "decimal", "bool", "timestamp", "date"]
"""The types of raw columns, as dlt names them."""

ROW_GROUP = 10_240
"""Tables are yielded in multiples of this: five DuckDB vectors, a divisor of dlt's buffer of 122,880 rows. Measured:
row groups that are not aligned cost more than twice the CPU of a load."""
BUFFER = 122_880
"""Rows that dlt gathers before it writes a row group (DATA_WRITER__BUFFER_MAX_ITEMS)."""
MOST_PINNED = 1.5
"""A table that keeps this many times its own size in memory is given as it is, beyond it is copied."""
STAMPS: Mapping[str, DataType] = {
    "_hash": "bigint",
    "_seq": "bigint",
    "_deleted": "bool",
    "_deleted_at": "timestamp",
}
QUARANTINE: Mapping[str, DataType] = {
    "stream": "text",
    "source_key": "text",
    "file": "text",
    "line": "bigint",
    "column_name": "text",
    "value": "text",
    "reason": "text",
    "row_text": "text",
    "found_at": "timestamp",
}
VENDOR_COUNT: Mapping[str, DataType] = {
    "stream": "text",
    "object": "text",
    "live_count": "bigint",
    "status": "text",
    "message": "text",
    "counted_at": "timestamp",
}
SEEN: Mapping[str, DataType] = {"stream": "text", "key": "text"}


@dataclass(frozen=True)
class Rejected:
    """A row or a file that a vendor could not read: it goes to `quarantine` instead of being lost."""

    reason: str
    source_key: str | None = None
    file: str | None = None
    line: int | None = None
    column_name: str | None = None
    value: str | None = None
    row_text: str | None = None
    is_file: bool = False
    """True: it is a whole file. The run lands the rest, and says that it failed in part."""


def hints(columns: Mapping[str, DataType], *, stamps: bool = True) -> dict[str, dict[str, Any]]:
    """dlt's column hints: explicit types, so that a column without any value is created as well."""
    every = {**columns, **STAMPS} if stamps else dict(columns)
    return {name: {"name": name, "data_type": kind, "nullable": True} for name, kind in every.items()}


def empty_table(columns: Mapping[str, DataType]) -> pa.Table:
    """No rows, all columns, typed."""
    import pyarrow as pa

    return pa.schema([pa.field(name, arrow_type(kind)) for name, kind in columns.items()]).empty_table()


def conform(table: pa.Table, types: Mapping[str, DataType]) -> pa.Table:
    """The table with every known column, in one order: dlt writes a table anew when a column is missing in it."""
    import pyarrow as pa

    for name, kind in types.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows, arrow_type(kind)))
    extra = [name for name in table.column_names if name not in types and name not in STAMPS]
    return table.select([*types, *extra, *STAMPS])


def arrow_type(kind: DataType) -> pa.DataType:
    """The Arrow type of a declared type."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {
        "text": pa.string(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "decimal": pa.decimal128(38, 9),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us", "UTC"),
        "date": pa.date32(),
    }
    return types[kind]


def aligned(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in tables of a multiple of `ROW_GROUP`; only the last may be shorter.

    What dlt buffers pins the memory behind it, so tables that hold much more than they show are copied.
    """
    import pyarrow as pa

    waiting: list[pa.Table] = []
    count, given = 0, 0
    for table in tables:
        waiting.append(table)
        count += table.num_rows
        whole = count - count % ROW_GROUP
        if whole:
            joined = pa.concat_tables(waiting, promote_options="default")
            yield _compact(joined.slice(0, whole))
            count, given = count - whole, given + whole
            if given >= BUFFER:  # dlt has written what it held: give the memory back
                pa.default_memory_pool().release_unused()
                given = 0
            waiting = [_compact(joined.slice(whole))] if count else []
    if waiting:
        yield pa.concat_tables(waiting, promote_options="default")


def _compact(table: pa.Table) -> pa.Table:
    """The table in memory of about its own size."""
    return table if table.get_total_buffer_size() <= MOST_PINNED * table.nbytes else copied(table)


def copied(table: pa.Table) -> pa.Table:
    """The table in Arrow's own memory. What DuckDB gives lies in blocks that are larger than their rows, which nothing
    tells: a first load of a million rows would take twice the memory."""
    import pyarrow as pa

    return pa.concat_tables([table.slice(0, 0), table]).combine_chunks()  # one chunk alone would not be copied


def from_rows(rows: list[dict[str, Any]], columns: Mapping[str, DataType]) -> pa.Table | None:
    import pyarrow as pa

    if not rows:
        return None
    return pa.Table.from_pylist(rows, schema=empty_table(columns).schema)
