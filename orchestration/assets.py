"""What Dagster sees: assets of the sources, of the models and of the published file, in groups that mirror the rooms.

Definitions only: the work is in syncs, transform and publish, which know nothing of Dagster's runs. Asset specs are made
from the vendors' stream tables and dbt's manifest; nothing here opens a source or a warehouse.
"""

# Dagster reads the annotations of config and context at run time: no postponed evaluation in this file.
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from orchestration.built import Standing, read_standing
from orchestration.journal import Journal
from orchestration.model_specs import ModelSpecs
from orchestration.settings import Instance, Settings, SettingsError
from orchestration.sync_report import SyncReport
from sources.stream import Clock, Stream

OWNERS = ["team:data"]
PUBLISHED = dg.AssetKey(["published", "tsunagu"])
BUILT = dg.AssetKey(["run", "built"])
"""Made by every build, an unchanged one too: Dagster skips what depends on an asset that a run left alone."""
BUILD_STEP = "build_models"
"""Not `models`: an op and a job of one name do not load in one code location."""
RETRIES = dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""Bounded: the vendor's passing faults are retried in the client already."""
FRESH = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26), warn_window=timedelta(hours=3))
"""A little above the cadence: the hourly job may miss two runs before it warns, a day before it fails."""

Events = Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]


class Window(dg.Config):
    """A backfill's window; empty = forward from the last run."""

    start: str = Field(default="", description="ISO date or time, such as 2026-04-01 (UTC). Empty: read on.")
    end: str = Field(default="", description="ISO date or time up to which is read again.")
    streams: list[str] = Field(default=[], description="Only these streams. Empty: all that are selected.")


class Build(dg.Config):
    """How the models are built."""

    full_refresh: bool = Field(
        default=False, description="Forget every incremental table and rebuild from the raw log."
    )


@dataclass(frozen=True)
class Surroundings:
    """What every asset's step needs to know of where it runs."""

    settings: Settings
    clock: Clock
    journal: Journal
    is_attended: bool = False
    """One run in one process with a person waiting."""

    @property
    def retries(self) -> dg.RetryPolicy | None:
        """A person wants the error now; the client has retried what passes by itself."""
        return None if self.is_attended else RETRIES

    def pool(self, name: str) -> str | None:
        """Pools queue the daemon's steps. Without a daemon nobody frees the slot of a killed run, and the next would wait
        for ever: there the file locks of syncs and the warehouse are the queue, which the kernel frees."""
        return None if self.is_attended else name


def source_assets(around: Surroundings) -> list[dg.AssetsDefinition]:
    """One step per instance, one asset per stream."""
    return [_source(around, instance) for instance in around.settings.instances]


def _source(around: Surroundings, instance: Instance) -> dg.AssetsDefinition:
    from sources.stream import load_vendor

    vendor = load_vendor(instance.vendor)
    streams = {stream.name: stream for stream in vendor.streams}

    @dg.multi_asset(
        name=f"sync_{instance.name}",
        specs=[_stream_spec(instance, stream) for stream in streams.values()],
        can_subset=True,
        pool=around.pool(f"sync_{instance.name}"),
        retry_policy=around.retries,
    )
    def sync_instance(context: dg.AssetExecutionContext, config: Window) -> Events:
        selected = [name for name in streams if _stream_key(instance, name) in context.selected_asset_keys]
        chosen = [name for name in selected if name in (config.streams or selected)]
        report, failure = _sync(around, instance, chosen, config)
        for name in chosen:
            if name not in report.skipped and name not in report.failed:
                yield dg.MaterializeResult(
                    asset_key=_stream_key(instance, name),
                    metadata={
                        "dagster/row_count": report.rows.get(name, 0),
                        "unchanged_rows": report.unchanged_of(name),
                        "loads": ", ".join(report.loads),
                    },
                )
        if failure is not None:
            raise failure

    return sync_instance


