"""One sync of one instance: restore, land what waits, extract, land.

The order is the one that lost nothing when the file was held, the working folder deleted and the process killed at
random moments: extraction and normalizing never hold the warehouse, and dlt's state moves only with the load that
carries it. This module must not use a pipeline's whole-run or drop methods, and knows no vendor.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration.landing import Landing, Package, filter_unchanged
from orchestration.warehouse import (
    Load,
    NoSpace,
    Places,
    WarehouseError,
    check_space,
    hold,
    is_out_of_space,
    migrate,
    raw_connection,
    reconcile,
    snapshot,
    stamp_load,
)
from sources.errors import TsunaguSourceError
from sources.stream import Clock, Stream, Vendor, Window, build_source, load_vendor

if TYPE_CHECKING:
    import dlt

    from orchestration.settings import Settings
    from sources.extract import Notes

ENVIRONMENT: Mapping[str, str] = {
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "122880",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}
"""What dlt must be told. Settings export the same; `sync` refuses to run without the first."""


class SyncFailed(WarehouseError):
    """A package could not be loaded; its state went back, so that its rows are read again."""


@dataclass
class SyncReport:
    """What one sync did."""

    instance: str
    loads: list[str] = field(default_factory=list[str])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    """Table -> new versions that landed."""
    unchanged: dict[str, int] = field(default_factory=dict[str, int])
    quarantined: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    """Stream -> the vendor's reason why it may not be read."""
    requests: int = 0
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict[str, float])
    """CPU seconds of extract, normalize, drop_unchanged and load."""

    def unchanged_of(self, table: str) -> int:
        """Rows of the table that were read again and had not changed."""
        return self.unchanged.get(table, 0)

    def in_words(self) -> str:
        """One line for a person."""
        new = sum(n for table, n in self.rows.items() if table not in ("vendor_count", "quarantine"))
        words = [f"{new:,} new versions", f"{sum(self.unchanged.values()):,} unchanged", f"{self.requests:,} requests"]
        if self.quarantined:
            words.append(f"{sum(self.quarantined.values()):,} rows in quarantine")
        if self.skipped:
            words.append(f"not permitted: {', '.join(sorted(self.skipped))}")
        return ", ".join(words)


def sync(
    settings: Settings,
    instance: str,
    clock: Clock,
    *,
    streams: Sequence[str] | None = None,
    backfill: Window | None = None,
) -> SyncReport:
    """Read what is new in one instance and land it. `backfill` reads that window again and moves no state.

    Raises the source's own error (credentials, host, quota), WarehouseHeld, NoSpace or SyncFailed. Whatever was
    extracted before stays and lands next time.
    """
    from sources.extract import Notes

    known = settings.instance(instance)
    vendor = load_vendor(known.vendor)
    notes = Notes()
    return Sync(settings, instance, vendor, clock, notes).go(
        lambda: build_source(
            vendor, instance, clock=clock, window=backfill, streams=list(streams) if streams else None, notes=notes
        )
    )


