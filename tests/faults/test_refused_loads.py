"""A package that the warehouse will never take finds its way out by itself: aborted, read again, what is bad quarantined."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dlt_packages
from orchestration.syncs import Refused, Sync
from orchestration.warehouse import WarehouseHeld
from sources.stream import DataType
from tests.faults.home import Home
from tests.faults.processes import held
from tests.faults.tool import START, TOOL


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path, patience=1)
    for kind in ("Fed", "Swept"):
        home.store.put_all(START - timedelta(days=1), kind, [{"id": str(i), "name": str(i)} for i in range(5)])
    home.sync()
    return home


def retype(home: Home, column: str, kind: str) -> None:
    """Someone gave a column of raw another type."""
    with duckdb.connect(str(home.raw_path)) as con:
        con.execute(f"alter table raw_tool.fed alter {column} type {kind} using try_cast({column} as {kind})")


def declare(home: Home, **columns: DataType) -> None:
    """A newer version of the program declares other types."""
    home.vendor = replace(TOOL, streams=tuple(replace(s, columns={**s.columns, **columns}) for s in TOOL.streams))


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The packages that were aborted."""
    seen: list[str] = []
    aborted: Callable[..., Any] = Sync._aborted

    def note(self: Sync, *more: Any) -> Any:
        seen.append(str(more[-1]))
        return aborted(self, *more)

    monkeypatch.setattr(Sync, "_aborted", note)
    return seen


def test_a_value_that_raw_cannot_hold_is_quarantined_and_everything_else_lands_in_the_same_sync(
    home: Home, refusals: list[str]
) -> None:
    retype(home, "name", "bigint")
    at = home.later(minutes=10)
    home.store.put_all(at, "Fed", [{"id": "7", "name": "7"}, {"id": "8", "name": "eight"}])
    home.store.put(at, "Swept", {"id": "7", "name": "seven"})
    home.later(minutes=10)
    report = home.sync()
    assert refusals == ["fed"]
    assert (report.rows["fed"], report.rows["swept"], report.quarantined["fed"]) == (1, 1, 1)
    assert home.rows("select source_key, column_name, value, reason from quarantine where stream = 'fed'") == [
        ("8", "name", "eight", "the value does not fit the column's type")
    ]
    committed = home.rows("select load_id from _dlt_loads where status = 0 order by 1")
    assert home.rows("select load_id from ledger.loads order by 1") == committed
    assert home.latest("fed")["7"] == 7
    assert home.latest("swept")["7"] == "seven"


def test_after_a_refusal_the_types_of_raw_are_known_and_the_next_sync_is_not_refused(
    home: Home, refusals: list[str]
) -> None:
    retype(home, "name", "bigint")
    for key in "89":
        home.store.put(home.later(minutes=10), "Fed", {"id": key, "name": "word"})
        home.later(minutes=10)
        home.sync()
    assert refusals == ["fed"]
    assert home.rows("select distinct source_key from quarantine where stream = 'fed' order by 1") == [("8",), ("9",)]


@pytest.mark.parametrize(
    ("column", "kind", "value", "landed"), [("amount", "text", "much", []), ("name", "double", "9", [("9",)])]
)
def test_a_newly_declared_type_does_not_change_what_raw_has(
    home: Home, refusals: list[str], column: str, kind: DataType, value: str, landed: list[Any]
) -> None:
    declare(home, **{column: kind})
    home.store.put(home.later(minutes=10), "Fed", {"id": "9", "name": "9", "amount": "1", column: value})
    for _ in range(2):  # the second time dlt's schema has seen the new declaration
        home.later(minutes=10)
        home.sync()
    assert refusals == []
    assert home.rows("select name from fed where id = '9'") == landed, "one version, or one row in quarantine"
    assert len(home.rows("select 1 from quarantine where stream = 'fed'")) == 1 - len(landed)


def test_a_package_that_waits_and_can_never_load_does_not_stay_in_the_way(home: Home, refusals: list[str]) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "8", "name": "eight"})
    home.later(minutes=10)
    with held(home.raw_path), pytest.raises(WarehouseHeld):
        home.sync()
    retype(home, "name", "bigint")
    report = home.sync()
    assert refusals == ["fed"]
    assert report.quarantined["fed"] == 1


