"""What happens to a staged package under the lock, just before dlt loads it.

Rows that equal the previous version of their key are taken out of the staged files, rows that an interrupted load had
written already are taken out too (which makes dlt's at-least-once append exactly-once), and the keys that a sweep did
not find any more become tombstones. Only the keys of the staged files are looked at. This module must not open the
warehouse for writing, and must not put temporary files into a package: dlt takes them for jobs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.warehouse import memory_limit
from sources.tables import ROW_GROUP, aligned
from sources.versions import KEY_SEPARATOR, SQL_TYPES, hash_sql, hash_with_flag, literal, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from pyarrow import parquet

    from sources.stream import DataType

SEEN_TABLE = "_seen"
QUARANTINE_IDENTITY = ("stream", "source_key", "file", "line", "column_name", "value", "reason", "row_text")


@dataclass(frozen=True)
class Package:
    """A normalized package of dlt that waits to be loaded."""

    load_id: str
    files: Mapping[str, Sequence[Path]]
    """Table -> its parquet files."""


class Unreadable(Exception):
    """The files of a table cannot be compared with raw: damaged, or of types that do not go together."""

    def __init__(self, table: str, problem: Exception) -> None:
        super().__init__(str(problem))
        self.table = table


@dataclass
class Landing:
    """What landing did, by table."""

    landed: dict[str, int] = field(default_factory=dict[str, int])
    unchanged: dict[str, int] = field(default_factory=dict[str, int])
    swept: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Raw:
    """The raw log of one instance as it is attached while landing works."""

    connection: duckdb.DuckDBPyConnection
    instance: str
    columns: Mapping[str, Mapping[str, str]]
    """Table -> column -> type; empty when the warehouse is not there yet."""

    def table(self, name: str) -> str:
        return f"raw.{quoted('raw_' + self.instance)}.{quoted(name)}"


def filter_unchanged(
    package: Package, raw_path: Path, instance: str, keys: Mapping[str, Sequence[str]], scratch: Path
) -> Landing:
    """Rewrite the package's files so that only new versions remain. `keys`: stream -> its key columns.

    `scratch` is a folder of its own on the same disk and outside the package; it is gone afterwards. Safe to repeat after a kill at any moment: files are
    swapped in whole, and what an earlier pass or load did is recognised. Raises Unreadable for what no second try can mend.
    """
    import duckdb

    scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set preserve_insertion_order = true")
        connection.execute(f"set memory_limit = '{memory_limit()}'; set temp_directory = {literal(str(scratch))}")
        raw = _attach(connection, raw_path, instance)
        landing = Landing()
        seen = package.files.get(SEEN_TABLE, ())
        for table, files in package.files.items():
            try:
                if keys.get(table):
                    _filter_table(raw, package.load_id, table, files, keys[table], seen, scratch, landing)
                elif table != SEEN_TABLE:
                    _filter_keyless(raw, package.load_id, table, files, scratch, landing)
            except (duckdb.DataError, duckdb.ProgrammingError) as problem:
                raise Unreadable(table, problem) from problem
        for file in seen:  # consumed: it never becomes a table
            file.unlink()
        return landing
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def raw_types(connection: duckdb.DuckDBPyConnection, instance: str) -> dict[str, dict[str, DataType]]:
    """The types of raw's columns as they are, whatever dlt's schema says of them; others than ours are left out."""
    kinds: dict[str, DataType] = {sql: kind for kind, sql in SQL_TYPES.items()}
    found = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() where schema_name = ?", [f"raw_{instance}"]
    ).fetchall()
    types: dict[str, dict[str, DataType]] = {}
    for table, column, sql in found:
        kind = kinds.get(str(sql).lower().replace("timestamp with time zone", "timestamptz"))
        if kind is not None and not str(table).startswith("_dlt") and not str(column).startswith("_dlt"):
            types.setdefault(str(table), {})[str(column)] = kind
    return types


def _attach(connection: duckdb.DuckDBPyConnection, raw_path: Path, instance: str) -> Raw:
    columns: dict[str, dict[str, str]] = {}
    if raw_path.exists():
        connection.execute(f"attach {literal(str(raw_path))} as raw (read_only)")
        found = connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() "
            "where database_name = 'raw' and schema_name = ?",
            [f"raw_{instance}"],
        ).fetchall()
        for table, column, kind in found:
            columns.setdefault(str(table), {})[str(column)] = str(kind)
    return Raw(connection, instance, columns)


def _filter_table(
    raw: Raw,
    load_id: str,
    table: str,
    files: Sequence[Path],
    key: Sequence[str],
    seen: Sequence[Path],
    scratch: Path,
    landing: Landing,
) -> None:
    con = raw.connection
    names = ", ".join(map(quoted, key))
    staged_types = _parquet_types(con, files)
    con.execute(
        f"create or replace temp table staged as select filename, {names}, _hash, _seq, _deleted "
        f"from read_parquet({_list(files)}, filename = true, union_by_name = true)"
    )
    _previous(raw, load_id, table, key)
    con.execute(f"create or replace temp table kept as {_new_versions(con, names)}")
    stones = _tombstones(raw, load_id, table, key, staged_types, seen, scratch)
    _count(con, table, landing, stones)
    for number, file in enumerate(files):
        _rewrite(raw, table, file, "_seq", stones if number == 0 else None, scratch)


def _new_versions(con: duckdb.DuckDBPyConnection, names: str) -> str:
    """SQL of the staged rows that differ from the version before them; a first load has nothing to compare them with."""
    for question in ("from previous", "from own", f"select 1 from staged group by {names} having count(*) > 1"):
        if con.execute(f"select 1 where exists ({question})").fetchone():
            return (
                f"with log as (select null as filename, {names}, _hash, landing, _seq from previous "
                f"union all select filename, {names}, _hash, 9223372036854775807, _seq from staged "
                f"where not exists (select 1 from own where own._seq = staged._seq)) "
                f"select filename, _seq from log qualify filename is not null and _hash is distinct from "
                f"lag(_hash) over (partition by {names} order by landing, _seq)"
            )
    return "select filename, _seq from staged"


def _previous(raw: Raw, load_id: str, table: str, key: Sequence[str]) -> None:
    """`previous`: the newest committed version of each staged key, and what this very load has written (`own`).

    Rows of a load that was aborted are in the table and in no ledger: they are no previous version of anything.
    """
    con = raw.connection
    names = ", ".join(map(quoted, key))
    known = raw.columns.get(table, {})
    if not {*key, "_hash", "_seq", "_deleted", "_dlt_load_id"} <= set(known):
        con.execute("create or replace temp table own as select 0::bigint as _seq where false")
        con.execute(
            f"create or replace temp table previous as select {names}, _hash, 0::bigint as landing, _seq, _deleted "
            "from staged where false"
        )
        return
    con.execute(
        f"create or replace temp table own as select _seq from {raw.table(table)} where _dlt_load_id = ?", [load_id]
    )
    con.execute(
        f"create or replace temp table previous as "
        f"select {names}, _hash, coalesce(l.seq, 9223372036854775806) as landing, _seq, _deleted "
        f"from {raw.table(table)} as r left join raw.ledger.loads as l "
        f"on r._dlt_load_id = l.load_id and l.source_system = {literal(raw.instance)} "
        f"where (l.seq is not null or r._dlt_load_id = {literal(load_id)}) "
        f"and ({names}) in (select ({names}) from staged) "
        f"qualify row_number() over (partition by {names} order by landing desc, _seq desc) = 1"
    )


def _tombstones(
    raw: Raw,
    load_id: str,
    table: str,
    key: Sequence[str],
    types: Mapping[str, str],
    seen: Sequence[Path],
    scratch: Path,
) -> Path | None:
    """A file of tombstones for the live keys of raw that the sweep did not list; None when there are none."""
    con = raw.connection
    known = raw.columns.get(table, {})
    if not seen or not {*key, "_hash", "_seq", "_deleted", "_dlt_load_id"} <= set(known):
        return None
    con.execute(
        f"create or replace temp table alive as select key from read_parquet({_list(seen)}) where stream = ?", [table]
    )
    complete = con.execute("select count(*) from alive where key is null").fetchone()
    if not complete or not complete[0]:
        return None
    names = ", ".join(map(quoted, key))
    text = f" || {literal(KEY_SEPARATOR)} || ".join(f"{quoted(k)}::varchar" for k in key)
    stamp = hash_with_flag(hash_sql(key, types), "true")
    target = scratch / f"{table}.tombstones.parquet"
    row = con.execute(
        f"copy (with newest as (select {names}, _deleted from {raw.table(table)} as r left join raw.ledger.loads as l "
        f"on r._dlt_load_id = l.load_id and l.source_system = {literal(raw.instance)} "
        f"where l.seq is not null or r._dlt_load_id = {literal(load_id)} "
        f"qualify row_number() over (partition by {names} "
        f"order by coalesce(l.seq, 9223372036854775806) desc, _seq desc) = 1) "
        f"select {names}, {stamp} as _hash, "
        f"row_number() over (order by {names}) + (select coalesce(max(_seq), 0) from staged) as _seq, "
        f"true as _deleted, {literal(load_id)} as _dlt_load_id from newest "
        f"where not coalesce(_deleted, false) and ({names}) not in (select ({names}) from staged) "
        f"and {text} not in (select key from alive where key is not null)) to {literal(str(target))} (format parquet)"
    ).fetchone()
    return target if row and row[0] else None


def _filter_keyless(raw: Raw, load_id: str, table: str, files: Sequence[Path], scratch: Path, landing: Landing) -> None:
    """Tables without a key: nothing is compared, but what this load has written already is not written again."""
    con = raw.connection
    types = _parquet_types(con, files)
    known = raw.columns.get(table, {})
    own = f"select {{}} from {raw.table(table)} where _dlt_load_id = {literal(load_id)}"
    seq = "_seq" if "_seq" in types else "__row"
    if "_dlt_load_id" not in known:
        condition = "true"
    elif "_seq" in types and "_seq" in known:
        condition = f"_seq not in ({own.format('_seq')})"
    else:  # small tables of the engine: one file, written whole or not at all
        condition = f"not exists ({own.format('1')})"
    if table == "quarantine" and set(QUARANTINE_IDENTITY) <= set(known):
        same = " and ".join(f"q.{c} is not distinct from s.{c}" for c in QUARANTINE_IDENTITY)
        condition += f" and not exists (select 1 from {raw.table(table)} as q where {same})"
    con.execute(
        "create or replace temp table staged as select null::varchar as filename, 0::bigint as _seq where false"
    )
    con.execute("create or replace temp table kept as from staged")
    for file in files:
        con.execute(f"insert into staged select {literal(str(file))}, {seq} from {_rows(file, seq)} as s")
        con.execute(
            f"insert into kept select {literal(str(file))}, {seq} from {_rows(file, seq)} as s where {condition}"
        )
    _count(con, table, landing, None)
    for file in files:
        _rewrite(raw, table, file, seq, None, scratch)


def _count(con: duckdb.DuckDBPyConnection, table: str, landing: Landing, stones: Path | None) -> None:
    row = con.execute("select (select count(*) from staged), (select count(*) from kept)").fetchone()
    assert row is not None
    swept = 0
    if stones is not None:
        found = con.execute(f"select count(*) from read_parquet({literal(str(stones))})").fetchone()
        swept = int(found[0]) if found else 0
        landing.swept[table] = swept
    landing.landed[table] = int(row[1]) + swept
    landing.unchanged[table] = int(row[0]) - int(row[1])


def _rewrite(raw: Raw, table: str, file: Path, seq: str, stones: Path | None, scratch: Path) -> None:
    """Swap in the file's new form: nothing to do when all rows stay, gone when none stay and raw has the columns."""
    con = raw.connection
    row = con.execute(
        "select (select count(*) from staged where filename = $f), (select count(*) from kept where filename = $f)",
        {"f": str(file)},
    ).fetchone()
    assert row is not None
    before, after = row
    if before == after and stones is None and (after or not _has_columns(raw, table, file)):
        return
    begun = file.parent.name == "started_jobs"  # dlt may have a note of it: it stays, empty
    if after == 0 and stones is None and not begun and _has_columns(raw, table, file):
        file.unlink()
        return
    kept = con.execute("select _seq from kept where filename = ? order by _seq", [str(file)]).to_arrow_table()["_seq"]
    target = scratch / file.name
    try:
        _write_kept(file, seq, kept, stones, target)
    except OSError as problem:
        if problem.errno is not None:  # of the disk; Arrow's own, of a damaged file, have no number
            raise
        raise Unreadable(table, problem) from problem
    os.replace(target, file)  # noqa: PTH105  atomic on the same disk


