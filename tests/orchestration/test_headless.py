"""Runs without a daemon: what is recorded, what one failing source leaves alone, how each trouble ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration import headless, syncs
from orchestration.event_log import HomeEventLog
from orchestration.journal import Journal
from orchestration.outcome import CREDENTIALS, DONE, GATE, HELD, OTHER, PARTIAL, USAGE, Outcome
from orchestration.settings import SettingsError
from orchestration.sync_report import SyncReport
from orchestration.warehouse import hold
from sources.errors import ConfigurationError, CredentialsRejected, Unreachable
from tests.orchestration.shop import ShopSettings, environment_kept, know_shop, shop_home
from tests.orchestration.small_home import MONDAY, account, load, rows

SyncCalls = list[dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopSettings]:
    """A home with two instances and one load, parsed once; tests get copies."""
    with pytest.MonkeyPatch.context() as patch, environment_kept():
        know_shop(patch)
        yield shop_home(tmp_path_factory.mktemp("made") / "home", "shop", "kiosk")


@pytest.fixture
def home(made: ShopSettings, tmp_path: Path) -> Iterator[ShopSettings]:
    shutil.copytree(made.home, tmp_path / "home")
    with environment_kept():
        yield ShopSettings(home=tmp_path / "home", instances=made.instances)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> SyncCalls:
    return sync_gives(monkeypatch, {})


def sync_gives(patch: pytest.MonkeyPatch, errors: dict[str, Exception]) -> SyncCalls:
    """In place of the real extraction: an error for these instances, two rows of accounts for the others."""
    calls: SyncCalls = []

    def sync(settings: Any, instance: str, clock: Any, *, streams: Any, backfill: Any) -> SyncReport:
        calls.append({"instance": instance, "now": clock(), "streams": list(streams), "window": backfill})
        if instance in errors:
            raise errors[instance]
        return SyncReport(
            instance, loads=["17.1"], rows={"account": 2}, unchanged={"account": 5}, skipped={"person": "no right"}
        )

    patch.setattr(syncs, "sync", sync)
    return calls


def refresh(home: ShopSettings, journal: Journal | None = None, *asked: str) -> Outcome:
    return headless.refresh(home, asked or None, journal, clock=lambda: MONDAY)


def in_instance(home: ShopSettings, look: Callable[[dg.DagsterInstance], Any]) -> Any:
    with dg.DagsterInstance.from_config(str(home.dagster_home)) as instance:
        return look(instance)


def runs(home: ShopSettings) -> list[tuple[str, str]]:
    records = in_instance(home, lambda instance: instance.get_run_records(ascending=True))
    return [(record.dagster_run.job_name, record.dagster_run.status.value) for record in records]


def metadata(home: ShopSettings, *path: str) -> dict[str, Any] | None:
    event = in_instance(home, lambda instance: instance.get_latest_materialization_event(dg.AssetKey(path)))
    if event is None:
        return None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


@pytest.mark.slow
def test_a_run_is_recorded_in_the_homes_instance_from_source_to_published_file(
    home: ShopSettings, calls: SyncCalls
) -> None:
    outcome = refresh(home)
    assert outcome.exit_code == DONE, outcome.journal.errors
    assert runs(home) == [("refresh", "SUCCESS"), ("models", "SUCCESS")]
    assert [(call["instance"], call["streams"], call["now"]) for call in calls] == [
        (name, ["account", "person"], MONDAY) for name in ("kiosk", "shop")
    ]
    source = metadata(home, "shop", "account")
    assert source == {"dagster/row_count": 2, "unchanged_rows": 5, "loads": "17.1"}
    customers = metadata(home, "marts", "customers")
    assert customers is not None and customers["dagster/row_count"] == 2
    built, published = metadata(home, "run", "built"), metadata(home, "published", "tsunagu")
    assert built is not None and built["failed"] == "" and built["models_built"] > 5
    assert published is not None and published["is_new"] is True
    assert rows(home, "select count(*) from marts.customers", home.published_path) == [(2,)]
    assert [step.name for step in outcome.journal.steps] == ["prepare", "kiosk", "shop", "models", "publish"]


@pytest.mark.slow
def test_runs_leave_nothing_behind_but_their_records(home: ShopSettings, calls: SyncCalls) -> None:
    """dbt's target folder is one and the same for all runs; records are dropped by age."""

    def files() -> set[Path]:
        return {path for path in home.home.rglob("*") if path.is_file() and home.dagster_home not in path.parents}

    refresh(home)
    load(home, 1, account=[account(3, "Suzuki")])
    refresh(home)
    before = files()
    load(home, 2, account=[account(4, "Tanaka")])
    refresh(home)
    assert files() == before


