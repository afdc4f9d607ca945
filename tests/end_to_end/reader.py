"""A program that reads the published file while others refresh it: one that opens it anew each time, or one that keeps it open.

    python -m tests.end_to_end.reader PATH STOP anew|open

reads until the file STOP is there. It prints each state that differs from the one before, and at last how often it read.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[2]
LAST_DAY = "level = 'company' and snapshot_date = (select max(snapshot_date) from marts.pipeline_daily)"
AGREE: tuple[tuple[str, str], ...] = (
    (
        "select count(*), sum(amount) from marts.opportunities where not is_closed",
        f"select sum(opportunity_count), sum(amount) from marts.pipeline_daily where stage <> 'all' and {LAST_DAY}",
    ),
    (
        "select count(*), sum(amount) from marts.opportunities where not is_closed",
        "select sum(open_opportunity_count), sum(open_pipeline_amount) from marts.customer_360",
    ),
    (
        "select count(*), sum(amount) from marts.opportunities where is_won",
        "select sum(won_count), sum(won_amount) from marts.customer_360",
    ),
    (
        "select count(account_id) from marts.person_360",
        "select sum(people_count) from marts.customer_360",
    ),
    (
        "select count(*) from marts.opportunities",
        "select count(*) from marts.opportunity_stage_history where is_current",
    ),
    (
        "select as_of from about.publication",
        "select max(checked_at) from marts.data_health where check_name = 'row_counts'",
    ),
)
"""Pairs of queries on different marts that must answer the same in every file."""


def look(con: duckdb.DuckDBPyConnection) -> str:
    """The state that this connection shows: the publication, and a digest of every row. Raises when marts disagree."""
    publication = glance(con)
    for one, other in AGREE[1:]:
        _must_agree(con, one, other)
    tables = con.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
    sums = [
        (name, con.execute(f"select count(*), sum(hash(t)::hugeint)::varchar from marts.{name} t").fetchone())
        for (name,) in tables
    ]
    assert glance(con) == publication
    return f"{publication} {hashlib.sha256(json.dumps(sums).encode()).hexdigest()[:12]}"


def glance(con: duckdb.DuckDBPyConnection) -> str:
    """The publication alone, and whether open deals agree with the pipeline: enough for most readings."""
    con.execute("set threads = 1")
    rows = con.execute("select as_of::varchar, through_seq, published_at::varchar from about.publication").fetchall()
    _must_agree(con, *AGREE[0])
    (row,) = rows
    return "as of {}, load {}, published {}".format(*row)


def _must_agree(con: duckdb.DuckDBPyConnection, one: str, other: str) -> None:
    first, second = con.execute(one).fetchall(), con.execute(other).fetchall()
    assert first == second, f"{first} is not {second}: {one} / {other}"


def state(path: Path) -> str:
    """What the file shows now."""
    with duckdb.connect(str(path), read_only=True) as con:
        return look(con)


@dataclass(frozen=True)
class Read:
    """What a reader saw: states in their order, and how often it read."""

    states: list[str]
    times: int


class Reader:
    """The process; `end` stops it and raises what it met."""

    def __init__(self, path: Path, *, is_kept_open: bool = False) -> None:
        self._stop = path.parent.parent.parent / f"stop-{id(self)}"
        how = "open" if is_kept_open else "anew"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.end_to_end.reader", str(path), str(self._stop), how],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._first = self._process.stdout.readline()  # it is at work

    def end(self) -> Read:
        self._stop.touch()
        out, errors = self._process.communicate(timeout=60)
        self._stop.unlink()
        assert self._process.returncode == 0, errors
        *states, times = (self._first + out).splitlines()
        return Read(states, int(times))


def main() -> None:
    path, stop, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    last, whole, times = "", "", 0
    kept = duckdb.connect(str(path), read_only=True) if how == "open" else None
    while not stop.exists():
        con = kept or duckdb.connect(str(path), read_only=True)
        seen = glance(con)
        if seen != last or times % 10 == 0:  # every row, and the processor is left to those who refresh
            found = look(con)
            if found != whole:
                print(found, flush=True)
            last, whole = seen, found
        if con is not kept:
            con.close()
        times += 1
        time.sleep(0.1)
    print(times)


if __name__ == "__main__":
    main()
