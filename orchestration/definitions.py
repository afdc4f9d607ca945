"""`build_defs(settings)`: all that Dagster loads. Importing this module does nothing; loading calls `defs`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import dagster as dg

from orchestration import assets, automation
from orchestration.journal import Journal
from orchestration.model_specs import model_specs
from orchestration.settings import Settings
from sources.stream import Clock

PRELOADED = [
    "orchestration.definitions",
    "orchestration.syncs",
    "orchestration.transform",
    "dlt",
    "dbt.cli.main",
    "pyarrow",
]


def build_defs(
    settings: Settings, *, clock: Clock | None = None, journal: Journal | None = None, attended: bool = False
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of one home.

    `clock` gives the instant of a sync and of publishing (default: the home's own, a demo's, else the real one, in UTC).
    `attended` is one run in
    one process with a person waiting: without step retries and pools.
    """
    from orchestration.transform import manifest

    around = assets.Surroundings(settings, clock or _clock_of(settings), journal or Journal(), is_attended=attended)
    specs = model_specs(settings, manifest(settings))
    jobs = automation.jobs()
    refresh, models, _ = jobs
    return dg.Definitions(
        assets=[
            *assets.source_assets(around),
            assets.model_assets(around, specs),
            assets.publish_asset(around),
        ],
        jobs=[*jobs, automation.tidy_job(settings, _real_clock)],
        schedules=automation.schedules(settings),
        sensors=automation.sensors(refresh, models),
        executor=dg.in_process_executor if attended else _parallel(),
    )


def _parallel() -> dg.ExecutorDefinition:
    """A process per step, so that sources extract side by side; where forking is safe, from one with the imports done."""
    if sys.platform == "darwin":
        return dg.multiprocess_executor
    return dg.multiprocess_executor.configured({"start_method": {"forkserver": {"preload_modules": PRELOADED}}})


def _clock_of(settings: Settings) -> Clock:
    """A demo's home stands still between demos: against the real time its data would grow stale."""
    home_clock = settings.clock
    return (lambda: home_clock) if home_clock is not None else _real_clock


def _real_clock() -> datetime:
    return datetime.now(UTC)


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and `dg dev` load: the home of `TSUNAGU_HOME`."""
    settings = Settings.load()
    settings.activate()
    return build_defs(settings)
