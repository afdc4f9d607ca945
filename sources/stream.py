"""What a vendor declares (streams, parameters, how to sign in), and how vendors are found.

A vendor is data: a table of `Stream` rows and a `connect` function that returns a signed-in `Connection`. The loop
window -> pages -> Arrow -> dlt lives in `sources/extract.py` and is the same for all. This module must not know any
vendor by name, and importing it must not import dlt, touch the network or read the environment.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sources.config import Config, Param
from sources.errors import ConfigurationError
from sources.tables import DataType, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.arrow import Pages

Clock = Callable[[], datetime]
"""Gives the instant a run counts as "now": aware, UTC."""

Deletes = Literal["none", "flag", "feed", "sweep"]
GoesOnBy = Literal["nothing", "cursor", "memory"]
"""cursor: pages come in the order of the cursor, so that the stamp reached is where to go on. memory: in
another order; the connection notes its place in `Window.memory` with each page it gives, and begins at a place that is
noted there. A table is landed as soon as it is given, so its place is noted before; `Pages` wait for more of them, so theirs
is noted after. nothing: the window is read in one piece."""


@dataclass(frozen=True)
class Stream:
    """One row of a vendor's table: one object that is read into one raw table."""

    name: str
    """The raw table: snake_case, no double underscore."""
    object: str
    """The vendor's own name of it, as in its documentation (`Account`, `contacts`)."""
    key: tuple[str, ...]
    """Raw columns that identify a record; empty = rows get a row id and are never compared."""
    columns: Mapping[str, DataType]
    """Raw columns that staging needs. More may arrive (custom fields): they are added as they appear."""
    cursor: str | None = None
    """Raw column with the vendor's modification stamp; None = the whole object is read in every run."""
    lag: timedelta = timedelta(minutes=5)
    """The window ends this long before now: the vendor may still be committing rows with an older stamp."""
    lookback: timedelta = timedelta(0)
    """The next window starts this long before the last one ended; rows read twice are filtered before the load."""
    deletes: Deletes = "none"
    """flag: rows carry `_deleted` themselves; feed: `Connection.deleted`; sweep: `Connection.ids` lists what lives."""
    volatile: tuple[str, ...] = ()
    """Columns that change without the record changing (scores recomputed nightly): left out of `_hash`."""
    sweep_every: timedelta = timedelta(hours=20)
    """A sweep lists every live id, so it runs at most this often (and always in the first run)."""
    window_rows: int = 500_000
    """A window is cut after about this many rows where `Connection.goes_on_by` allows it: each part lands by itself."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What only this vendor's `connect` understands."""


@dataclass(frozen=True)
class Window:
    """Rows with `start < cursor <= end`; `start` None = from the beginning."""

    start: datetime | None
    end: datetime
    memory: MutableMapping[str, Any] = field(default_factory=dict[str, Any])
    """What the vendor wants to remember for this stream (JSON values): kept only if the load that carries it lands."""
    backfill: bool = False

    def in_words(self) -> str:
        """Start and end, to recognise the window by."""
        return f"{self.start.isoformat() if self.start else '-'}/{self.end.isoformat()}"


if TYPE_CHECKING:
    Batch = pa.Table | Pages | Rejected
    """What `Connection.pages` yields: typed rows, or bodies as they came with the way to read them, or a bad row."""


class Connection(Protocol):
    """A vendor's signed-in reader, made fresh for each run. Subclass it: only `pages` has no default."""

    requests: int = 0
    """Requests sent so far."""

    def pages(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """The rows of the window, in any order. Extra rows outside it do no harm. May raise `ObjectNotPermitted`."""
        ...

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:  # noqa: ARG002
        """How reading goes on after a cut of this window: see `GoesOnBy`."""
        return "nothing"

    def deleted(self, stream: Stream, window: Window) -> Iterator[pa.Table]:  # noqa: ARG002
        """Tombstones of a `feed`: the key columns and `_deleted_at` (timestamp, may be null)."""
        return iter(())

    def ids(self, stream: Stream) -> Iterator[pa.Table]:  # noqa: ARG002
        """For a `sweep`: the key columns of every live record."""
        return iter(())

    def count(self, stream: Stream) -> int | None:  # noqa: ARG002
        """The vendor's own count of live records; None when it gives none."""
        return None

    def limits(self) -> Mapping[str, str]:
        """The vendor's allowances and what is left of them, in words: {"API requests a day": "14,109 of 15,000 left"}."""
        return {}

    def close(self) -> None:
        """Called at the end of the run, also after a failure."""


@dataclass(frozen=True)
class Vendor:
    """Everything the product knows of a vendor; `sources/<name>/__init__.py` exposes it as `VENDOR`."""

    name: str
    label: str
    streams: tuple[Stream, ...]
    connect: Callable[[Config, Clock], Connection]
    params: tuple[Param, ...] = ()
    staging: str = ""
    """Folder in `models/staging`; empty = the vendor's name."""
    documentation: str = ""
    """Address of the vendor's reference that this was written from."""
    streams_of: Callable[[Config], tuple[Stream, ...]] | None = None
    """For vendors whose tables come from a company's own mapping (file drops): the streams of this instance."""
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])
    """Case of the contract suite (`tests/contract`) -> why this vendor cannot have it. A reason for a case that works fails."""

    def stream(self, name: str) -> Stream:
        """The stream of that name; an unknown name is a `ConfigurationError` that lists the known ones."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        known = ", ".join(s.name for s in self.streams)
        raise ConfigurationError(f"{self.name} has no stream {name!r}. It has: {known}.")


def vendors() -> tuple[str, ...]:
    """Names of the vendor folders beside this file, found by looking (there is no list to keep)."""
    import sources

    found: list[str] = []
    for module in pkgutil.iter_modules(sources.__path__):
        if module.ispkg and hasattr(importlib.import_module(f"sources.{module.name}"), "VENDOR"):
            found.append(module.name)
    return tuple(sorted(found))


def load_vendor(name: str) -> Vendor:
    """The vendor of that name; an unknown one is a `ConfigurationError` that lists the known ones."""
    try:
        module = importlib.import_module(f"sources.{name}")
        vendor = module.VENDOR
    except (ModuleNotFoundError, AttributeError) as problem:
        if isinstance(problem, ModuleNotFoundError) and problem.name != f"sources.{name}":
            raise
        raise ConfigurationError(
            f"There is no vendor {name!r}. Known vendors: {', '.join(vendors())}. Correct `vendor` in tsunagu.toml."
        ) from None
    if not isinstance(vendor, Vendor):
        raise ConfigurationError(f"sources/{name}/__init__.py: VENDOR is a {type(vendor).__name__}, not a Vendor.")
    return vendor