@pytest.mark.slow
def test_a_stream_that_may_not_be_read_is_not_called_materialized(home: ShopSettings, calls: SyncCalls) -> None:
    refresh(home)
    assert metadata(home, "shop", "person") is None


def test_a_source_that_fails_stops_itself_alone(home: ShopSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    sync_gives(monkeypatch, {"kiosk": CredentialsRejected("kiosk: 401, correct SOURCES__KIOSK__TOKEN")})
    outcome = refresh(home)
    assert outcome.exit_code == PARTIAL
    assert list(outcome.journal.errors) == ["kiosk"]
    assert isinstance(outcome.journal.errors["kiosk"], CredentialsRejected)
    assert runs(home) == [("refresh", "FAILURE"), ("models", "SUCCESS")]
    assert metadata(home, "shop", "account") is not None
    assert metadata(home, "kiosk", "account") is None
    assert metadata(home, "published", "tsunagu") is not None
    assert home.published_path.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ({"kiosk": CredentialsRejected("no"), "shop": CredentialsRejected("no")}, CREDENTIALS),
        ({"kiosk": CredentialsRejected("no"), "shop": Unreachable("no")}, PARTIAL),
    ],
)
def test_when_every_source_fails_the_models_still_run_on_what_was_loaded(
    home: ShopSettings, monkeypatch: pytest.MonkeyPatch, errors: dict[str, Exception], code: int
) -> None:
    sync_gives(monkeypatch, errors)
    outcome = refresh(home)
    assert outcome.exit_code == code
    assert outcome.journal.publish is not None


@pytest.mark.slow
def test_a_closed_gate_keeps_the_last_file_and_ends_with_its_own_code(home: ShopSettings, calls: SyncCalls) -> None:
    assert refresh(home).exit_code == DONE
    before = home.published_path.read_bytes()
    load(home, 1, account=[account(2, "broken")])
    outcome = refresh(home)
    assert outcome.exit_code == GATE
    assert home.published_path.read_bytes() == before
    assert runs(home)[-1] == ("models", "FAILURE")
    key = dg.AssetCheckKey(dg.AssetKey(["marts", "customers"]), "accepted_values_customers_account_name__forbidden")
    assert check(home, key) == (False, "ERROR")
    # Nothing changed since: the check is not run again, its result stands, and so does the gate.
    assert refresh(home).exit_code == GATE
    assert check(home, key) == (False, "ERROR")


@pytest.mark.slow
def test_a_wrong_map_stops_the_publishing_and_not_the_reading(home: ShopSettings, calls: SyncCalls) -> None:
    assert refresh(home).exit_code == DONE
    before = home.published_path.read_bytes()
    (home.maps_dir / "regions.csv").write_text("region,labell\nkanto,Kanto\n")
    calls.clear()
    load(home, 1, account=[account(2, "New")])
    outcome = refresh(home)
    assert outcome.exit_code == USAGE
    assert {call["instance"] for call in calls} == set(outcome.journal.syncs) == {"shop", "kiosk"}
    assert outcome.journal.publish is None and home.published_path.read_bytes() == before
    assert "regions.csv, line 1: unknown column 'labell'" in str(outcome.journal.errors["models"])
    (home.maps_dir / "regions.csv").unlink()
    assert refresh(home).exit_code == DONE
    assert home.published_path.read_bytes() != before


def check(home: ShopSettings, key: dg.AssetCheckKey) -> tuple[bool, str]:
    records = in_instance(home, lambda i: i.event_log_storage.get_asset_check_execution_history(key, limit=1))
    evaluation = records[0].event.dagster_event.asset_check_evaluation_data
    return evaluation.passed, evaluation.severity.value


