"""Runs the jobs without a daemon: in one process, recorded in the home's Dagster instance.

The order is that of the daemon: the sources first (one that fails stops itself alone), then models, checks and
publishing on whatever raw holds. Outcome and exit code are read from the journal that the assets write.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.journal import Journal
from orchestration.outcome import Outcome
from orchestration.settings import Settings

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
    if not asked:
        from orchestration.settings import HOME_FILE, SettingsError

        raise SettingsError(f"{settings.home / HOME_FILE} names no instance. Start with: tsunagu init salesforce")
    return _execute(settings, journal or Journal(), clock, asked, {})


def backfill(
    settings: Settings,
    instance: str,
    start: datetime,
    end: datetime,
    streams: Sequence[str] | None = None,
    journal: Journal | None = None,
    clock: Clock | None = None,
) -> Outcome:
    """Read one window of one instance again, then build, check and publish. Forward state is untouched."""
    settings.instance(instance)
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

        definitions = build_defs(settings, clock=clock, journal=journal, attended=True)
        instance = dg.DagsterInstance.get()
    with instance:
        if asked:
            keys = [key for name in asked for key in _source_keys(definitions, name)]
            _job(definitions, EXTRACT_JOB, instance, journal, config, keys)
        models = {"ops": {"models": {"config": {"full_refresh": full_refresh}}}}
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
    result = definitions.resolve_job_def(name).execute_in_process(
        run_config={**config, **quiet}, instance=instance, raise_on_error=False, asset_selection=keys
    )
    if not result.success and len(journal.errors) == told:
        failures = [event for event in result.all_events if event.is_failure]
        words = " ".join(str(failures[0].event_specific_data or failures[0].message).split()) if failures else "unknown"
        journal.errors[name] = RuntimeError(f"the job failed outside its steps: {words[:600]}")


def prepare(settings: Settings) -> None:
    """Make the home's folders, check its secrets' mode, tell the libraries, and write Dagster's own settings."""
    settings.check_secrets_mode()
    settings.activate()
    write_dagster_yaml(settings)


def write_dagster_yaml(settings: Settings) -> None:
    """Dagster's instance settings: no telemetry, one run of a pipeline at once, slots of killed steps freed."""
    where = settings.dagster_home / "dagster.yaml"
    text = (
        "telemetry:\n  enabled: false\n"
        "concurrency:\n  pools:\n    default_limit: 1\n    granularity: op\n"
        "  runs:\n    max_concurrent_runs: 4\n"
        "run_monitoring:\n  enabled: true\n  free_slots_after_run_end_seconds: 60\n"
        "retention:\n  schedule:\n    purge_after_days: 30\n  sensor:\n    purge_after_days: 30\n"
    )
    if not where.exists() or where.read_text(encoding="utf-8") != text:
        where.write_text(text, encoding="utf-8")


def serve_dagster(settings: Settings, port: int) -> int:
    """`dagster dev` on this home, in a process group of its own so that Ctrl-C ends all of it."""
    prepare(settings)
    checkout = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions", "-p", str(port)]
    child = subprocess.Popen(command, cwd=checkout, env={**os.environ}, start_new_session=True)
    try:
        return child.wait()
    except KeyboardInterrupt:
        os.killpg(child.pid, signal.SIGINT)
        return child.wait(timeout=30)
