"""What a run tells beside its rows: notes for its report, and rows of `quarantine`, `vendor_count` and `_seen`.

`Notes` is what a caller reads afterwards; `Book` gathers the rows while streams are read. Must not read from a vendor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sources.errors import BadAnswer, TsunaguSourceError
from sources.stream import Stream, Window
from sources.tables import QUARANTINE, VENDOR_COUNT, Rejected, from_rows
from sources.versions import KEY_SEPARATOR

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class Notes:
    """What happened in a run, for reports; filled while dlt extracts."""

    rows: dict[str, int] = field(default_factory=dict[str, int])
    quarantined: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    """Stream -> the vendor's reason why it may not be read."""
    failed: dict[str, TsunaguSourceError] = field(default_factory=dict[str, TsunaguSourceError])
    """Stream -> why it was not read to its end; its state did not move."""
    faults: list[TsunaguSourceError] = field(default_factory=list[TsunaguSourceError])
    """What could not be read inside streams that were read to their end: files."""
    cut: list[str] = field(default_factory=list[str])
    """Streams whose window was cut: there is more to read, from the state that this run leaves."""
    windows: dict[str, Window] = field(default_factory=dict[str, Window])
    requests: int = 0


class Book:
    """The rows of one extraction that are no records."""

    def __init__(self, notes: Notes, now: Callable[[], datetime]) -> None:
        self._notes = notes
        self._now = now
        self._rejected: list[dict[str, Any]] = []
        self._counts: list[dict[str, Any]] = []
        self._seen: list[pa.Table] = []

    def reject(self, stream: Stream, rejected: Sequence[Rejected]) -> None:
        """Rows for `quarantine`; a file that could not be read is a fault of the run too."""
        for row in rejected:
            self._notes.quarantined[stream.name] = self._notes.quarantined.get(stream.name, 0) + 1
            if row.is_file:
                self._notes.faults.append(BadAnswer(row.reason))
            self._rejected.append(
                {
                    "stream": stream.name,
                    "source_key": row.source_key,
                    "file": row.file,
                    "line": row.line,
                    "column_name": row.column_name,
                    "value": row.value,
                    "reason": row.reason,
                    "row_text": row.row_text,
                    "found_at": self._now(),
                }
            )

    def count(self, stream: Stream, live: int | None, status: str, message: str | None) -> None:
        """A row for `vendor_count`: the vendor's own count, or why there is none."""
        self._counts.append(
            {
                "stream": stream.name,
                "object": stream.object,
                "live_count": live,
                "status": status,
                "message": message,
                "counted_at": self._now(),
            }
        )

    def see(self, stream: Stream, listed: Sequence[pa.Table]) -> None:
        """A complete listing of the live keys of the stream, which may be empty."""
        import pyarrow as pa

        self._seen.extend(_key_texts(stream, table) for table in listed)
        # One row says that the listing was complete: an empty listing means that everything is gone.
        self._seen.append(pa.table({"stream": [stream.name], "key": pa.nulls(1, pa.string())}))

    def quarantine(self) -> pa.Table | None:
        return from_rows(self._rejected, QUARANTINE)

    def vendor_count(self) -> pa.Table | None:
        return from_rows(self._counts, VENDOR_COUNT)

    def seen(self) -> pa.Table | None:
        import pyarrow as pa

        return pa.concat_tables(self._seen) if self._seen else None


def _key_texts(stream: Stream, table: pa.Table) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [table[name].cast(pa.string()) for name in stream.key]
    joined = parts[0] if len(parts) == 1 else cast(Any, pc).binary_join_element_wise(*parts, KEY_SEPARATOR)
    return pa.table({"stream": pa.array([stream.name] * table.num_rows, pa.string()), "key": joined})