def _sync(
    around: Surroundings, instance: Instance, streams: Sequence[str], config: Window
) -> tuple[SyncReport, dg.Failure | None]:
    """What landed, and what to fail with where a part was not read. Raises when nothing landed."""
    from orchestration.syncs import sync
    from orchestration.windows import backfill_window, known_streams
    from sources.errors import ConfigurationError, TsunaguSourceError
    from sources.stream import load_vendor

    name = instance.name
    report: SyncReport | None = None
    try:
        with around.journal.step(name) as step:  # the journal gets the source's own error, Dagster its wrapping
            known_streams(load_vendor(instance.vendor), config.streams)
            if not streams:
                raise ConfigurationError(f"{name}: none of {', '.join(config.streams)} is among the selected assets.")
            window = backfill_window(config.start, config.end)
            report = sync(around.settings, name, around.clock, streams=streams, backfill=window)
            around.journal.syncs[name] = report
            step.note = report.in_words()
            error = report.error()
            if error is not None:
                raise error
    except TsunaguSourceError as error:
        failure = dg.Failure(str(error), allow_retries=not error.permanent)
        if report is None:
            raise failure from error
        return report, failure
    except SettingsError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    return report, None


def _stream_key(instance: Instance, stream: str) -> dg.AssetKey:
    return dg.AssetKey([instance.name, stream])


def _stream_spec(instance: Instance, stream: Stream) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, str(kind)) for name, kind in stream.columns.items()]
    return dg.AssetSpec(
        key=_stream_key(instance, stream.name),
        group_name="sources",
        kinds={"dlt", "duckdb"},
        owners=OWNERS,
        description=f"{instance.vendor} {stream.object}, as versions",
        skippable=True,
        freshness_policy=FRESH,
        metadata={
            "dagster/table_name": f"raw.raw_{instance.name}.{stream.name}",
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "deletes": stream.deletes,
            "key": ", ".join(stream.key),
        },
    )


def model_assets(around: Surroundings, specs: ModelSpecs) -> dg.AssetsDefinition:
    """dbt's models, identity between its two selections, and dbt's tests as checks: one step, one process."""

    @dg.multi_asset(
        name=BUILD_STEP,
        specs=[*specs.assets, _built_spec(specs)],
        check_specs=specs.checks,
        can_subset=True,  # makes checks optional: one whose table could not be built has no result
        pool=around.pool("warehouse"),
    )
    def models(context: dg.AssetExecutionContext, config: Build) -> Iterator[Any]:
        events: list[Any] = []
        try:
            with around.journal.step("models") as step:
                report = _build(around, config, lambda event: _watch(around.journal, step, events, event))
                around.journal.build = report
                step.note = report.in_words()
        except Exception:  # what was built before the fault stands in the file, and is recorded
            yield from specs.events(events, Standing())
            raise
        yield from specs.events(events, read_standing(around.settings, specs.relations))
        yield dg.MaterializeResult(
            asset_key=BUILT,
            metadata={
                "as_of": report.as_of,
                "models_built": len(report.models_run),
                "models_unchanged": len(report.models_skipped),
                "failed": ", ".join(str(trouble) for trouble in report.failed),
            },
        )
        context.log.info(report.in_words())

    return models


def _built_spec(specs: ModelSpecs) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=BUILT,
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        deps=specs.mart_keys,
        description="What the last build came to: as of which instant, which models were built, which failed.",
    )


def _watch(journal: Journal, step: Any, events: list[Any], event: Any) -> None:
    events.append(event)
    journal.tell(step, event.in_words())


def _build(around: Surroundings, config: Build, on_event: Callable[[Any], None]) -> Any:
    from orchestration.transform import build

    return build(around.settings, full_refresh=config.full_refresh, on_event=on_event, clock=around.clock)


def publish_asset(around: Surroundings) -> dg.AssetsDefinition:
    """The file that people read. The gate is in publish: an error-severity check keeps the last good file."""

    @dg.asset(
        key=PUBLISHED,
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        deps=[BUILT],
        description="The one file that people and tools read: schema marts, swapped in whole.",
        freshness_policy=FRESH,
        pool=around.pool("warehouse"),
    )
    def tsunagu() -> dg.MaterializeResult[Any]:
        from orchestration.publish import publish

        with around.journal.step("publish") as step:
            report = publish(around.settings, around.clock)
            around.journal.publish = report
            step.note = report.in_words()
        return dg.MaterializeResult(metadata=report.metadata())

    return tsunagu
