"""Runs the jobs without a daemon: in one process, recorded in the home's Dagster instance.

The order is that of the daemon: the sources first (one that fails stops itself alone), then models, checks and
publishing on whatever raw holds. Outcome and exit code are read from the journal that the assets write.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import run_records
from orchestration.journal import Journal
from orchestration.outcome import Outcome
from orchestration.settings import HOME_FILE, Settings, SettingsError
from orchestration.warehouse import check_space, hold, is_out_of_space
from orchestration.windows import backfill_window, known_streams

if TYPE_CHECKING:
    import dagster as dg

    from sources.stream import Clock

EXTRACT_JOB, MODELS_JOB = "refresh", "models"


def refresh(
    settings: Settings,
    instances: Sequence[str] | None = None,
    journal: Journal | None = None,
    clock: Clock | None = None,
) -> Outcome:
    """Extract these instances (default all), then build, check and publish."""
    asked = tuple(instances or (i.name for i in settings.instances))
    for name in asked:
        settings.instance(name)
    _need_instances(settings)
    return _execute(settings, journal or Journal(), clock, asked, {})


def _need_instances(settings: Settings) -> None:
    if not settings.instances:
        raise SettingsError(f"{settings.home / HOME_FILE} names no instance. Start with: tsunagu init salesforce")


def backfill(
    settings: Settings,
    instance: str,
    start: datetime,
    end: datetime,
    streams: Sequence[str] | None = None,
    journal: Journal | None = None,
    clock: Clock | None = None,
) -> Outcome:
    """Read one window of one instance again, then build, check and publish. Forward state is untouched.

    Raises SettingsError or ConfigurationError for a window, an instance or a stream that cannot be right.
    """
    from sources.stream import load_vendor

    known_streams(load_vendor(settings.instance(instance).vendor), streams or ())
    backfill_window(start.isoformat(), end.isoformat())
    window = {"start": start.isoformat(), "end": end.isoformat(), "streams": list(streams or [])}
    config = {"ops": {f"sync_{instance}": {"config": window}}}
    return _execute(settings, journal or Journal(), clock, (instance,), config)


def rebuild(settings: Settings, journal: Journal | None = None, *, full_refresh: bool = False) -> Outcome:
    """Build, check and publish from what is loaded."""
    return _execute(settings, journal or Journal(), None, (), {}, full_refresh=full_refresh)


def _execute(
    settings: Settings,
    journal: Journal,
    clock: Clock | None,
    asked: tuple[str, ...],
    config: dict[str, Any],
    full_refresh: bool = False,
) -> Outcome:
    with journal.step("prepare"):
        prepare(settings)
        import dagster as dg

        from orchestration.definitions import build_defs

        os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")  # dlt's tracebacks; they are in our log
        definitions = build_defs(settings, clock=clock, journal=journal, attended=True)
        instance = dg.DagsterInstance.get()
        run_records.end_dead(instance)
        run_records.prune(instance, datetime.now(UTC))
        run_records.drop_finished_loads(settings.pipelines_dir, datetime.now(UTC))
    with instance:
        if asked:
            keys = [key for name in asked for key in _source_keys(definitions, name)]
            _job(definitions, EXTRACT_JOB, instance, journal, config, keys)
        if any(map(is_out_of_space, journal.errors.values())):  # what follows would fill the disk further
            return Outcome(journal, asked)
        models = {"ops": {"build_models": {"config": {"full_refresh": full_refresh}}}}
        _job(definitions, MODELS_JOB, instance, journal, models, None)
    return Outcome(journal, asked)


def _source_keys(definitions: dg.Definitions, instance: str) -> list[dg.AssetKey]:
    return [key for key in definitions.resolve_asset_graph().materializable_asset_keys if key.path[0] == instance]


def _job(
    definitions: dg.Definitions,
    name: str,
    instance: dg.DagsterInstance,
    journal: Journal,
    config: dict[str, Any],
    keys: list[dg.AssetKey] | None,
) -> None:
    """Run a job in this process. A failure that no step of the journal tells is written into it."""
    # The run's events are in Dagster's own store; the terminal shows the journal.
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    told = len(journal.errors)
    try:
        result = definitions.resolve_job_def(name).execute_in_process(
            run_config={**config, **quiet},
            instance=instance,
            raise_on_error=False,
            asset_selection=keys,
            tags=run_records.mark(),
        )
    except Exception as error:
        if not any(map(is_out_of_space, [error, *journal.errors.values()])):
            raise
        if len(journal.errors) == told:  # on a full disk Dagster cannot write its records either: that is told already
            journal.errors[name] = error
        return
    if not result.success and len(journal.errors) == told:
        failures = [event for event in result.all_events if event.is_failure]
        journal.errors[name] = RuntimeError(
            f"the job failed outside its steps: {_why(failures[0]) if failures else ''}"
        )


def _why(failure: dg.DagsterEvent) -> str:
    """The innermost cause of a failure as Dagster recorded it, on one line."""
    error = getattr(failure.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    return " ".join(str(error.message if error is not None else failure.message).split())[:600]


def prepare(settings: Settings) -> None:
    """Make the home's folders, tell the libraries, and write Dagster's own settings.

    Raises SettingsError when others can read the secrets, NoSpace when the disk has no room to begin with.
    """
    settings.check_secrets_mode()
    settings.activate()
    check_space(settings.home, 0)
    write_dagster_yaml(settings)


def write_dagster_yaml(settings: Settings) -> None:
    """Dagster's instance settings: no telemetry, one run of a pipeline at once, slots of killed steps freed."""
    where = settings.dagster_home / "dagster.yaml"
    text = (
        "telemetry:\n  enabled: false\n"
        "concurrency:\n  pools:\n    default_limit: 1\n    granularity: op\n"
        "  runs:\n    max_concurrent_runs: 4\n"
        "run_monitoring:\n  enabled: true\n  free_slots_after_run_end_seconds: 60\n"
        # A backstop: Dagster's default launcher does not see that a run's process is gone.
        "  max_runtime_seconds: 86400\n"
        "retention:\n  schedule:\n    purge_after_days: 30\n  sensor:\n    purge_after_days: 30\n"
        "event_log_storage:\n  module: orchestration.event_log\n  class: HomeEventLog\n"
        f"  config:\n    base_dir: {json.dumps(str(settings.dagster_home / 'history' / 'runs'))}\n"
    )
    if not where.exists() or where.read_text(encoding="utf-8") != text:
        where.write_text(text, encoding="utf-8")