def _write_kept(file: Path, seq: str, kept: pa.ChunkedArray, stones: Path | None, target: Path) -> None:
    """The file's rows whose `seq` is kept (in order), then the tombstones."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(file) as source, parquet.ParquetWriter(target, source.schema_arrow) as writer:
        for table in aligned(_kept_rows(source, seq, kept)):
            writer.write_table(table)
        if stones:
            more = parquet.read_table(stones)
            columns = [
                more[field.name].cast(field.type)
                if field.name in more.column_names
                else pa.nulls(len(more), field.type)
                for field in source.schema_arrow
            ]
            writer.write_table(pa.table(columns, schema=source.schema_arrow))
    pa.default_memory_pool().release_unused()  # what the rows took is needed by the load


def _kept_rows(source: parquet.ParquetFile, seq: str, kept: pa.ChunkedArray) -> Iterator[pa.Table]:
    """Batch by batch: a file may hold half a million rows."""
    import numpy
    import pyarrow as pa

    begin, wanted = 0, kept.to_numpy()
    for batch in source.iter_batches(batch_size=ROW_GROUP):
        numbers = numpy.arange(begin, begin + batch.num_rows) if seq == "__row" else batch[seq].to_numpy()
        begin += batch.num_rows
        near = wanted[numpy.searchsorted(wanted, numbers.min()) : numpy.searchsorted(wanted, numbers.max(), "right")]
        yield pa.Table.from_batches([batch.filter(pa.array(numpy.isin(numbers, near)))])


def _has_columns(raw: Raw, table: str, file: Path) -> bool:
    """True when raw has the table with all columns of the file: dlt makes tables and columns only for staged files."""
    return set(_parquet_types(raw.connection, [file])) <= set(raw.columns.get(table, {}))


def _rows(file: Path, seq: str) -> str:
    number = ", file_row_number as __row" if seq == "__row" else ""
    columns = "* exclude (file_row_number)" if number else "*"
    options = ", file_row_number = true" if number else ""
    return f"(select {columns}{number} from read_parquet({literal(str(file))}{options}))"


def _parquet_types(con: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> dict[str, str]:
    rows = con.execute(f"describe select * from read_parquet({_list(files)}, union_by_name = true)").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _list(files: Sequence[Path]) -> str:
    return "[" + ", ".join(literal(str(file)) for file in files) + "]"
