"""Random packages, landed with interruptions: raw holds each arrival once, without the repetitions."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.landing import Landing, Package, Unreadable, _write_kept, filter_unchanged
from orchestration.warehouse import Load, migrate, stamp_load

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = {"things": ("id", "part")}


class Warehouse:
    """Raw as dlt would fill it: files are appended, some of them before a crash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.raw_path = folder / "raw.duckdb"
        with self.connect() as con:
            migrate(con)
            con.execute("create schema raw_crm")

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.raw_path))

    def stage(self, load_id: str, parts: list[list[tuple[str, str]]]) -> Package:
        """Files of (key, content) rows in the order of arrival."""
        staged = self.folder / load_id
        staged.mkdir()
        files: list[Path] = []
        seq = 0
        for number, rows in enumerate(parts):
            table = pa.table(
                {
                    "id": pa.array([key for key, _ in rows], pa.string()),
                    "part": pa.array([1] * len(rows), pa.int64()),
                    "content": pa.array([content for _, content in rows], pa.string()),
                    "_hash": pa.array([hash(content) % 1000 for _, content in rows], pa.int64()),
                    "_seq": pa.array(range(seq + 1, seq + 1 + len(rows)), pa.int64()),
                    "_deleted": pa.array([False] * len(rows), pa.bool_()),
                    "_dlt_load_id": pa.array([load_id] * len(rows), pa.string()),
                }
            )
            seq += len(rows)
            files.append(staged / f"things.{number}.0.parquet")
            pq.write_table(table, files[-1])
        return Package(load_id, {"things": files})

    def filter(self, package: Package) -> Landing:
        there = Package(package.load_id, {t: [f for f in files if f.exists()] for t, files in package.files.items()})
        if not there.files["things"]:
            return Landing()
        return filter_unchanged(there, self.raw_path, "crm", KEYS, self.folder / "scratch")

    def load(self, files: list[Path]) -> None:
        with self.connect() as con:
            for file in files:
                if file.exists():
                    source = f"read_parquet('{file}')"
                    con.execute(f"create table if not exists raw_crm.things as from {source} limit 0")
                    con.execute(f"insert into raw_crm.things by name from {source}")

    def land(self, load_id: str, parts: list[list[tuple[str, str]]]) -> None:
        """A whole load, from its files to its stamp."""
        package = self.stage(load_id, parts)
        self.filter(package)
        self.load(list(package.files["things"]))
        self.stamp(load_id)

    def stamp(self, load_id: str) -> None:
        with self.connect() as con:
            stamp_load(con, Load(load_id, "crm", "v", {}), NOW)

    def log(self) -> list[tuple[Any, ...]]:
        with self.connect() as con:
            return con.execute(
                "select id, content from raw_crm.things as t join ledger.loads as l on t._dlt_load_id = l.load_id "
                "order by l.seq, _seq"
            ).fetchall()


@contextmanager
def warehouse() -> Iterator[Warehouse]:
    folder = Path(tempfile.mkdtemp())
    try:
        yield Warehouse(folder)
    finally:
        shutil.rmtree(folder)


def without_repetitions(arrivals: list[tuple[str, str]]) -> list[tuple[str, str]]:
    last: dict[str, str] = {}
    kept: list[tuple[str, str]] = []
    for key, content in arrivals:
        if last.get(key) != content:
            kept.append((key, content))
        last[key] = content
    return kept


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z"])), max_size=6)
PACKAGE = st.tuples(st.lists(ROWS, min_size=1, max_size=3), st.integers(0, 3), st.booleans())


@settings(max_examples=15, deadline=None)
@given(st.lists(PACKAGE, min_size=1, max_size=4))
def test_raw_is_the_arrivals_without_repetitions_whatever_is_interrupted(
    packages: list[tuple[list[list[tuple[str, str]]], int, bool]],
) -> None:
    with warehouse() as house:
        arrivals: list[tuple[str, str]] = []
        for number, (parts, loaded_before_the_crash, aborted) in enumerate(packages):
            package = house.stage(f"load{number}", parts)
            files = list(package.files["things"])
            house.filter(package)
            house.load(files[:loaded_before_the_crash])  # committed, but dlt has not noted it
            if aborted:
                continue  # no stamp: its rows are in the table and count for nothing
            house.filter(package)
            house.load(files)
            house.stamp(package.load_id)
            arrivals += [row for part in parts for row in part]
        if arrivals:
            assert house.log() == without_repetitions(arrivals)


def test_a_file_without_a_change_is_not_written_anew(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    package = house.stage("one", [[("a", "x"), ("b", "y")]])
    file = package.files["things"][0]
    before = file.stat().st_mtime_ns
    landing = house.filter(package)
    assert (landing.landed, landing.unchanged) == ({"things": 2}, {"things": 0})
    assert file.stat().st_mtime_ns == before


def test_an_unchanged_package_leaves_no_file_behind_and_no_scratch(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    house.land("one", [[("a", "x")]])
    second = house.stage("two", [[("a", "x")]])
    assert house.filter(second).unchanged == {"things": 1}
    assert not second.files["things"][0].exists()
    assert not (tmp_path / "scratch").exists()


def test_of_a_long_file_just_the_unchanged_rows_are_taken_out(tmp_path: Path) -> None:
    rows = [(f"k{number}", "x") for number in range(25_000)]
    house = Warehouse(tmp_path)
    house.land("one", [rows])
    changed = {7, 10_239, 10_240, 20_480, 24_999}
    second = house.stage("two", [[(key, "y" if n in changed else "x") for n, (key, _) in enumerate(rows)]])
    assert house.filter(second).landed == {"things": 5}
    kept = pq.read_table(second.files["things"][0])
    assert kept["id"].to_pylist() == [f"k{number}" for number in sorted(changed)]


def test_of_a_long_file_without_a_key_just_what_is_there_already_is_taken_out(tmp_path: Path) -> None:
    target, source = tmp_path / "kept.parquet", tmp_path / "rows.parquet"
    pq.write_table(pa.table({"n": pa.array(range(25_000))}), source)
    _write_kept(source, "__row", pa.chunked_array([[3, 10_240, 24_999]]), None, target)
    assert pq.read_table(target)["n"].to_pylist() == [3, 10_240, 24_999]


def test_a_file_that_is_damaged_where_nothing_was_compared_is_refused_not_tried_for_ever(tmp_path: Path) -> None:
    house = Warehouse(tmp_path)
    house.land("one", [[("a", "x")]])
    second = house.stage("two", [[("a", "x"), ("b", "y" * 5_000)]])
    [file] = second.files["things"]
    column = pq.read_metadata(file).row_group(0).column(2)
    begin = column.dictionary_page_offset or column.data_page_offset
    data = bytearray(file.read_bytes())
    data[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    file.write_bytes(data)
    with pytest.raises(Unreadable):
        house.filter(second)
