"""Where a long window is cut, so that each part lands by itself and a failure costs one part.

A window is cut after `Stream.window_rows` rows, at a stamp (or a place of the vendor's own) from which reading can go on.
Small windows are never cut. Must not read from a vendor.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.stream import Connection, GoesOnBy, Stream, Window

TICK = timedelta(microseconds=1)


class Cutter:
    """Decides for one window of one stream, and writes the state that it leaves."""

    def __init__(self, stream: Stream, window: Window, connection: Connection, asked: str = "") -> None:
        """`asked`: the whole window of a backfill, in words; `window` may be the rest of it."""
        self._stream = stream
        self._window = window
        self._asked = asked
        self._by = self._goes_on_by(connection)
        self._begun = deepcopy(dict(window.memory))
        self._rows = 0
        self._reached: datetime | None = None
        self.is_cut = False
        self.has_all = False
        """The vendor has given its last page: nothing is left to cut off."""

    def _goes_on_by(self, connection: Connection) -> GoesOnBy:
        if not self._stream.key or not self._stream.cursor:  # without a key the rows of the last stamp would double
            return "nothing"
        return connection.goes_on_by(self._stream, self._window)

    def cuts_after(self, table: pa.Table) -> bool:
        """True when the window ends after this table, whose rows were given."""
        self._rows += table.num_rows
        if self._by == "nothing" or self.has_all or self._rows < self._stream.window_rows:
            return False
        if self._by == "cursor":
            self._reached = self._before_last_stamp(table)
            self.is_cut = self._reached is not None
        else:  # a part that leaves the place where it began would be read again for ever
            self.is_cut = self._window.memory != self._begun
        return self.is_cut

    def _before_last_stamp(self, table: pa.Table) -> datetime | None:
        """Just before the newest stamp, of which more rows may follow. None when that is no progress, or so near the
        window's end that older stamps may still appear (the look-back): the rest is read in one piece then."""
        import pyarrow.compute as pc

        if self._stream.cursor not in table.column_names:
            return None
        newest: Any = pc.max(table[self._stream.cursor]).as_py()  # pyright: ignore
        if not isinstance(newest, datetime):
            return None
        reached, start = newest - TICK, self._window.start
        if (start is not None and reached <= start) or reached > self._window.end - self._stream.lookback:
            return None
        return reached

    def remember(self, state: dict[str, Any]) -> None:
        """Write where the next window begins. A backfill notes its own place and leaves the forward state alone."""
        if self._window.backfill:
            self._remember_backfill(state)
            return
        state["memory"] = dict(self._window.memory)
        if self.is_cut and self._by == "memory":  # the window stays, with the place inside it
            state["listing"] = self._window.end.isoformat()
            return
        state.pop("listing", None)
        state.pop("is_cut", None)
        state["until"] = (self._reached if self.is_cut and self._reached else self._window.end).isoformat()
        if self.is_cut:
            state["is_cut"] = True

    def _remember_backfill(self, state: dict[str, Any]) -> None:
        if self.is_cut and self._by == "memory":
            state["backfill"] = {"window": self._asked, "memory": dict(self._window.memory)}
        elif self.is_cut and self._reached:
            state["backfill"] = {"window": self._asked, "reached": self._reached.isoformat()}
        else:
            state.pop("backfill", None)
