"""Dagster's own server over a real home: it starts, runs, goes on without a source that fails, and stops at once."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from sources.demo.company import build
from sources.esales.sandbox import export

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
MISSING = "esales_west"
LAUNCH = """
mutation($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }
"""
RUNS = "{runsOrError(limit: 20) {... on Runs {results {runId jobName status tags {key value}}}}}"
LOCATIONS = """
{repositoriesOrError {__typename ... on RepositoryConnection {nodes {
  name location {name} jobs {name} schedules {name scheduleState {status}} sensors {name sensorState {status}}}}}}
"""
ENTRIES = """
{workspaceOrError {... on Workspace {locationEntries {locationOrLoadError {__typename ... on PythonError {message}}}}}}
"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


def write_home(home: Path) -> None:
    """Two instances of files: one that can be read, one whose folder is not there."""
    export(build(7, "small"), "esales", home / "exports")
    text = 'company = "Small"\ndemo = true\n'  # a demo's schedules are off: nothing starts by itself at five past
    for name, folder in (("esales", "exports"), (MISSING, "nowhere")):
        text += f'[instances.{name}]\nvendor = "esales"\nfolder = {json.dumps(str(home / folder))}\n'
    (home / "tsunagu.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("dev") / "home"
    (place / "exports").mkdir(parents=True)
    write_home(place)
    return place


def environment(home: Path) -> dict[str, str]:
    dagster = {"DAGSTER_HOME": str(home / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "1"}
    return {**os.environ, "TSUNAGU_HOME": str(home), "HOME": str(home.parent), **dagster}


def tsunagu(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestration.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(home), capture_output=True, text=True, timeout=300)


@dataclass
class Dev:
    """A running `tsunagu dev`."""

    home: Path
    port: int
    process: subprocess.Popen[bytes]
    seconds_to_load: float = 0.0

    def ask(self, query: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def locations(self) -> list[dict[str, Any]]:
        try:
            return self.ask(LOCATIONS)["repositoriesOrError"].get("nodes") or []
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return []

    def launch(self, job: str, **step_config: Any) -> str:
        place = {
            "repositoryName": "__repository__",
            "repositoryLocationName": self.locations()[0]["location"]["name"],
            "jobName": job,
        }
        config = {"ops": {name: {"config": value} for name, value in step_config.items()}}
        answer = self.ask(LAUNCH, p={"selector": place, "runConfigData": config, "mode": "default"})
        return answer["launchPipelineExecution"]["run"]["runId"]

    def runs(self, job: str | None = None) -> list[dict[str, Any]]:
        found = self.ask(RUNS)["runsOrError"]["results"]
        return [run for run in found if job in (None, run["jobName"])]

    def status(self, run_id: str) -> str:
        return next(run["status"] for run in self.runs() if run["runId"] == run_id)

    def ended(self, run_id: str) -> str:
        wait_for(lambda: self.status(run_id) in ENDED, 240)
        return self.status(run_id)


def wait_for(condition: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.3)


def processes_of(home: Path) -> list[str]:
    """Command lines of processes that were started for this home."""
    found: list[str] = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"TSUNAGU_HOME={home}\0".encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def stop(dev: Dev) -> float:
    started = time.monotonic()
    dev.process.send_signal(signal.SIGINT)
    dev.process.wait(timeout=60)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def dev(home: Path) -> Iterator[Dev]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "orchestration.cli", "dev", "--port", str(port)]
    started = time.monotonic()
    with (home.parent / "dev.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment(home), stdout=log, stderr=subprocess.STDOUT)
    running = Dev(home, port, process)
    try:
        wait_for(running.locations, 120)
        running.seconds_to_load = time.monotonic() - started
        yield running
    finally:
        if process.poll() is None:
            stop(running)


def test_it_starts_loads_without_an_error_and_has_the_schedules_of_a_demo_off(dev: Dev) -> None:
    assert dev.seconds_to_load < 90  # 17 s on an idle machine with two cores, the first parse of the models included
    [entry] = dev.ask(ENTRIES)["workspaceOrError"]["locationEntries"]
    assert entry["locationOrLoadError"] == {"__typename": "RepositoryLocation"}
    [location] = dev.locations()
    assert {job["name"] for job in location["jobs"]} >= {"refresh", "models", "full_check"}
    assert {schedule["scheduleState"]["status"] for schedule in location["schedules"]} == {"STOPPED"}
    assert {sensor["sensorState"]["status"] for sensor in location["sensors"]} == {"RUNNING"}
    nodes = dev.ask("{assetNodes {assetKey {path} groupName}}")["assetNodes"]
    assert {node["groupName"] for node in nodes} >= {"sources", "canonical", "identity", "marts", "published"}


def test_a_second_server_on_the_same_home_is_refused(dev: Dev) -> None:
    second = tsunagu(dev.home, "dev", "--port", "0")
    assert second.returncode == 6
    assert "is held by tsunagu dev" in second.stderr and "Traceback" not in second.stderr


def test_a_refresh_with_a_failing_source_is_followed_by_one_run_of_the_models(dev: Dev) -> None:
    refresh = dev.launch("refresh")
    assert dev.ended(refresh) == "FAILURE"
    wait_for(lambda: dev.runs("models"), 120)
    [models] = dev.runs("models")
    assert {"key": "dagster/sensor_name", "value": "after_partial_refresh"} in models["tags"]
    assert dev.ended(models["runId"]) == "SUCCESS"
    with duckdb.connect(str(dev.home / "published" / "tsunagu.duckdb"), read_only=True) as file:
        assert file.execute("select count(*) > 0 from marts.customer_360").fetchone() == (True,)
    assert materialized(dev, "esales", "account") and not materialized(dev, MISSING, "account")


def materialized(dev: Dev, *path: str) -> bool:
    query = "query($k: AssetKeyInput!) {assetNodeOrError(assetKey: $k) {... on AssetNode {assetMaterializations(limit: 1) {runId}}}}"
    return bool(dev.ask(query, k={"path": list(path)})["assetNodeOrError"]["assetMaterializations"])


def test_a_backfill_typed_wrong_in_the_launchpad_fails_with_the_words_that_mend_it(dev: Dev) -> None:
    run_id = dev.launch("refresh", sync_esales={"start": "1 March", "end": "2026-04-01"})
    assert dev.ended(run_id) == "FAILURE"
    query = "query($r: ID!) {logsForRun(runId: $r) {... on EventConnection {events {__typename ... on ExecutionStepFailureEvent {stepKey error {message}}}}}}"
    events = dev.ask(query, r=run_id)["logsForRun"]["events"]
    said = {
        event["stepKey"]: event["error"]["message"]
        for event in events
        if event["__typename"] == "ExecutionStepFailureEvent"
    }
    assert "start = '1 March' is not an ISO date" in said["sync_esales"]


def test_ctrl_c_stops_it_in_seconds_with_a_run_under_way_and_leaves_nothing_running(dev: Dev) -> None:
    run_id = dev.launch("full_check")
    wait_for(lambda: dev.status(run_id) == "STARTED", 60)
    seconds = stop(dev)
    assert dev.process.returncode == 0
    assert seconds < 30
    assert processes_of(dev.home) == []
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None and run.is_finished
        assert instance.event_log_storage.get_concurrency_info("warehouse").claimed_slots == []


def test_the_home_can_be_run_after_that_and_says_that_a_source_failed(dev: Dev) -> None:
    if dev.process.poll() is None:
        stop(dev)
    ran = tsunagu(dev.home, "run")
    assert ran.returncode == 4, ran.stderr
    assert f"tsunagu: {MISSING}: The folder" in ran.stderr and "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["dg", "check", "defs"],
        ["dg", "list", "defs", "--json"],
        ["dg", "launch", "--job", "models"],
        ["dagster", "job", "execute", "-m", "orchestration.definitions", "-j", "models"],
    ],
    ids=" ".join,
)
def test_dagsters_own_commands_work_on_the_checkout(dev: Dev, command: list[str]) -> None:
    if dev.process.poll() is None:
        stop(dev)
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, env=environment(dev.home), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    if "list" in command:
        assert '"marts/customer_360"' in done.stdout
    if "job" in command or "launch" in command:
        assert "RUN_SUCCESS" in done.stdout + done.stderr
