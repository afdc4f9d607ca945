"""A block of text cells → typed rows of the entity's raw table, and one `Rejected` for each row that could not be typed.

Column by column in Arrow; only cells that the fast casts refuse are looked at one by one. It does no input or output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import duckdb
import pyarrow as pa
from pyarrow import compute

from sources.files.casting import ARROW_TYPES, Cast, Refusal, cast_columns
from sources.files.entities import ENTITIES, reference_column
from sources.files.mapping import FileStream, Source
from sources.files.text import BrokenLine, Cells
from sources.stream import Rejected

# pyarrow's compute functions are made at run time, so a type checker does not know them.
pc: Any = compute


@dataclass(frozen=True)
class _Problem:
    """What is wrong with one cell of a row, by the target column that it should fill."""

    target: str
    value: str
    reason: str


@dataclass
class Reader:
    """Turns the blocks of one delivered file into rows; remembers keys across blocks."""

    stream: FileStream
    file: str
    delivered_at: datetime
    con: duckdb.DuckDBPyConnection
    read: int = 0
    landed: int = 0
    quarantined: int = 0
    left_out: int = 0
    """Rows that `where:` or `unless:` gives to other streams, and lines without any value."""
    unreadable_keys: int = 0
    """Rows whose key is not known: what they were cannot be told from what is gone."""
    keys: set[str] = field(default_factory=set[str])
    """Keys of the rows of this stream so far, the rejected ones too."""
    listed: list[pa.ChunkedArray] = field(default_factory=list[pa.ChunkedArray])
    """The same keys block by block; a repeated one stands here as often as it came."""
    header: list[str] = field(default_factory=list[str])

    def rows(self, cells: Cells) -> Iterator[pa.Table | Rejected]:
        """The block's rejected rows, then its typed rows."""
        self.header = cells.table.column_names
        self.read += cells.table.num_rows + len(cells.broken)
        for broken in cells.broken:
            self.quarantined += 1
            yield self._broken(broken)
        table = cells.table.append_column("\0line", cells.lines)
        chosen = self._chosen(table)
        table = table if pc.all(chosen).as_py() else table.filter(chosen)
        ids = self._source_ids(table)
        repeated = self._repeated(ids) if self.stream.delivery == "full" or self.stream.distinct else {}
        if self.stream.distinct and repeated:
            kept = _all_but(repeated, table.num_rows)
            table, ids, repeated = table.filter(kept), ids.filter(kept), {}
        self.left_out += cells.table.num_rows - table.num_rows
        if not table.num_rows:
            return
        columns, refusals = self._typed(table, ids)
        bad = self._bad_rows(ids, repeated, refusals)
        for row, problems in sorted(bad.items()):
            yield self._rejected(table, ids, row, problems)
        landing = pa.table({name: columns[name] for name in ENTITIES[self.stream.entity].raw_columns})
        landing = landing.filter(_all_but(bad, table.num_rows)) if bad else landing
        self.quarantined += len(bad)
        self.landed += landing.num_rows
        yield landing

    def _chosen(self, table: pa.Table) -> pa.ChunkedArray:
        """Which rows are of this stream: not wholly blank, and as `where` and `unless` say."""
        names = table.column_names[:-1]
        chosen = pc.is_valid(table[names[0]])
        for name in names[1:]:
            if pc.all(chosen).as_py():
                break
            chosen = pc.or_(chosen, pc.is_valid(table[name]))
        for name, values in self.stream.where.items():
            chosen = pc.and_(chosen, _has(table[name], values))
        for name, values in self.stream.unless.items():
            chosen = pc.and_(chosen, pc.invert(_has(table[name], values)))
        return cast(pa.ChunkedArray, chosen)

    def _typed(self, table: pa.Table, ids: pa.ChunkedArray) -> tuple[dict[str, Any], dict[str, list[Refusal]]]:
        entity = ENTITIES[self.stream.entity]
        columns: dict[str, Any] = {
            name: pa.nulls(table.num_rows, ARROW_TYPES[kind]) for name, kind in entity.raw_columns.items()
        }
        texts = {source.target: _cells_of(table, source) for source in self.stream.columns}
        how = {s.target: Cast(s.kind, s.order, self.stream.zone) for s in self.stream.columns}
        typed, refusals = cast_columns(texts, how, self.con)
        columns |= typed
        columns["source_id"] = ids
        columns["source_object"] = _repeat(self.stream.object, "text", table.num_rows)
        columns["id"] = _qualified(self.stream.object, ids)
        for reference, target in self.stream.references.items():
            if reference in columns:
                columns[reference_column(reference)] = _qualified(target, columns[reference])
        columns["unmapped_columns"] = self._extra(table)
        columns["delivered_at"] = _repeat(self.delivered_at, "timestamp", table.num_rows)
        columns["version_at"] = pc.coalesce(columns["updated_at"], columns["delivered_at"])
        columns["file_name"] = _repeat(self.file, "text", table.num_rows)
        columns["file_line"] = table["\0line"]
        return columns, refusals

    def _source_ids(self, table: pa.Table) -> pa.ChunkedArray:
        parts = [table[name] for name in self.stream.key]
        return cast(pa.ChunkedArray, parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "|"))

    def _extra(self, table: pa.Table) -> Any:
        """What the mapping does not name, as JSON text without the empty cells; once, where a file feeds several streams."""
        others = self.stream.other_columns
        names = [name for name in table.column_names[:-1] if others is not None and name not in others]
        if not names:
            return pa.nulls(table.num_rows, pa.string())
        pairs = ", ".join(f"'{name.replace(chr(39), chr(39) * 2)}', {_quoted(name)}" for name in names)
        self.con.register("cells_of_file", table.select(names))
        try:
            self.con.execute(
                f"select cast(json_merge_patch('{{}}', json_object({pairs})) as varchar) as y from cells_of_file"
            )
            return self.con.to_arrow_table().column("y")
        finally:
            self.con.unregister("cells_of_file")

    def _bad_rows(
        self, ids: pa.ChunkedArray, repeated: dict[int, str], refusals: dict[str, list[Refusal]]
    ) -> dict[int, list[_Problem]]:
        """What is wrong, by row: cells without a value of their type, a missing key, a key that stands above already."""
        bad: dict[int, list[_Problem]] = {}
        for target, refused in refusals.items():
            for refusal in refused:
                bad.setdefault(refusal.row, []).append(_Problem(target, refusal.value, refusal.reason))
        for row in cast("list[int]", pc.indices_nonzero(pc.is_null(ids)).to_pylist()):
            self.unreadable_keys += 1
            reason = (
                f"the key ({', '.join(self.stream.key)}) is empty; fill it in, or choose another `key:` in the mapping"
            )
            bad.setdefault(row, []).insert(0, _Problem("source_id", "", reason))
        for row, value in repeated.items():
            reason = (
                f"the key {value!r} stands above in this full list; remove one of the rows, or add a column to `key:`"
            )
            bad.setdefault(row, []).insert(0, _Problem("source_id", value, reason))
        return bad

    def _repeated(self, ids: pa.ChunkedArray) -> dict[int, str]:
        """Rows whose key stood above in the file already, in this block or an earlier one; remembers the block's keys."""
        self.listed.append(ids)
        values = cast("list[str | None]", ids.to_pylist())
        fresh = set(values)
        if len(fresh) == len(values) and None not in fresh and fresh.isdisjoint(self.keys):
            self.keys.update(cast("set[str]", fresh))
            return {}
        repeated: dict[int, str] = {}
        for row, value in enumerate(values):
            if value in self.keys:
                repeated[row] = value
            elif value is not None:
                self.keys.add(value)
        return repeated

    def _broken(self, broken: BrokenLine) -> Rejected:
        """A line that is no row. Its key still counts as there when it stands before the place where the line goes wrong."""
        key = self._key_of(broken)
        if key is None:
            self.unreadable_keys += 1
        else:
            self.keys.add(key)
            self.listed.append(pa.chunked_array([[key]], pa.string()))
        return Rejected(broken.reason, _name(self.stream, key), self.file, broken.line, row_text=broken.text)

    def _key_of(self, broken: BrokenLine) -> str | None:
        places = [self.header.index(name) for name in self.stream.key if name in self.header]
        if len(places) < len(self.stream.key) or max(places) >= len(broken.cells) - 1:
            return None
        parts = [broken.cells[place].strip() for place in places]
        return "|".join(parts) if all(parts) else None

    def _rejected(self, table: pa.Table, ids: pa.ChunkedArray, row: int, problems: list[_Problem]) -> Rejected:
        first = problems[0]
        others = "".join(f"; also {problem.target}: {problem.reason}" for problem in problems[1:])
        columns = {source.target: "/".join(source.columns) for source in self.stream.columns}
        cells = [table[name][row].as_py() or "" for name in self.header]
        return Rejected(
            reason=first.reason + others,
            source_key=_name(self.stream, ids[row].as_py()),
            file=self.file,
            line=table["\0line"][row].as_py(),
            column_name=columns.get(first.target) or "/".join(self.stream.key),
            value=first.value,
            row_text=",".join(cells),
        )


