"""The one loop of every vendor: window -> pages -> Arrow -> dlt.

Each stream becomes a dlt resource that keeps `{"until": window end}` in its resource state; dlt stores that state in
the same load as the rows, so that it never runs ahead of them. Rows carry `_hash`, `_seq`, `_deleted`, `_deleted_at`.
A stream that cannot be read stops itself: its state stays, the others are read. A long window is cut, and the state
says where to go on. This module must not know a vendor, the warehouse, or how a load lands.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sources.arrow import Pages, Reader
from sources.config import Config, read_config
from sources.cuts import Cutter
from sources.errors import BadAnswer, ConfigurationError, CredentialsRejected, ObjectNotPermitted, TsunaguSourceError
from sources.notes import Book, Notes
from sources.stream import Clock, Connection, DataType, Rejected, Stream, Vendor, Window
from sources.tables import QUARANTINE, SEEN, STAMPS, VENDOR_COUNT, aligned, conform, empty_table, hints
from sources.versions import SQL_TYPES

if TYPE_CHECKING:
    import pyarrow as pa
    from dlt.extract import DltResource, DltSource

    from sources.stream import Batch

PAGE_BYTES = 8_000_000
"""Pages are read together once they are this big: the text still fits the processor's cache."""

Types = Mapping[str, Mapping[str, DataType]]
"""Stream -> column -> type."""


def build_source(
    vendor: Vendor,
    instance: str,
    *,
    clock: Clock,
    window: Window | None = None,
    streams: Sequence[str] | None = None,
    config: Mapping[str, Any] | None = None,
    types: Types | None = None,
    notes: Notes | None = None,
) -> DltSource:
    """A dlt source named `instance` with one resource per stream.

    `window` makes it a backfill: that window is read and no forward state is written. `streams` limits it. `config`
    replaces dlt's configuration (tests). `types` are those that raw has, by stream, for columns where dlt's schema says
    something else. `notes` collects what happened: rows, requests, skipped objects, streams that failed, windows that
    were cut. Without `notes` a stream that fails makes dlt fail; with them the others land. Nothing is requested before
    dlt starts to extract.
    """
    import dlt

    run = _Run(vendor, instance, clock, window, config, notes or Notes(), types or {})
    run.is_watched = notes is not None
    chosen = run.choose(streams)
    resources: list[DltResource] = [_resource(s.name, hints(s.columns), _rows_of(run, s)) for s in chosen]
    # The bookkeeping comes last: it gives what the streams before it have noted.
    resources.append(_resource("quarantine", hints(QUARANTINE, stamps=False), run.quarantine))
    resources.append(_resource("vendor_count", hints(VENDOR_COUNT, stamps=False), run.vendor_count))
    if any(s.deletes == "sweep" for s in chosen):
        resources.append(_resource("_seen", hints(SEEN, stamps=False), run.seen))

    def tsunagu() -> list[DltResource]:
        return resources

    return dlt.source(tsunagu, name=instance, max_table_nesting=0, parallelized=False)()


def _resource(name: str, columns: dict[str, dict[str, Any]], rows: Callable[[], Iterator[Any]]) -> DltResource:
    import dlt

    def give() -> Iterator[Any]:  # dlt wants a plain function of its own: it writes an attribute on it
        yield from rows()

    return dlt.resource(give, name=name, columns=cast(Any, columns), write_disposition="append")


def _rows_of(run: _Run, stream: Stream) -> Callable[[], Iterator[Any]]:
    def rows() -> Iterator[Any]:
        yield from run.rows(stream)

    return rows