class Sync:
    """The steps of one sync; `go` takes them in their order."""

    def __init__(
        self, places: Places, instance: str, vendor: Vendor, clock: Clock, notes: Notes, *, patience: float = 600
    ) -> None:
        """`patience`: seconds to wait for a warehouse that someone else holds."""
        self.places = places
        self.instance = instance
        self.vendor = vendor
        self.clock = clock
        self.notes = notes
        self.patience = patience
        self.report = SyncReport(instance)

    def go(self, make_source: Any) -> SyncReport:
        """Restore the state if need be, land what an earlier run left, extract, land."""
        started = time.monotonic()
        _check_environment()
        own_lock = self.places.pipelines_dir / f"{self.instance}.lock"
        with hold(own_lock, f"sync of {self.instance}", timeout=0.5):
            pipeline = self._pipeline()
            self._restore(pipeline)
            if pipeline.has_pending_data:
                self._land(pipeline)
            source = make_source()
            with self._part("extract"):
                _extract(pipeline, source)
            self._land(pipeline)
        self.report.requests = self.notes.requests
        self.report.quarantined = dict(self.notes.quarantined)
        self.report.skipped = dict(self.notes.skipped)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _pipeline(self) -> dlt.Pipeline:
        import dlt
        from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

        place = DuckDbCredentials(str(self.places.raw_path))
        # One thread writes finished row groups straight into the file; two leave pieces that a checkpoint writes again:
        # a million rows cost 2.1 CPU s against 3.7 to 5.2, and 49 MB against 92. Below the limit DuckDB writes to disk;
        # without one it keeps the whole insert in memory (600,000 rows: 748 MB against 327 MB, in the same time).
        place.global_config = {"threads": 1, "memory_limit": "500MB"}
        return dlt.pipeline(
            self.instance,
            pipelines_dir=str(self.places.pipelines_dir),
            destination=dlt.destinations.duckdb(place),
            dataset_name=f"raw_{self.instance}",
        )

    @contextmanager
    def _warehouse(self) -> Generator[None]:
        """The lock, an openable file, the newest ledgers, and a stamp for what a killed run had landed."""
        with hold(self.places.lock_path, f"sync of {self.instance}", timeout=self.patience):
            with raw_connection(self.places, patience=self.patience) as connection:
                migrate(connection)
                self.report.loads += reconcile(connection, self.instance, self.vendor.name, self.clock())
            yield

    def _restore(self, pipeline: dlt.Pipeline) -> None:
        """Fetch the state when it is not here: the working folder is new or was deleted.

        Extracting from an empty state would read everything again and write an older cursor back. With a pending
        package nothing is fetched: that would wipe the package.
        """
        if pipeline.first_run and not pipeline.has_pending_data:
            with self._warehouse():
                pipeline.sync_destination()

    def _land(self, pipeline: dlt.Pipeline) -> None:
        with self._part("normalize"):
            pipeline.normalize()
        waiting = pipeline.list_normalized_load_packages()
        if len(waiting) > 1:  # with two, A -> B -> A could be misread
            raise SyncFailed(f"{self.instance}: {len(waiting)} packages wait at once; there must be one at a time.")
        if not waiting:
            return
        package = _package(pipeline, waiting[0])
        size = sum(file.stat().st_size for files in package.files.values() for file in files)
        with self._warehouse():
            check_space(self.places.raw_path, size * 3)
            with self._part("drop_unchanged"):
                landing = filter_unchanged(
                    package, self.places.raw_path, self.instance, self._keys(), self.places.pipelines_dir / "scratch"
                )
            with self._part("load"):
                self._load(pipeline)
            self._commit(package.load_id, landing)

    def _load(self, pipeline: dlt.Pipeline) -> None:
        from dlt.pipeline.exceptions import PipelineStepFailed

        try:
            pipeline.load()
        except PipelineStepFailed as failure:
            problem = _root(failure)
            if is_out_of_space(failure):
                raise NoSpace(
                    f"The disk filled up while {self.instance} was loading. Free some space and run again: what was "
                    "read is kept and lands then."
                ) from failure
            if _is_terminal(failure):
                if pipeline.has_pending_data:
                    pipeline.abort_packages()
                raise SyncFailed(
                    f"{self.instance}: the load was refused ({_one_line(problem)}). Its state went back: the rows are "
                    "read again at the next run."
                ) from failure
            raise SyncFailed(
                f"{self.instance}: the load did not finish ({_one_line(problem)}). What was read is kept and lands at "
                "the next run."
            ) from failure

    def _commit(self, load_id: str, landing: Landing) -> None:
        counts = {t: (landing.landed[t], landing.unchanged.get(t, 0)) for t in landing.landed}
        with raw_connection(self.places) as connection:
            stamp_load(connection, Load(load_id, self.instance, self.vendor.name, counts), self.clock())
            connection.execute("checkpoint")
        snapshot(self.places, self.clock())
        self.report.loads.append(load_id)
        for table, (landed, unchanged) in counts.items():
            self.report.rows[table] = self.report.rows.get(table, 0) + landed
            self.report.unchanged[table] = self.report.unchanged.get(table, 0) + unchanged

    def _keys(self) -> dict[str, Sequence[str]]:
        return {stream.name: stream.key for stream in self._streams()}

    def _streams(self) -> Sequence[Stream]:
        if self.vendor.streams_of is None:
            return self.vendor.streams
        from sources.config import read_config

        return self.vendor.streams_of(read_config(self.vendor, self.instance))

    @contextmanager
    def _part(self, name: str) -> Generator[None]:
        before = time.process_time()
        try:
            yield
        finally:
            self.report.parts[name] = self.report.parts.get(name, 0.0) + time.process_time() - before


def _check_environment() -> None:
    """Without the load id in the rows nothing can be traced or filtered; a missing export is a defect, not a setting."""
    from dlt.common.configuration import resolve_configuration
    from dlt.normalize.configuration import ItemsNormalizerConfiguration

    sections = ("normalize", "parquet_normalizer")
    if not resolve_configuration(ItemsNormalizerConfiguration(), sections=sections).add_dlt_load_id:
        names = ", ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
        raise SyncFailed(f"dlt is not set up for this warehouse. Run through the command, or export {names}.")


def _extract(pipeline: dlt.Pipeline, source: Any) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed

    try:
        pipeline.extract(source, loader_file_format="parquet")
    except PipelineStepFailed as failure:
        for problem in _causes(failure):
            if isinstance(problem, TsunaguSourceError):
                raise problem from None
        raise


def _package(pipeline: dlt.Pipeline, load_id: str) -> Package:
    """The staged parquet files of a package: those not begun and those begun by a run that died."""
    from dlt.common.storages.load_package import ParsedLoadJobFileName

    storage = pipeline._get_load_storage().normalized_packages  # pyright: ignore[reportPrivateUsage]
    files: dict[str, list[Path]] = {}
    for name in [*storage.list_new_jobs(load_id), *storage.list_started_jobs(load_id)]:
        job = ParsedLoadJobFileName.parse(name)
        if job.file_format == "parquet" and not job.table_name.startswith("_dlt"):
            files.setdefault(job.table_name, []).append(Path(storage.storage.make_full_path(name)))
    return Package(load_id, {table: sorted(paths) for table, paths in sorted(files.items())})


def _causes(error: BaseException) -> Generator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = cast(Any, getattr(current, "exception", None))
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__


def _root(error: BaseException) -> BaseException:
    return list(_causes(error))[-1]


def _is_terminal(error: BaseException) -> bool:
    from dlt.common.exceptions import TerminalException

    return any(isinstance(cause, TerminalException) for cause in _causes(error))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]