@pytest.mark.slow
def test_a_warehouse_that_someone_holds_has_its_own_code(
    home: ShopSettings, calls: SyncCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration import transform
    from orchestration.warehouse import hold as real

    monkeypatch.setattr(transform, "hold", lambda path, who: real(path, who, timeout=0.1))
    with hold(home.lock_path, "a long query"):
        outcome = refresh(home, None, "shop")
    assert outcome.exit_code == HELD
    assert "a long query" in str(outcome.journal.errors["models"])


@pytest.mark.slow
def test_only_the_instances_that_were_asked_for_are_read(home: ShopSettings, calls: SyncCalls) -> None:
    assert refresh(home, None, "kiosk").exit_code == DONE
    assert [call["instance"] for call in calls] == ["kiosk"]
    with pytest.raises(SettingsError, match="'market' is not an instance"):
        refresh(home, None, "market")


@pytest.mark.slow
def test_a_backfill_reads_its_window_and_streams_again(home: ShopSettings, calls: SyncCalls) -> None:
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    outcome = headless.backfill(home, "shop", start, end, ["account"], clock=lambda: MONDAY)
    assert outcome.exit_code == DONE
    [call] = calls
    assert (call["instance"], call["streams"]) == ("shop", ["account"])
    assert (call["window"].start, call["window"].end, call["window"].backfill) == (start, end, True)
    assert metadata(home, "shop", "account") is not None
    assert metadata(home, "shop", "person") is None


def test_a_backfill_that_cannot_be_right_is_refused_before_it_runs(home: ShopSettings, calls: SyncCalls) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match="is not before"):
        headless.backfill(home, "shop", day, day)
    with pytest.raises(ConfigurationError, match=r"no stream 'acount'\. It has: account, person"):
        headless.backfill(home, "shop", day, datetime(2026, 4, 1, tzinfo=UTC), ["acount"])
    assert calls == [] and not (home.dagster_home / "history").exists()


@pytest.mark.slow
def test_a_failure_outside_all_steps_is_said_too(
    home: ShopSettings, calls: SyncCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.model_specs import ModelSpecs

    def fail(*_: object) -> Iterator[object]:
        raise KeyError("a translation that went wrong")
        yield

    monkeypatch.setattr(ModelSpecs, "events", fail)
    outcome = refresh(home)
    assert outcome.exit_code == OTHER
    assert "a translation that went wrong" in " ".join(str(error) for error in outcome.journal.errors.values())


@pytest.mark.slow
def test_what_was_built_before_a_fault_is_recorded(
    home: ShopSettings, calls: SyncCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.transform import _Build

    def fail(*_: object) -> None:
        raise OSError("the machine stumbled")

    monkeypatch.setattr(_Build, "_after", fail)
    outcome = refresh(home)
    assert "the machine stumbled" in str(outcome.journal.errors["models"])
    assert metadata(home, "canonical", "canonical_account") is not None
    assert metadata(home, "marts", "customers") is None


@pytest.mark.slow
def test_the_next_run_ends_the_record_of_a_killed_one_and_waits_for_nothing(
    home: ShopSettings, calls: SyncCalls
) -> None:
    refresh(home)

    def leave_one_behind(instance: dg.DagsterInstance) -> None:
        @dg.job(name="refresh")
        def job() -> None: ...

        dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
        tags = {"tsunagu/process": f"{int(dead.stdout)} 1"}
        run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        instance.event_log_storage.initialize_concurrency_limit_to_default("warehouse")
        instance.event_log_storage.claim_concurrency_slot("warehouse", run.run_id, "build_models")

    in_instance(home, leave_one_behind)
    assert ("refresh", "STARTED") in runs(home)
    assert refresh(home).exit_code == DONE
    assert ("refresh", "STARTED") not in runs(home)
    assert in_instance(home, lambda i: i.event_log_storage.get_concurrency_info("warehouse").claimed_slots) == []


def test_the_homes_instance_has_one_place_per_pool_no_telemetry_and_our_event_log(home: ShopSettings) -> None:
    headless.prepare(home)
    before = (home.dagster_home / "dagster.yaml").stat()
    headless.prepare(home)
    assert (home.dagster_home / "dagster.yaml").stat().st_mtime_ns == before.st_mtime_ns

    def look(instance: dg.DagsterInstance) -> tuple[object, ...]:
        pools = instance.event_log_storage.get_pool_config()
        return (
            instance.telemetry_enabled,
            pools.default_pool_limit,
            pools.pool_granularity.value,
            type(instance.event_log_storage),
            instance.run_monitoring_enabled,
        )

    assert in_instance(home, look) == (False, 1, "op", HomeEventLog, True)


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ignores", [False, True])
def test_stopping_ends_the_whole_group_even_one_that_does_not_listen(ignores: bool) -> None:
    program = STUBBORN if ignores else STUBBORN.replace("signal.SIG_IGN", "signal.SIG_DFL")
    leader = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    headless._stop_group(leader, patience=0.5 if ignores else 5)
    assert leader.returncode == (-signal.SIGKILL if ignores else -signal.SIGINT)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and is_running(child):
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return not Path("/proc").exists()
    return False
