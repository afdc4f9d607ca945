"""When things run by themselves: jobs, schedules, and the sensor between extraction and models.

Two jobs instead of one, because in one run a failed source would make Dagster skip all that depends on it: `refresh`
reads the tools, and whatever came of it `models` builds, checks and publishes on the last load of each.
"""

# Dagster reads the annotation of a sensor's context at run time: no postponed evaluation in this file.
from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.settings import Settings


def jobs() -> list[UnresolvedAssetJobDefinition]:
    """refresh (sources; models follow by a sensor), models (everything after), full_check (nightly)."""
    sources = dg.AssetSelection.groups("sources")
    rest = dg.AssetSelection.all() - sources
    return [
        dg.define_asset_job("refresh", selection=sources, description="Read every tool; models follow by themselves"),
        dg.define_asset_job("models", selection=rest, description="Build, check and publish on the last loads"),
        dg.define_asset_job(
            "full_check",
            selection=rest,
            description="Rebuild every model from the raw log, check and publish",
            config={"ops": {"models": {"config": {"full_refresh": True}}}},
        ),
    ]


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """`refresh` hourly, `full_check` nightly at 02:30 in the company's zone."""
    return [
        dg.ScheduleDefinition(
            name="refresh", job_name="refresh", cron_schedule="5 * * * *", execution_timezone=settings.timezone
        ),
        dg.ScheduleDefinition(
            name="full_check", job_name="full_check", cron_schedule="30 2 * * *", execution_timezone=settings.timezone
        ),
    ]


def sensors(refresh: UnresolvedAssetJobDefinition, models: UnresolvedAssetJobDefinition) -> list[dg.SensorDefinition]:
    """After each extraction, good or partly failed, the models run once."""
    return [
        _after(refresh, models, dg.DagsterRunStatus.SUCCESS, "after_refresh"),
        _after(refresh, models, dg.DagsterRunStatus.FAILURE, "after_partial_refresh"),
    ]


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
    def start_models(context: dg.RunStatusSensorContext) -> Iterator[dg.RunRequest]:
        yield dg.RunRequest(run_key=context.dagster_run.run_id)

    return start_models