@pytest.mark.parametrize("place", ["normalized", "extracted"])
def test_a_package_whose_file_is_damaged_is_read_again(home: Home, refusals: list[str], place: str) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "8", "name": "eight"})
    home.later(minutes=10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sync, "_filter" if place == "normalized" else "_normalize", _power_fails)
        with pytest.raises(KeyboardInterrupt):
            home.sync()
    [staged] = home.pipelines_dir.rglob(
        f"{place}/*/*/fed.*.parquet" if place == "extracted" else "new_jobs/fed.*.parquet"
    )
    staged.chmod(0o600)
    os.truncate(staged, 100)
    home.sync()
    assert len(refusals) == 1
    assert home.latest("fed")["8"] == "eight"
    home.check()


def _power_fails(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_stream_that_is_refused_again_is_left_out_and_named_and_the_others_land(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.store.put(home.now, "Swept", {"id": "1", "name": "b"})
    home.later(minutes=10)
    with monkeypatch.context() as patch:
        _refuse(patch, "swept")
        report = home.try_sync()
    assert list(report.failed) == ["swept"]
    assert "swept" in str(report.error()) and "this can never load" in str(report.error())
    assert report.rows["fed"] == 1
    assert home.latest("swept")["1"] == "1"
    report = home.sync()
    assert report.rows["swept"] == 1, "its state had not moved"
    home.check()


def test_a_refusal_that_no_stream_is_the_cause_of_is_told_and_costs_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.later(minutes=10)
    with monkeypatch.context() as patch:
        _refuse(patch, "vendor_count")
        with pytest.raises(Refused, match="this can never load"):
            home.sync()
    home.sync()
    home.check()


def _refuse(patch: pytest.MonkeyPatch, table: str) -> None:
    from dlt.destinations.exceptions import DatabaseTerminalException
    from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

    run = DuckDbCopyJob.run

    def refuse(job: Any) -> None:
        if Path(job._file_path).name.startswith(f"{table}."):
            raise DatabaseTerminalException(ValueError("this can never load"))
        run(job)

    patch.setattr(DuckDbCopyJob, "run", refuse)


def test_an_abort_that_a_kill_interrupts_is_finished_by_the_next_sync(
    home: Home, monkeypatch: pytest.MonkeyPatch, refusals: list[str]
) -> None:
    from dlt.common.storages.load_package import PackageStorage

    retype(home, "name", "bigint")
    home.store.put_all(home.later(minutes=10), "Fed", [{"id": "7", "name": "7"}, {"id": "8", "name": "eight"}])
    home.later(minutes=10)
    with monkeypatch.context() as patch:
        flag = PackageStorage.set_abort_flag

        def flag_and_die(*more: Any) -> None:
            flag(*more)
            raise KeyboardInterrupt

        patch.setattr(PackageStorage, "set_abort_flag", flag_and_die)
        with suppress(KeyboardInterrupt):
            home.sync()
    refusals.clear()
    home.sync()
    assert not refusals, "what was refused is read again with raw's own types at once"
    assert home.latest("fed")["7"] == 7
    committed = home.rows("select load_id from _dlt_loads where status = 0 order by 1")
    assert home.rows("select load_id from ledger.loads order by 1") == committed
    assert list(home.pipelines_dir.rglob("*.parquet")) == [], "rows of people are left of the aborted load"


def test_an_aborted_load_leaves_no_rows_of_people_in_the_working_folder(home: Home, refusals: list[str]) -> None:
    retype(home, "name", "bigint")
    home.store.put(home.later(minutes=10), "Fed", {"id": "8", "name": "eight"})
    home.later(minutes=10)
    home.sync()
    assert refusals
    assert list(home.pipelines_dir.rglob("*.parquet")) == []


def test_the_table_of_a_refused_job_is_found_in_dlts_own_error() -> None:
    from dlt.load.exceptions import LoadClientJobFailed

    error = LoadClientJobFailed("1", "fed.a1f73fb02b.parquet", "refused", ValueError("x"))
    assert dlt_packages.refused_table(error) == "fed"
    assert dlt_packages.refused_table(ValueError("x")) is None
