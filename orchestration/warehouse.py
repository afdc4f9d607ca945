"""The precious file: who may write to it, how its ledgers are made, and how it is kept safe.

DuckDB's own lock is the guarantee that two processes never write at once; the file lock here is the queue in front of
it and says who is inside and since when. Ledgers change by numbered migrations only. This module must not extract,
build models, or keep a connection open between steps, and makes no key, constraint or index: replaying DuckDB's log
around those is where it lost data.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import duckdb

SNAPSHOTS_KEPT = 2
SPARE_BYTES = 200_000_000
"""Free space that must remain after a step: DuckDB's log and a checkpoint need room of their own."""
MOST_MEMORY = 6_000_000_000
"""What DuckDB may hold before it writes to disk, where the machine has that much: its own default is 80 % of the machine."""
STORAGE_VERSION = "v1.4.0"
"""Of files that are made new: DuckDB 1.4 and later read them, and text lands in two thirds of the CPU that v1.0.0 takes.
What people read is the published file, which any 1.x opens."""

MIGRATIONS: Sequence[str] = (
    """
    create table ledger.loads (
        seq bigint, load_id varchar, source_system varchar, vendor varchar, committed_at timestamptz
    );
    create table ledger.load_tables (
        seq bigint, load_id varchar, source_system varchar, table_name varchar, row_count bigint, unchanged_count bigint
    );
    create table ledger.identity_history (
        entity_type varchar, old_entity_id varchar, new_entity_id varchar, changed_at timestamptz, reason varchar,
        run_seq bigint
    );
    create table ledger.map_versions (map_name varchar, version_seq bigint, row_json varchar, read_at timestamptz);
    create table ledger.builds (
        build_seq bigint, through_seq bigint, as_of timestamptz, full_refresh boolean, started_at timestamptz,
        finished_at timestamptz, status varchar, details varchar
    );
    """,
    # Nothing ever wrote or read it: Dagster's instance records builds, published.json and about.publication what stands.
    "drop table ledger.builds;",
    # A map read after the newest load belongs to the present, not to the days between that load and the reading.
    "alter table ledger.map_versions add column seen_as_of timestamptz;",
)
"""One entry per version of the ledgers' schema; a released entry is never edited, a change is a new entry."""


class Places(Protocol):
    """Where the files are; the settings of a home have these."""

    @property
    def raw_path(self) -> Path: ...
    @property
    def lock_path(self) -> Path: ...
    @property
    def pipelines_dir(self) -> Path: ...


class WarehouseError(Exception):
    """Something about the files; `str(error)` is one paragraph meant for a person."""


class WarehouseHeld(WarehouseError):
    """Someone else has the warehouse; the message says who and since when."""


class NoSpace(WarehouseError):
    """The disk is too full for the next step; nothing was changed."""


@dataclass(frozen=True)
class Load:
    """One row of `ledger.loads`: a load exists only when it has one."""

    load_id: str
    source_system: str
    vendor: str
    row_counts: Mapping[str, tuple[int, int]]
    """Table -> (rows landed, rows left out because they were unchanged)."""