def serve_dagster(settings: Settings, port: int) -> int:
    """`dagster dev` on this home until Ctrl-C or SIGTERM, which end all of it; one per home.

    Raises WarehouseHeld when one runs already: two daemons on one home would start everything twice. Raises SettingsError
    for a home without an instance.
    """
    _need_instances(settings)
    with hold(settings.dagster_home / "dev.lock", "tsunagu dev", timeout=0.5):
        prepare(settings)
        _end_dead_runs()
        checkout = Path(__file__).resolve().parent.parent
        command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions", "-p", str(port)]
        for number in (signal.SIGTERM, signal.SIGHUP):  # what a service manager and a closed terminal send
            signal.signal(number, signal.default_int_handler)
        # A group of its own: the daemon, the web server, the code server and the runs end together.
        child = subprocess.Popen(command, cwd=checkout, env={**os.environ}, start_new_session=True)
        try:
            return child.wait()
        except KeyboardInterrupt:
            _stop_group(child)
            _end_dead_runs()
            return 0


def _end_dead_runs() -> None:
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        run_records.end_dead(instance)


def _stop_group(child: subprocess.Popen[bytes], patience: float = 20) -> None:
    """Ask the group to end; what has not after `patience` seconds, or at a second Ctrl-C, is killed and loses nothing."""
    with suppress(ProcessLookupError):
        with suppress(KeyboardInterrupt):
            os.killpg(child.pid, signal.SIGINT)
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                child.poll()  # reaps it: a dead leader keeps its group
                os.killpg(child.pid, 0)
                time.sleep(0.1)
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
