"""`build_defs(settings)`: all that Dagster loads. Importing this module does nothing; loading calls `defs`."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from orchestration import assets, automation
from orchestration.journal import Journal
from orchestration.model_specs import model_specs
from orchestration.settings import Settings
from sources.stream import Clock


def build_defs(
    settings: Settings, *, clock: Clock | None = None, journal: Journal | None = None, attended: bool = False
) -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors of one home.

    `clock` gives the instant of a sync (default: the real one, in UTC). `attended` leaves out step retries: a person
    who waits wants the error now, and the client has retried what passes by itself.
    """
    from orchestration.transform import manifest

    now = clock or _real_clock
    watcher = journal or Journal()
    specs = model_specs(settings, manifest(settings))
    retries = None if attended else assets.RETRIES
    jobs = automation.jobs()
    return dg.Definitions(
        assets=[
            *assets.source_assets(settings, now, watcher, retries),
            assets.model_assets(settings, specs, watcher),
            assets.publish_asset(settings, now, watcher),
        ],
        jobs=jobs,
        schedules=automation.schedules(settings),
        sensors=automation.sensors(jobs[0], jobs[1]),
        executor=dg.in_process_executor if attended else dg.multiprocess_executor,
    )


def _real_clock() -> datetime:
    return datetime.now(UTC)


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and `dg dev` load: the home of `TSUNAGU_HOME`."""
    settings = Settings.load()
    settings.activate()
    return build_defs(settings)