class _Run:
    """One extraction of one instance: the connection, the order of arrival, and what there is to report."""

    def __init__(
        self,
        vendor: Vendor,
        instance: str,
        clock: Clock,
        window: Window | None,
        given: Mapping[str, Any] | None,
        notes: Notes,
        known: Types | None = None,
    ) -> None:
        self.vendor = vendor
        self.instance = instance
        self.notes = notes
        self._clock = clock
        self._backfill = replace(window, backfill=True) if window else None
        self._given = given
        self._now: datetime | None = None
        self._connection: Connection | None = None
        self._reader: Reader | None = None
        self._seq = 0
        self._known = known or {}
        self._book = Book(notes, lambda: self.now)
        self._stopped: TsunaguSourceError | None = None
        self._started: set[str] = set()
        self._finished: set[str] = set()
        self.is_watched = True
        """Someone reads the notes; else a stream that failed must fail the whole run, or nobody would know."""

    # what is read ------------------------------------------------------------------------------------------------
    def choose(self, names: Sequence[str] | None) -> tuple[Stream, ...]:
        """The streams of this run; an unknown name is a `ConfigurationError`."""
        if self.vendor.streams_of is not None:
            config = (
                Config(self.instance, self._given) if self._given else read_config(self.vendor.params, self.instance)
            )
            every = self.vendor.streams_of(config)
        else:
            every = self.vendor.streams
        known = {stream.name: stream for stream in every}
        for name in names or ():
            if name not in known:
                raise ConfigurationError(f"{self.instance} has no stream {name!r}. It has: {', '.join(known)}.")
        return tuple(known[name] for name in names) if names else every

    @property
    def now(self) -> datetime:
        """One instant for the whole run, taken before the first request: no later row can be passed over."""
        if self._now is None:
            self._now = self._clock().astimezone(UTC)
        return self._now

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            now = self.now
            self._connection = self.vendor.connect(
                read_config(self.vendor.params, self.instance, self._given), lambda: max(now, self._clock())
            )
        return self._connection

    @property
    def reader(self) -> Reader:
        if self._reader is None:
            self._reader = Reader()
        return self._reader

    def close(self) -> None:
        """Frees what the run holds; may be called twice."""
        if self._connection is not None:
            self.notes.requests = self._connection.requests
            self._connection.close()
            self._connection = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # the loop ----------------------------------------------------------------------------------------------------
    def rows(self, stream: Stream) -> Iterator[Any]:
        """All tables of one stream, with its true types for dlt.

        dlt takes turns between resources; one stream after the other lets a vendor use in a later stream what an
        earlier one has read, and holds one stream in memory. None means: nothing now, ask the others.
        """
        import dlt

        earlier = set(self._started)
        self._started.add(stream.name)
        while not earlier <= self._finished:
            yield None
        types = self._types(stream, dlt.current.source_schema().tables.get(stream.name))
        differ = any(types[name] != kind for name, kind in stream.columns.items())
        for table in self._tables(stream, dlt.current.resource_state(), types):
            # Else the declared types go into dlt's schema, where raw's are expected at the next run.
            yield dlt.mark.with_hints(table, dlt.mark.make_hints(columns=cast(Any, hints(types)))) if differ else table
            differ = False
        self._finished.add(stream.name)

    def _tables(self, stream: Stream, state: dict[str, Any], types: Mapping[str, DataType]) -> Iterator[pa.Table]:
        """The stream's state moves only when all tables of the window were given, or of the part before its cut."""
        window = self.window(stream, state)
        self.notes.windows[stream.name] = window
        self.notes.rows.setdefault(stream.name, 0)
        try:
            if self._stopped is not None:
                raise self._stopped
            cutter = Cutter(stream, window, self.connection, self._backfill.in_words() if self._backfill else "")
            yield from aligned(self._stamped(stream, window, types, cutter))
            if cutter.is_cut:
                self.notes.cut.append(stream.name)
            elif self._sweeps(stream, state) and self._sweep(stream):
                state["swept"] = self.now.isoformat()
            self._count(stream, cutter)
            cutter.remember(state)
        except ObjectNotPermitted as refusal:
            self.notes.skipped[stream.name] = str(refusal)
            self._book.count(stream, None, "no_permission", str(refusal))
        except TsunaguSourceError as problem:
            if not stream.key and self.notes.rows[stream.name]:
                raise  # without a key its rows would be there twice once they are read again
            self._fail(stream, problem)
        except BaseException:
            self.close()
            raise
        if not self.notes.rows[stream.name]:  # the table is there, typed, even so
            yield empty_table({**types, **STAMPS})

    def _fail(self, stream: Stream, problem: TsunaguSourceError) -> None:
        """The stream ends here. Nonsense about one object is its own trouble; anything else would meet the others too."""
        self.notes.failed[stream.name] = problem
        self._book.count(stream, None, "failed", str(problem))
        if not isinstance(problem, BadAnswer):
            self._stopped = problem

    def window(self, stream: Stream, state: Mapping[str, Any]) -> Window:
        """What to read of the stream: from the end of the last window, less the look-back, to now, less the lag.

        After a cut it goes on just there: a cut lies before the look-back of the window that was cut.
        """
        memory = deepcopy(dict(state.get("memory", {})))
        if self._backfill is not None:
            begun = state.get("backfill", {})
            begun = begun if begun.get("window") == self._backfill.in_words() else {}
            start = datetime.fromisoformat(begun["reached"]) if "reached" in begun else self._backfill.start
            return replace(self._backfill, start=start, memory=deepcopy(begun.get("memory", memory)))
        end = self.now - stream.lag
        start: datetime | None = None
        if "until" in state and stream.cursor is not None:
            until = datetime.fromisoformat(state["until"])
            end = max(end, until)  # a clock that was set back does not make the state regress
            start = until if state.get("is_cut") else until - stream.lookback
        if "listing" in state:
            end = datetime.fromisoformat(state["listing"])
        return Window(start, end, memory)

    def _stamped(
        self, stream: Stream, window: Window, types: Mapping[str, DataType], cutter: Cutter
    ) -> Iterator[pa.Table]:
        if window.start is not None and window.start >= window.end:
            return
        with closing(self._gathered(stream, self.connection.pages(stream, window), cutter)) as batches:
            for table in (table for batch in batches for table in self._read(stream, batch, types)):
                yield table
                if cutter.cuts_after(table):
                    break
        if stream.deletes == "feed":
            for table in self.connection.deleted(stream, window):
                if table.num_rows:
                    yield self._tombstones(stream, table, types)

    def _gathered(self, stream: Stream, batches: Iterator[Batch], cutter: Cutter) -> Generator[Pages | pa.Table]:
        """Small pages together, in the order in which they came."""
        bodies: list[bytes] = []
        size, shape = 0, None
        for batch in batches:
            if isinstance(batch, Rejected):
                self._book.reject(stream, [batch])
                continue
            if shape is not None and not (isinstance(batch, Pages) and batch.shape is shape and size < PAGE_BYTES):
                yield Pages(bodies, shape)
                bodies, size, shape = [], 0, None
            if isinstance(batch, Pages):
                shape = batch.shape
                bodies.extend(batch.bodies)
                size += sum(map(len, batch.bodies))
            elif batch.num_rows:
                yield batch
        cutter.has_all = True
        if shape is not None and bodies:
            yield Pages(bodies, shape)

    def _read(self, stream: Stream, batch: Pages | pa.Table, types: Mapping[str, DataType]) -> Iterator[pa.Table]:
        table, rejected = self.reader.read(batch, types, stream.key, stream.volatile, self._seq)
        self._seq += table.num_rows + len(rejected)
        self._book.reject(stream, rejected)
        self.notes.rows[stream.name] += table.num_rows
        if table.num_rows:
            yield conform(table, types)

    def _tombstones(self, stream: Stream, table: pa.Table, types: Mapping[str, DataType]) -> pa.Table:
        stones, rejected = self.reader.read(table, types, stream.key, (), self._seq, deleted=True)
        self._seq += stones.num_rows + len(rejected)
        self._book.reject(stream, rejected)
        self.notes.rows[stream.name] += stones.num_rows
        return conform(stones, types)

    def _types(self, stream: Stream, known: Any) -> dict[str, DataType]:
        """Declared types; a column that raw has already keeps the type it has there, whatever the vendor says now."""
        types: dict[str, DataType] = dict(stream.columns)
        for key in stream.key:
            types.setdefault(key, "text")
        for name, column in (known or {}).get("columns", {}).items():
            kind = column.get("data_type")
            if kind in SQL_TYPES and name not in STAMPS and not name.startswith("_dlt"):
                types[name] = kind
        types.update({name: kind for name, kind in self._known.get(stream.name, {}).items() if name not in STAMPS})
        return types

    # deletes by absence ------------------------------------------------------------------------------------------
    def _sweeps(self, stream: Stream, state: Mapping[str, Any]) -> bool:
        if stream.deletes != "sweep" or self._backfill is not None:
            return False
        return "swept" not in state or self.now - datetime.fromisoformat(state["swept"]) >= stream.sweep_every

    def _sweep(self, stream: Stream) -> bool:
        """Note the live keys; False when the vendor cannot list them now, which deletes nothing."""
        try:
            listed = list(self.connection.ids(stream))
        except ObjectNotPermitted as refusal:
            self._book.count(stream, None, "failed", str(refusal))
            return False
        self._book.see(stream, listed)
        return True

    # what is reported --------------------------------------------------------------------------------------------
    def _count(self, stream: Stream, cutter: Cutter) -> None:
        if self._backfill is not None or cutter.is_cut:
            return
        try:
            live = self.connection.count(stream)
        except CredentialsRejected:
            raise
        except TsunaguSourceError as problem:  # a count is worth a warning, not a failed run
            self._book.count(stream, None, "failed", str(problem))
            return
        if live is not None:
            self._book.count(stream, live, "counted", None)

    def quarantine(self) -> Iterator[Any]:
        """The rows that could not be read, once all streams are through."""
        yield empty_table(QUARANTINE)
        yield from self._after_streams(self._book.quarantine)

    def vendor_count(self) -> Iterator[Any]:
        """The vendor's own counts; the last resource that talks of the vendor, so the connection closes here."""
        yield empty_table(VENDOR_COUNT)
        yield from self._after_streams(self._book.vendor_count)

    def seen(self) -> Iterator[Any]:
        """The live keys of the streams that were swept."""
        yield empty_table(SEEN)
        yield from self._after_streams(self._book.seen)

    def _after_streams(self, table: Callable[[], pa.Table | None]) -> Iterator[Any]:
        """dlt takes turns between resources: give nothing (None) until every stream that began has ended."""
        while self._started != self._finished:
            yield None
        self.close()
        failed = self.notes.failed
        if failed and (not self.is_watched or set(failed) == self._finished - set(self.notes.skipped)):
            raise next(iter(failed.values()))  # nothing was read: a load would only say that all is well
        found = table()
        if found is not None:
            yield found