def _name(stream: FileStream, source_id: str | None) -> str | None:
    return None if source_id is None else f"{stream.object}|{source_id}"


def _qualified(target: str, ids: Any) -> Any:
    return pc.binary_join_element_wise(pa.scalar(target), ids, "|")


def _all_but(rows: Collection[int], count: int) -> pa.Array:
    wanted = pa.array(range(count), pa.int64())
    return pc.invert(pc.is_in(wanted, value_set=pa.array(list(rows), pa.int64())))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _has(cells: pa.ChunkedArray, values: tuple[str, ...]) -> Any:
    return pc.is_valid(cells) if "*" in values else pc.is_in(cells, value_set=pa.array(values))


def _repeat(value: Any, kind: str, count: int) -> Any:
    return pa.repeat(pa.scalar(value, ARROW_TYPES[kind]), count)


def _cells_of(table: pa.Table, source: Source) -> pa.ChunkedArray:
    """The text of one target: the constant, or the first column with a value, through the value map, else the default."""
    if source.constant is not None:
        return pa.chunked_array([_repeat(source.constant, "text", table.num_rows)])
    several: list[Any] = [table[name] for name in source.columns]
    cells: Any = several[0] if len(several) == 1 else pc.coalesce(*several)
    if source.values:
        place = pc.index_in(cells, value_set=pa.array(source.values.keys()))
        mapped = pa.array([value or None for value in source.values.values()], pa.string()).take(place)
        cells = pc.if_else(pc.is_valid(place), mapped, cells)
    if source.default is not None:
        cells = pc.fill_null(cells, source.default)
    return cells
