"""Dagster's event log with its files kept open: the same records, and what it replaces of Dagster."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.event_log import KEPT_OPEN, HomeEventLog


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\n"
        "event_log_storage:\n  module: orchestration.event_log\n  class: HomeEventLog\n"
        f"  config: {{base_dir: {tmp_path}/history/runs}}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@dg.asset(check_specs=[dg.AssetCheckSpec("filled", asset="rows")])
def rows() -> Iterator[object]:
    yield dg.MaterializeResult(metadata={"dagster/row_count": 3})
    yield dg.AssetCheckResult(check_name="filled", passed=False, severity=dg.AssetCheckSeverity.WARN)


def run(instance: dg.DagsterInstance) -> str:
    return dg.materialize([rows], instance=instance).run_id


def events(storage: SqliteEventLogStorage, run_id: str) -> list[tuple[str, str]]:
    return [(str(entry.dagster_event_type), entry.message) for entry in storage.get_logs_for_run(run_id)]


def test_what_it_wrote_is_what_dagsters_own_storage_reads(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = run(instance)
    assert isinstance(instance.event_log_storage, HomeEventLog)
    plain = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    ours, theirs = events(instance.event_log_storage, run_id), events(plain, run_id)
    assert ours == theirs
    assert any("ASSET_MATERIALIZATION" in kind for kind, _ in ours)
    assert plain.get_latest_materialization_events([dg.AssetKey("rows")])[dg.AssetKey("rows")] is not None
    assert instance.get_latest_materialization_event(dg.AssetKey("rows")) is not None


def test_a_file_that_another_process_replaced_is_opened_anew(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    first = run(instance)
    place = tmp_path / "history" / "runs"
    for path in place.glob(f"{first}.db*"):
        path.unlink()
    assert events(instance.event_log_storage, first) == []
    second = run(instance)
    SqliteEventLogStorage(str(place)).wipe()
    assert events(instance.event_log_storage, second) == []


def test_only_a_few_files_are_kept_open(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, HomeEventLog)
    for number in range(KEPT_OPEN + 3):
        storage.get_logs_for_run(f"run{number}")
    assert len(storage._open) == KEPT_OPEN


def test_a_deleted_run_leaves_no_file_and_no_check_result(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    first, second = run(instance), run(instance)
    key = dg.AssetCheckKey(dg.AssetKey("rows"), "filled")
    history = instance.event_log_storage.get_asset_check_execution_history
    assert len(history(key, limit=9)) == 2
    instance.delete_run(first)
    assert [record.run_id for record in history(key, limit=9)] == [second]
    assert not list((tmp_path / "history" / "runs").glob(f"{first}*"))
    assert instance.get_latest_materialization_event(dg.AssetKey("rows")) is not None


def test_dagster_still_opens_its_databases_where_this_storage_does_it_otherwise() -> None:
    """Upgrade guard: a run's events go through `_connect` alone, one connection at a time under `_db_lock`."""
    source = inspect.getsource(SqliteEventLogStorage)
    assert "def _connect(self, shard: str)" in source
    assert "return self._connect(run_id)" in inspect.getsource(SqliteEventLogStorage.run_connection)
    assert "return self._connect(INDEX_SHARD_NAME)" in inspect.getsource(SqliteEventLogStorage.index_connection)
    opens = inspect.getsource(SqliteEventLogStorage._connect)
    assert "with self._db_lock" in opens and "_initdb" in opens and "conn.begin()" in opens
