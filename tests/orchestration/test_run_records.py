"""Records of runs: which are dropped, which are ended, which are left alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.run_records import KEPT, PROCESS_TAG, SERVER_TAG, drop_finished_loads, end_dead, mark, prune

LATER = datetime.now(UTC) + KEPT + timedelta(days=1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(
        "telemetry: {enabled: false}\nconcurrency: {pools: {default_limit: 1}}\n"
        "event_log_storage:\n  module: orchestration.event_log\n  class: HomeEventLog\n"
        f"  config: {{base_dir: {tmp_path}/history/runs}}\n"
    )
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


@dg.asset
def seldom() -> None: ...


@dg.asset
def often() -> None:
    print("said by the step")


@dg.job
def nothing() -> None: ...


def run(instance: dg.DagsterInstance, *assets: dg.AssetsDefinition) -> str:
    return dg.materialize(list(assets), instance=instance).run_id


def test_old_runs_go_but_those_that_an_assets_page_stands_on(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    both, middle, last = run(instance, seldom, often), run(instance, often), run(instance, often)
    assert (tmp_path / "storage" / middle).exists()
    assert prune(instance, datetime.now(UTC)) == []
    assert prune(instance, LATER) == [middle]
    assert {record.dagster_run.run_id for record in instance.get_run_records()} == {both, last}
    assert not (tmp_path / "storage" / middle).exists()
    assert not list((tmp_path / "history" / "runs").glob(f"{middle}*"))
    for asset, run_id in ((seldom, both), (often, last)):
        event = instance.get_latest_materialization_event(asset.key)
        assert event is not None and event.run_id == run_id
    assert prune(instance, LATER) == []


def test_the_last_run_of_a_job_stays_even_if_it_made_nothing(instance: dg.DagsterInstance) -> None:
    first = nothing.execute_in_process(instance=instance).run_id
    second = nothing.execute_in_process(instance=instance).run_id
    assert prune(instance, LATER) == [first]
    assert instance.get_run_by_id(second) is not None


def test_a_run_that_has_not_ended_is_never_dropped(instance: dg.DagsterInstance) -> None:
    started(instance, {})
    nothing.execute_in_process(instance=instance)
    assert prune(instance, LATER) == []


def test_notes_of_finished_loads_go_and_loads_that_wait_stay(tmp_path: Path) -> None:
    for state in ("loaded", "normalized", "new"):
        for number, load_id in enumerate(("1.1", "2.2")):
            place = tmp_path / "crm" / "load" / state / load_id
            place.mkdir(parents=True)
            (place / "schema.json").write_text("{}")
            age = KEPT + timedelta(days=1) if number == 0 else timedelta(0)
            moment = (datetime.now(UTC) - age).timestamp()
            os.utime(place, (moment, moment))
    assert drop_finished_loads(tmp_path, datetime.now(UTC)) == 1
    left = sorted(str(path.relative_to(tmp_path / "crm" / "load")) for path in tmp_path.glob("crm/load/*/*"))
    assert left == ["loaded/2.2", "new/1.1", "new/2.2", "normalized/1.1", "normalized/2.2"]


def started(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run_id = instance.create_run_for_job(nothing, tags=tags, status=dg.DagsterRunStatus.STARTED).run_id
    instance.event_log_storage.initialize_concurrency_limit_to_default("warehouse")
    instance.event_log_storage.claim_concurrency_slot("warehouse", run_id, "step")
    return run_id


def status(instance: dg.DagsterInstance, run_id: str) -> str:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status.value


def ended_process() -> int:
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    return int(done.stdout)


def test_a_run_whose_process_is_gone_is_ended_and_its_place_is_free(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, {PROCESS_TAG: f"{ended_process()} 1"})
    assert end_dead(instance) == [run_id]
    assert status(instance, run_id) == "FAILURE"
    assert instance.event_log_storage.get_concurrency_info("warehouse").claimed_slots == []
    assert end_dead(instance) == []


def test_a_run_that_ended_without_leaving_its_place_is_made_to_leave_it(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, mark())
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run, "interrupted")
    assert end_dead(instance) == []
    assert instance.event_log_storage.get_concurrency_info("warehouse").claimed_slots == []


def test_another_process_with_the_same_id_is_not_taken_for_the_run(instance: dg.DagsterInstance) -> None:
    run_id = started(instance, {PROCESS_TAG: f"{os.getpid()} 1"})
    assert end_dead(instance) == [run_id]


def test_a_run_of_this_process_and_one_that_says_nothing_are_left_alone(instance: dg.DagsterInstance) -> None:
    alive, silent = started(instance, mark()), started(instance, {})
    assert end_dead(instance) == []
    assert status(instance, alive) == status(instance, silent) == "STARTED"


def test_a_run_of_the_daemon_lives_as_long_as_its_code_server(instance: dg.DagsterInstance) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket() as listener:
        name = f"/tmp/tsunagu-test-{os.getpid()}.sock"
        server.bind(name)
        server.listen()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        by_socket = started(instance, {SERVER_TAG: json.dumps({"host": "localhost", "socket": name})})
        by_port = started(instance, {SERVER_TAG: json.dumps({"host": "127.0.0.1", "port": port})})
        assert end_dead(instance) == []
    assert set(end_dead(instance)) == {by_socket, by_port}
    Path(name).unlink()


def test_dagster_still_marks_the_runs_of_its_daemon_with_their_code_server() -> None:
    """Upgrade guard: the tag and its content are not documented."""
    import inspect

    from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
    from dagster._core.storage.tags import GRPC_INFO_TAG

    assert GRPC_INFO_TAG == SERVER_TAG
    source = inspect.getsource(DefaultRunLauncher.launch_run_from_grpc_client)
    assert all(f'"{word}"' in source for word in ("host", "port", "socket"))