# the lock --------------------------------------------------------------------------------------------------------
@contextmanager
def hold(lock_path: Path, who: str, *, timeout: float = 600) -> Generator[None]:
    """Hold the lock; `who` and the time stand beside it in JSON while it is held.

    Raises WarehouseHeld after `timeout` seconds. A process that dies releases it (the kernel does). On network mounts
    locks are not reliable: a home belongs on a local disk.
    """
    from filelock import FileLock, Timeout

    lock_path.parent.mkdir(parents=True, exist_ok=True)
    note = lock_path.with_suffix(".holder.json")
    lock = FileLock(str(lock_path))
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise WarehouseHeld(f"{lock_path} is held by {holder(lock_path)}. Wait for it to end and run again.") from None
    try:
        note.write_text(json.dumps({"who": who, "pid": os.getpid(), "since": _wall_clock()}), encoding="utf-8")
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def holder(lock_path: Path) -> str:
    """Who wrote the note beside the lock, in words; for messages."""
    try:
        note: dict[str, Any] = json.loads(lock_path.with_suffix(".holder.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return "another process"
    return f"{note.get('who')} (process {note.get('pid')}) since {note.get('since')}"


def _wall_clock() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")


# connections -----------------------------------------------------------------------------------------------------
@contextmanager
def raw_connection(
    places: Places, *, read_only: bool = False, patience: float = 30
) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to raw.duckdb, closed at the end; call it with the lock held.

    A process that does not know our lock (a DuckDB shell) can still have the file: after `patience` seconds that is
    WarehouseHeld with DuckDB's own words, which name the process.
    """
    with open_file(places.raw_path, read_only=read_only, patience=patience) as connection:
        yield connection


@contextmanager
def open_file(path: Path, *, read_only: bool = False, patience: float = 30) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to one of the two files, closed at the end, as `raw_connection` is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, read_only, time.monotonic() + patience)
    try:
        connection.execute(f"set TimeZone = 'UTC'; set memory_limit = '{memory_limit()}'")
        yield connection
    finally:
        connection.close()


def memory_limit() -> str:
    """DuckDB's memory limit on this machine: half of it, at most MOST_MEMORY; the rest is Python's and the system's."""
    try:
        present = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # not told on this system
        present = 2 * MOST_MEMORY
    return f"{min(MOST_MEMORY, present // 2) // 1_000_000}MB"


def _connect(path: Path, read_only: bool, give_up: float) -> duckdb.DuckDBPyConnection:
    import duckdb

    while True:
        try:
            return duckdb.connect(
                str(path), read_only=read_only, config={"storage_compatibility_version": STORAGE_VERSION}
            )
        except duckdb.IOException as problem:
            if "lock" not in str(problem).lower():
                raise
            if time.monotonic() > give_up:
                words = _first_line(problem).removeprefix("IO Error: ").partition(" See also")[0]
                raise WarehouseHeld(f"{path} is open in another program ({words}). Close it and run again.") from None
            time.sleep(0.2)


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0]


# ledgers ---------------------------------------------------------------------------------------------------------
def migrate(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring the ledgers to the newest version and return its number; each step is one transaction."""
    connection.execute("create schema if not exists ledger")
    connection.execute("create table if not exists ledger.migrations (number bigint, applied_at varchar)")
    row = connection.execute("select coalesce(max(number), 0) from ledger.migrations").fetchone()
    done = int(row[0]) if row else 0
    if done > len(MIGRATIONS):
        raise WarehouseError(
            f"The warehouse has ledger version {done}, this program knows {len(MIGRATIONS)}: it was written by a newer "
            "version. Update the program; nothing was changed."
        )
    for number, statements in enumerate(MIGRATIONS[done:], start=done + 1):
        connection.execute("begin")
        connection.execute(statements)
        connection.execute("insert into ledger.migrations values (?, ?)", [number, _wall_clock()])
        connection.execute("commit")
    return len(MIGRATIONS)


def stamp_load(connection: duckdb.DuckDBPyConnection, load: Load, committed_at: datetime) -> int:
    """Write the load into the ledger (once) and return its `seq`: the order of landing. Call it with the lock held."""
    found = connection.execute(
        "select seq from ledger.loads where load_id = ? and source_system = ?", [load.load_id, load.source_system]
    ).fetchone()
    if found:
        return int(found[0])
    connection.execute("begin")
    row = connection.execute("select coalesce(max(seq), 0) + 1 from ledger.loads").fetchone()
    assert row is not None
    seq = int(row[0])
    connection.execute(
        "insert into ledger.loads values (?, ?, ?, ?, ?)",
        [seq, load.load_id, load.source_system, load.vendor, committed_at],
    )
    for table, (landed, unchanged) in sorted(load.row_counts.items()):
        connection.execute(
            "insert into ledger.load_tables values (?, ?, ?, ?, ?, ?)",
            [seq, load.load_id, load.source_system, table, landed, unchanged],
        )
    connection.execute("commit")
    return seq


def reconcile(connection: duckdb.DuckDBPyConnection, instance: str, vendor: str, committed_at: datetime) -> list[str]:
    """Stamp loads that dlt finished (`_dlt_loads`, status 0) before the process died, in the order of their landing."""
    schema = f"raw_{instance}"
    there = connection.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = '_dlt_loads'", [schema]
    ).fetchone()
    if not there:
        return []
    missing = connection.execute(
        f'select load_id from "{schema}"._dlt_loads where status = 0 and load_id not in '
        "(select load_id from ledger.loads where source_system = ?) order by inserted_at, load_id",
        [instance],
    ).fetchall()
    stamped = [str(row[0]) for row in missing]
    for load_id in stamped:
        stamp_load(connection, Load(load_id, instance, vendor, rows_of(connection, instance, load_id)), committed_at)
    return stamped


def rows_of(connection: duckdb.DuckDBPyConnection, instance: str, load_id: str) -> dict[str, tuple[int, int]]:
    """Table -> (rows of this load in raw, 0 unchanged): for a load that a dead process began, whose own counts are lost."""
    schema = f"raw_{instance}"
    tables = connection.execute(
        "select table_name from duckdb_columns() where schema_name = ? and column_name = '_dlt_load_id'", [schema]
    ).fetchall()
    counts: dict[str, tuple[int, int]] = {}
    for (table,) in tables:
        row = connection.execute(
            f'select count(*) from "{schema}"."{table}" where _dlt_load_id = ?', [load_id]
        ).fetchone()
        counts[str(table)] = (int(row[0]) if row else 0, 0)
    return counts


# safety ----------------------------------------------------------------------------------------------------------
def check_space(path: Path, needed: int) -> None:
    """Raise NoSpace when the disk of `path` has less than `needed` bytes and the spare."""
    place = path if path.exists() else path.parent
    free = shutil.disk_usage(place).free
    if free < needed + SPARE_BYTES:
        raise NoSpace(
            f"The disk of {place} has {free / 1e6:,.0f} MB free; the next step needs {(needed + SPARE_BYTES) / 1e6:,.0f} MB. "
            "Free some space and run again: what was read is kept and lands then."
        )


def is_out_of_space(error: BaseException) -> bool:
    """True when the error, or what caused it, is a full disk, a used-up quota or a limit on a file's size."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, NoSpace):
            return True
        if isinstance(current, OSError) and current.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(words in str(current) for words in ("No space left", "File too large", "disk is full")):
            return True
        inner: Any = getattr(current, "exception", None)  # dlt keeps the cause of a failed step there
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__
    return False


def snapshot(places: Places, now: datetime) -> Path | None:
    """Copy raw.duckdb once a day (by `now`) and keep the last two; None when today's copy is there already.

    Call it with the lock held and no connection open.
    """
    folder = places.raw_path.parent / "snapshots"
    target = folder / f"raw-{now:%Y%m%d}.duckdb"
    if target.exists() or not places.raw_path.exists():
        return None
    size = places.raw_path.stat().st_size
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob("raw-*.part"):  # of a run that was killed, on another day too
        leftover.unlink()
    check_space(folder, size)
    with raw_connection(places) as connection:
        connection.execute("checkpoint")
    unfinished = target.with_suffix(".part")
    with places.raw_path.open("rb") as source, unfinished.open("wb") as copy:
        shutil.copyfileobj(source, copy, 8_000_000)
        copy.flush()
        os.fsync(copy.fileno())
    unfinished.replace(target)
    for old in sorted(folder.glob("raw-*.duckdb"))[:-SNAPSHOTS_KEPT]:
        old.unlink()
    return target
