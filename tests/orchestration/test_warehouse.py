"""The precious file: its lock, its ledgers, its copies, and what is said when something is in the way."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration import warehouse
from orchestration.warehouse import (
    Load,
    NoSpace,
    WarehouseError,
    WarehouseHeld,
    check_space,
    hold,
    migrate,
    raw_connection,
    reconcile,
    snapshot,
    stamp_load,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Home:
    folder: Path

    @property
    def raw_path(self) -> Path:
        return self.folder / "raw.duckdb"

    @property
    def lock_path(self) -> Path:
        return self.folder / "warehouse.lock"

    @property
    def pipelines_dir(self) -> Path:
        return self.folder / "pipelines"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def _hold_for_long(path: str) -> None:
    with hold(Path(path), "the other one"):
        time.sleep(60)


def test_the_lock_says_who_holds_it_and_since_when(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    other = context.Process(target=_hold_for_long, args=(str(home.lock_path),))
    other.start()
    note = home.lock_path.with_suffix(".holder.json")
    try:
        give_up = time.monotonic() + 60
        while not (note.exists() and note.read_text()):  # made, then written
            assert other.is_alive() and time.monotonic() < give_up
            time.sleep(0.05)
        since = json.loads(note.read_text())["since"]
        with (
            pytest.raises(WarehouseHeld, match=f"the other one .*since {since[:13]}"),
            hold(home.lock_path, "me", timeout=0.1),
        ):
            pass
    finally:
        other.kill()
        other.join()
    with hold(home.lock_path, "me", timeout=5):  # a dead process holds nothing
        assert json.loads(note.read_text())["who"] == "me"
    assert not note.exists()


def test_migrations_are_made_once_and_a_newer_file_is_left_alone(home: Home) -> None:
    with raw_connection(home) as con:
        assert migrate(con) == migrate(con) == len(warehouse.MIGRATIONS)
        con.execute("insert into ledger.migrations values (99, '')")
        with pytest.raises(WarehouseError, match="newer version"):
            migrate(con)


def test_a_home_of_an_older_version_is_brought_to_the_newest_and_keeps_its_loads(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, raw_connection(home) as con:
        patch.setattr(warehouse, "MIGRATIONS", warehouse.MIGRATIONS[:1])
        migrate(con)
        stamp_load(con, Load("a", "crm", "v", {}), NOW)
    with raw_connection(home) as con:
        migrate(con)
        tables = con.execute("select table_name from duckdb_tables() where schema_name = 'ledger'").fetchall()
        assert con.execute("select load_id from ledger.loads").fetchall() == [("a",)]
    assert {name for (name,) in tables} == {"loads", "load_tables", "identity_history", "map_versions", "migrations"}


def test_a_migration_that_fails_leaves_the_version_before_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    known = len(warehouse.MIGRATIONS)
    monkeypatch.setattr(
        warehouse, "MIGRATIONS", (*warehouse.MIGRATIONS, "create table ledger.half (a int); select nonsense;")
    )
    with raw_connection(home) as con, pytest.raises(duckdb.Error):
        migrate(con)
    with raw_connection(home) as con:
        assert con.execute("select max(number) from ledger.migrations").fetchone() == (known,)
        assert con.execute("select count(*) from duckdb_tables() where table_name = 'half'").fetchone() == (0,)


def test_loads_are_numbered_in_the_order_of_landing_and_stamped_once(home: Home) -> None:
    with raw_connection(home) as con:
        migrate(con)
        assert stamp_load(con, Load("b", "crm", "v", {"t": (3, 1)}), NOW) == 1
        assert stamp_load(con, Load("a", "crm", "v", {}), NOW + timedelta(hours=1)) == 2
        assert stamp_load(con, Load("b", "crm", "v", {"t": (3, 1)}), NOW + timedelta(hours=2)) == 1
        assert con.execute("select load_id, committed_at from ledger.loads order by seq").fetchall()[0] == ("b", NOW)
        assert con.execute("select table_name, row_count, unchanged_count from ledger.load_tables").fetchall() == [
            ("t", 3, 1)
        ]


def test_half_a_stamp_is_none(home: Home) -> None:
    with raw_connection(home) as con:
        migrate(con)
        with pytest.raises(duckdb.Error):
            stamp_load(con, Load("a", "crm", "v", {"s": (1, 0), "t": ("not a number", 0)}), NOW)  # type: ignore[dict-item]
    with raw_connection(home) as con:
        assert con.execute("from ledger.loads").fetchall() == con.execute("from ledger.load_tables").fetchall() == []


def test_loads_that_finished_without_a_stamp_are_stamped_in_the_order_of_landing(home: Home) -> None:
    with raw_connection(home) as con:
        migrate(con)
        assert reconcile(con, "crm", "v", NOW) == []  # never synced
        con.execute("create schema raw_crm")
        con.execute("create table raw_crm._dlt_loads (load_id varchar, status bigint, inserted_at timestamptz)")
        con.execute(
            "insert into raw_crm._dlt_loads values ('9', 0, '2026-01-01'), ('8', 0, '2026-01-02'), ('7', 1, '2026-01-03')"
        )
        assert reconcile(con, "crm", "v", NOW) == ["9", "8"]
        assert reconcile(con, "crm", "v", NOW) == []


def test_a_snapshot_is_made_once_a_day_and_two_are_kept(home: Home) -> None:
    with raw_connection(home) as con:
        con.execute("create table t as select 42 as a")
    made = [snapshot(home, NOW + timedelta(days=day)) for day in (0, 0, 1, 2)]
    assert made[1] is None
    kept = sorted(path.name for path in (home.folder / "snapshots").iterdir())
    assert kept == ["raw-20260302.duckdb", "raw-20260303.duckdb"]
    with duckdb.connect(str(home.folder / "snapshots" / kept[-1]), read_only=True) as con:
        assert con.execute("from t").fetchall() == [(42,)]


def test_half_a_snapshot_of_a_killed_run_goes_with_the_next_one_on_another_day(home: Home) -> None:
    with raw_connection(home) as con:
        con.execute("create table t as select 42 as a")
    (home.folder / "snapshots").mkdir()
    (home.folder / "snapshots" / "raw-20260228.part").write_bytes(b"half a copy")
    snapshot(home, NOW)
    assert [path.name for path in (home.folder / "snapshots").iterdir()] == ["raw-20260301.duckdb"]


def test_a_full_disk_is_said_before_anything_is_written(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(home.folder)
    monkeypatch.setattr(warehouse.shutil, "disk_usage", lambda _: usage._replace(free=5_000_000))
    with pytest.raises(NoSpace, match=r"5 MB free.*needs 300 MB"):
        check_space(home.raw_path, 100_000_000)


def test_the_ledgers_have_no_key_no_constraint_and_no_index(home: Home) -> None:
    with raw_connection(home) as con:
        migrate(con)
        assert con.execute("from duckdb_constraints()").fetchall() == []
        assert con.execute("from duckdb_indexes()").fetchall() == []


@pytest.mark.parametrize(("present_gb", "told", "shown"), [(4, "2000MB", "1.8 GiB"), (64, "6000MB", "5.5 GiB")])
def test_duckdb_gets_half_of_the_machine_and_no_more_than_it_needs(
    home: Home, monkeypatch: pytest.MonkeyPatch, present_gb: int, told: str, shown: str
) -> None:
    pages = {"SC_PAGE_SIZE": 1_000, "SC_PHYS_PAGES": present_gb * 1_000_000}
    monkeypatch.setattr(warehouse.os, "sysconf", pages.__getitem__)
    assert warehouse.memory_limit() == told
    with warehouse.raw_connection(home) as con:
        row = con.execute("select current_setting('memory_limit')").fetchone()
    assert row == (shown,)


def test_a_machine_that_does_not_tell_its_memory_gets_a_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(warehouse.os, "sysconf", unknown)
    assert warehouse.memory_limit() == "6000MB"
