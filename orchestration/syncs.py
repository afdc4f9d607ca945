"""One sync of one instance: restore, land what waits, extract, land.

The order is the one that lost nothing when the file was held, the working folder deleted and the process killed at
random moments: extraction and normalizing never hold the warehouse, and dlt's state moves only with the load that
carries it. A package that can never load is aborted, and its rows are read again with the types that raw really has,
which sends what does not fit to quarantine. This module must not use a pipeline's whole-run or drop methods, and knows no
vendor.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration.dlt_packages import (
    causes,
    drop_rows_of_aborted,
    drop_unfinished_extracts,
    is_terminal,
    one_line,
    refused_table,
    root,
    staged_package,
)
from orchestration.landing import Landing, Package, Unreadable, filter_unchanged, raw_types
from orchestration.sync_report import SyncReport
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
    rows_of,
    snapshot,
    stamp_load,
)
from sources.errors import TsunaguSourceError
from sources.extract import build_source
from sources.notes import Notes
from sources.stream import Clock, DataType, Stream, Vendor, Window, load_vendor

if TYPE_CHECKING:
    import dlt

    from orchestration.settings import Settings

ENVIRONMENT: Mapping[str, str] = {
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "122880",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}
"""What dlt must be told. Settings export the same; `sync` refuses to run without the first."""


class SyncFailed(WarehouseError):
    """A package could not be loaded now; it stays, or its rows are read again."""


class Refused(SyncFailed):
    """A package that can never load was aborted and its state went back. `table`: the one that was refused, if known."""

    def __init__(self, message: str, table: str | None) -> None:
        super().__init__(message)
        self.table = table


def sync(
    settings: Settings,
    instance: str,
    clock: Clock,
    *,
    streams: Sequence[str] | None = None,
    backfill: Window | None = None,
) -> SyncReport:
    """Read what is new in one instance and land it. `backfill` reads that window again and moves no state.

    A part that could not be read is in the report (`failed`, `faults`, `error()`) when anything else landed. Raises the
    source's own error (credentials, host, quota) when nothing was read, WarehouseHeld, NoSpace or SyncFailed. Whatever was
    extracted before stays and lands next time.
    """
    vendor = load_vendor(settings.instance(instance).vendor)
    return Sync(settings, instance, vendor, clock, streams=streams, backfill=backfill).go()


class Sync:
    """The steps of one sync; `go` takes them in their order."""

    def __init__(
        self,
        places: Places,
        instance: str,
        vendor: Vendor,
        clock: Clock,
        *,
        streams: Sequence[str] | None = None,
        backfill: Window | None = None,
        config: Mapping[str, Any] | None = None,
        patience: float = 600,
    ) -> None:
        """`config` replaces dlt's configuration. `patience`: seconds to wait for a warehouse that someone else holds."""
        self.places = places
        self.instance = instance
        self.vendor = vendor
        self.clock = clock
        self.streams = streams
        self.backfill = backfill
        self.config = config
        self.patience = patience
        self.report = SyncReport(instance)
        self._types: dict[str, dict[str, DataType]] | None = None
        """What raw has, once a package was refused."""

    def go(self) -> SyncReport:
        """Restore the state if need be, land what an earlier run left, then extract and land, window by window."""
        started = time.monotonic()
        _check_environment()
        own_lock = self.places.pipelines_dir / f"{self.instance}.lock"
        with hold(own_lock, f"sync of {self.instance}", timeout=0.5):
            pipeline = self._pipeline()
            drop_unfinished_extracts(pipeline)
            self._restore(pipeline)
            self._land_waiting(pipeline)
            self._read_on(pipeline)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _land_waiting(self, pipeline: dlt.Pipeline) -> None:
        """Land what an earlier run left. What can never load is read again by this run, with raw's own types.

        A run that died between its package and dlt's note of the state left a state that is older than the package: what
        landed is the one to go on from.
        """
        try:
            if pipeline.has_pending_data:
                self._land(pipeline, is_begun=True)
                with self._warehouse():
                    pipeline.sync_destination()
            elif pipeline.list_normalized_load_packages():  # dlt does not call it pending: an abort that was killed
                with self._warehouse():
                    self._load(pipeline)
        except Refused:
            self._types = self._raw_types()

    def _read_on(self, pipeline: dlt.Pipeline) -> None:
        """Extract and land the streams, then again those whose window was cut, until every window was read."""
        todo = list(self.streams or [stream.name for stream in self._streams()])
        while todo:
            notes = Notes()
            try:
                with self._part("extract"):
                    _extract(pipeline, self._source(todo, notes))
                self._land(pipeline)
            except TsunaguSourceError as problem:
                if not self.report.loads:
                    raise
                self.report.failed.update(dict.fromkeys(todo, problem))
                return
            except Refused as refusal:
                todo = self._after_refusal(todo, refusal)
                continue
            finally:
                self.report.requests += notes.requests
            self._tell(notes)
            todo = list(notes.cut)

    def _source(self, streams: Sequence[str], notes: Notes) -> Any:
        return build_source(
            self.vendor,
            self.instance,
            clock=self.clock,
            window=self.backfill,
            streams=streams,
            config=self.config,
            types=self._types,
            notes=notes,
        )

    def _after_refusal(self, todo: Sequence[str], refusal: Refused) -> list[str]:
        """The streams to read again: all of them with raw's own types, then without one that is refused even so."""
        if self._types is None:
            self._types = self._raw_types()
            return list(todo)
        left = [name for name in todo if name != refusal.table]
        if len(left) == len(todo):  # no stream of this reading, or nobody knows which
            raise refusal
        self.report.failed[str(refusal.table)] = refusal
        return left

    def _tell(self, notes: Notes) -> None:
        for stream, count in notes.quarantined.items():
            self.report.quarantined[stream] = self.report.quarantined.get(stream, 0) + count
        self.report.skipped.update(notes.skipped)
        self.report.failed.update(notes.failed)
        self.report.faults += notes.faults

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

    def _raw_types(self) -> dict[str, dict[str, DataType]]:
        with self._warehouse(), raw_connection(self.places, read_only=True) as connection:
            return raw_types(connection, self.instance)

    def _land(self, pipeline: dlt.Pipeline, *, is_begun: bool = False) -> None:
        with self._part("normalize"):
            self._normalize(pipeline)
        waiting = pipeline.list_normalized_load_packages()
        if len(waiting) > 1:  # with two, A -> B -> A could be misread
            raise SyncFailed(f"{self.instance}: {len(waiting)} packages wait at once; there must be one at a time.")
        if not waiting:
            return
        package = staged_package(pipeline, waiting[0])
        size = sum(file.stat().st_size for files in package.files.values() for file in files)
        with self._warehouse():
            check_space(self.places.raw_path, size * 3)
            with self._part("drop_unchanged"):
                landing = self._filter(pipeline, package)
            with self._part("load"):
                self._load(pipeline)
            self._commit(package.load_id, landing, is_begun=is_begun)

    def _normalize(self, pipeline: dlt.Pipeline) -> None:
        from dlt.pipeline.exceptions import PipelineStepFailed

        try:
            pipeline.normalize()
        except PipelineStepFailed as failure:
            if is_out_of_space(failure) or any(isinstance(cause, OSError) for cause in causes(failure)):
                raise self._kept(failure) from failure
            raise self._aborted(pipeline, failure, None) from failure

    def _filter(self, pipeline: dlt.Pipeline, package: Package) -> Landing:
        scratch = self.places.pipelines_dir / "scratch"
        try:
            return filter_unchanged(package, self.places.raw_path, self.instance, self._keys(), scratch)
        except Unreadable as failure:
            raise self._aborted(pipeline, failure, failure.table) from failure

    def _load(self, pipeline: dlt.Pipeline) -> None:
        from dlt.pipeline.exceptions import PipelineStepFailed

        try:
            info = pipeline.load()
        except PipelineStepFailed as failure:
            if is_out_of_space(failure) or not is_terminal(failure):
                raise self._kept(failure) from failure
            raise self._aborted(pipeline, failure, refused_table(failure)) from failure
        if any(package.state != "loaded" for package in info.load_packages):  # dlt ended the abort of a killed run
            drop_rows_of_aborted(pipeline)
            raise Refused(f"{self.instance}: a load was aborted. Its rows are read again at the next run.", None)

    def _kept(self, failure: Exception) -> WarehouseError:
        """A passing fault: the package stays."""
        if is_out_of_space(failure):
            return NoSpace(
                f"The disk filled up while {self.instance} was loading. Free some space and run again: what was "
                "read is kept and lands then."
            )
        return SyncFailed(
            f"{self.instance}: the load did not finish ({one_line(root(failure))}). What was read is kept and lands at "
            "the next run."
        )

    def _aborted(self, pipeline: dlt.Pipeline, failure: Exception, table: str | None) -> Refused:
        """A fault that stays: the package goes, and its state goes back to where it began."""
        if pipeline.has_pending_data:
            pipeline.abort_packages()
        drop_rows_of_aborted(pipeline)
        return Refused(
            f"{self.instance}: the load{f' of {table}' if table else ''} was refused ({one_line(root(failure))}). Its state "
            "went back: the rows are read again at the next run.",
            table,
        )

    def _commit(self, load_id: str, landing: Landing, *, is_begun: bool) -> None:
        """Stamp the load. What a dead run had begun may hold rows that did not land now: then raw itself is counted."""
        counts = {t: (landing.landed[t], landing.unchanged.get(t, 0)) for t in landing.landed}
        with raw_connection(self.places) as connection:
            told = {**counts, **rows_of(connection, self.instance, load_id)} if is_begun else counts
            stamp_load(connection, Load(load_id, self.instance, self.vendor.name, told), self.clock())
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

        return self.vendor.streams_of(read_config(self.vendor.params, self.instance, self.config))

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
    import pyarrow as pa
    from dlt.pipeline.exceptions import PipelineStepFailed

    try:
        pipeline.extract(source, loader_file_format="parquet")
        pa.default_memory_pool().release_unused()  # what the rows took is needed by the load
    except PipelineStepFailed as failure:
        for problem in causes(failure):
            if isinstance(problem, TsunaguSourceError):
                raise problem from None
        raise
