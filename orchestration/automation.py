"""When things run by themselves: jobs, schedules, and the sensors between extraction and models.

Two jobs instead of one, because in one run a failed source would make Dagster skip all that depends on it: `refresh`
reads the tools, and whatever came of it `models` builds, checks and publishes on the last load of each.
"""

# Dagster reads the annotations of a context at run time: no postponed evaluation in this file.
from collections.abc import Callable, Iterator

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration import run_records
from orchestration.assets import BUILD_STEP
from orchestration.settings import Settings
from sources.stream import Clock

EXTRACT_JOB, MODELS_JOB, CHECK_JOB, TIDY_JOB = "refresh", "models", "full_check", "tidy"
WAITING = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
RUNNING = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """refresh (sources; models follow by a sensor), models (everything after), full_check (nightly)."""
    sources = dg.AssetSelection.groups("sources")
    rest = dg.AssetSelection.all() - sources
    return [
        dg.define_asset_job(EXTRACT_JOB, selection=sources, description="Read every tool; models follow by themselves"),
        dg.define_asset_job(MODELS_JOB, selection=rest, description="Build, check and publish on the last loads"),
        dg.define_asset_job(
            CHECK_JOB,
            selection=rest,
            description="Rebuild every model from the raw log, check and publish",
            config={"ops": {BUILD_STEP: {"config": {"full_refresh": True}}}},
        ),
    ]


def tidy_job(settings: Settings, clock: Clock) -> dg.JobDefinition:
    """Drops the records of old runs. The daemon drops none, and each hour leaves megabytes."""

    @dg.op(name="drop_old_run_records")
    def drop(context: dg.OpExecutionContext) -> None:
        dropped = run_records.prune(context.instance, clock())
        loads = run_records.drop_finished_loads(settings.pipelines_dir, clock())
        context.log.info(f"{len(dropped)} runs and {loads} loads older than {run_records.KEPT.days} days dropped")

    @dg.job(name=TIDY_JOB, description="Drop the records of old runs, but those that an asset's page stands on")
    def tidy() -> None:
        drop()

    return tidy


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`refresh` hourly, `full_check` and `tidy` nightly, in the company's zone.

    On from the start, but not in a demo's home, whose tools are served only while the demo runs.
    """
    status = dg.DefaultScheduleStatus.STOPPED if settings.is_demo else dg.DefaultScheduleStatus.RUNNING
    return [
        dg.ScheduleDefinition(
            name=job,
            job_name=job,
            cron_schedule=cron,
            execution_timezone=settings.timezone,
            should_execute=_none_is_under_way(job),
            default_status=status,
        )
        for job, cron in ((EXTRACT_JOB, "5 * * * *"), (CHECK_JOB, "30 2 * * *"), (TIDY_JOB, "45 3 * * *"))
    ]


def sensors(refresh: UnresolvedAssetJobDefinition, models: UnresolvedAssetJobDefinition) -> list[dg.SensorDefinition]:
    """After each extraction, good or partly failed, the models run once."""
    return [
        _after(refresh, models, dg.DagsterRunStatus.SUCCESS, "after_refresh"),
        _after(refresh, models, dg.DagsterRunStatus.FAILURE, "after_partial_refresh"),
    ]


def _none_is_under_way(job: str) -> Callable[[dg.ScheduleEvaluationContext], bool]:
    """An hour that finds the last one still at work (a long first load) is left out instead of queued."""

    def should_execute(context: dg.ScheduleEvaluationContext) -> bool:
        return not _runs(context.instance, job, (*WAITING, *RUNNING))

    return should_execute


def _after(
    refresh: UnresolvedAssetJobDefinition,
    models: UnresolvedAssetJobDefinition,
    status: dg.DagsterRunStatus,
    name: str,
) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=status,
        name=name,
        monitored_jobs=[refresh],
        request_job=models,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Build, check and publish on what was loaded",
    )
    def start_models(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if _runs(context.instance, models.name, WAITING):
            yield dg.SkipReason("a run of the models waits already, and will see these loads")
        else:
            yield dg.RunRequest(run_key=context.dagster_run.run_id)

    return start_models


def _runs(instance: dg.DagsterInstance, job: str, statuses: tuple[dg.DagsterRunStatus, ...]) -> bool:
    return bool(instance.get_run_ids(dg.RunsFilter(job_name=job, statuses=list(statuses)), limit=1))
