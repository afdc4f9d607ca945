"""A small vendor over a file, for tests of the engine: it serves what a company's tool would hold at a given time.

The store is JSON: a list of [at, object, id, values or null]; null is a delete. Connections answer like a real tool:
only the newest version of a record is there, and it is in the window when its stamp is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from sources.arrow import Field, Json, Pages
from sources.config import Config
from sources.errors import BadAnswer, ObjectNotPermitted, QuotaExhausted
from sources.stream import Clock, Connection, GoesOnBy, Param, Stream, Vendor, Window

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = {"id": "text", "name": "text", "amount": "double", "modified": "timestamp", "never": "date"}
SHAPE = Json(
    ("rows",),
    {
        "id": Field(("id",)),
        "name": Field(("name",)),
        "amount": Field(("amount",), "double"),
        "modified": Field(("modified",), "timestamp"),
    },
)
STREAMS = (
    Stream("fed", "Fed", ("id",), COLUMNS, cursor="modified", deletes="feed", lookback=timedelta(hours=1)),
    Stream(
        "swept",
        "Swept",
        ("id",),
        COLUMNS,
        cursor="modified",
        deletes="sweep",
        lookback=timedelta(hours=1),
        sweep_every=timedelta(0),
    ),
    Stream("whole", "Whole", ("id",), COLUMNS),
    Stream("steps", "Fed", ("id",), COLUMNS, cursor="modified"),
    Stream("journal", "Fed", (), COLUMNS, cursor="modified"),
    Stream("secret", "Secret", ("id",), COLUMNS, cursor="modified"),
)


class Store:
    """The tool's records, in a file that several processes can read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            self._write([])

    def put(self, at: datetime, kind: str, values: Mapping[str, Any]) -> None:
        """A new version of the record `values["id"]`."""
        self.put_all(at, kind, [values])

    def put_all(self, at: datetime, kind: str, rows: list[Mapping[str, Any]]) -> None:
        self._write([*self.log(), *([at.isoformat(), kind, row["id"], dict(row)] for row in rows)])

    def delete(self, at: datetime, kind: str, key: str) -> None:
        self._write([*self.log(), [at.isoformat(), kind, key, None]])

    def log(self) -> list[Any]:
        return json.loads(self.path.read_text())

    def versions(self, kind: str) -> list[tuple[datetime, dict[str, Any] | None]]:
        """All versions of all records of that kind, oldest first."""
        return [(datetime.fromisoformat(at), values) for at, of, _, values in self.log() if of == kind]

    def current(self, kind: str) -> dict[str, tuple[datetime, dict[str, Any] | None]]:
        """Newest version of each record of that kind: when it was made, and None when it was deleted."""
        newest: dict[str, tuple[datetime, dict[str, Any] | None]] = {}
        for at, of, key, values in self.log():
            when = datetime.fromisoformat(at)
            if of == kind:
                newest[key] = (when, values)
        return newest

    def live(self, kind: str) -> dict[str, dict[str, Any]]:
        return {key: values for key, (_, values) in self.current(kind).items() if values is not None}

    def _write(self, log: list[Any]) -> None:
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(log))
        part.replace(self.path)


class ToolConnection(Connection):
    def __init__(self, config: Config, clock: Clock) -> None:
        self.store = Store(Path(config["store"]))
        self.clock = clock
        self.page = int(config.get("page", "500"))
        self.permitted = bool(config.get("permitted"))
        self.hidden = str(config.get("hidden", ""))
        self.fail_after = int(config.get("fail_after", "-1"))
        self.nonsense = str(config.get("nonsense", "")).split(",")
        self.quota_at = str(config.get("quota_at", ""))
        self.goes_on: GoesOnBy = config.get("goes_on", "nothing")
        self.asked_log = config.get("asked_log")

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:
        return self.goes_on

    def pages(self, stream: Stream, window: Window) -> Iterator[Pages]:
        if stream.name == "secret" and not self.permitted:
            raise ObjectNotPermitted("tool: Secret may not be read")
        history = stream.name in ("steps", "journal")  # every version, where other streams show the newest
        versions = self.store.versions(stream.object) if history else self.store.current(stream.object).values()
        rows = [
            {**values, "modified": at.isoformat()}
            for at, values in versions
            if values is not None and at <= window.end and (window.start is None or at > window.start)
        ]
        if self.goes_on == "cursor":
            rows.sort(key=lambda row: row["modified"])
        if self.goes_on == "memory":
            rows = sorted(
                (row for row in rows if row["id"] > window.memory.get("place", "")), key=lambda row: row["id"]
            )
        for first in range(0, max(len(rows), 1), self.page):
            self.requests += 1
            self._log(stream, rows[first : first + self.page])
            if self.requests == self.fail_after:
                raise RuntimeError("the line broke")
            if first >= 2 * self.page and stream.name in self.nonsense:
                raise BadAnswer(f"tool: {stream.object} answers nonsense")
            if stream.name == self.quota_at:
                raise QuotaExhausted("tool: the allowance is used up")
            yield Pages([orjson.dumps({"rows": rows[first : first + self.page]})], SHAPE)
            if self.goes_on == "memory" and rows:
                window.memory["place"] = rows[first : first + self.page][-1]["id"]
        window.memory.pop("place", None)

    def _log(self, stream: Stream, rows: list[dict[str, Any]]) -> None:
        """Which records were asked for, for tests of where reading begins."""
        if self.asked_log:
            with Path(self.asked_log).open("a") as log:
                log.writelines(f"{stream.name} {row['id']}\n" for row in rows)

    def deleted(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
        self.requests += 1
        gone = [
            (key, at)
            for key, (at, values) in self.store.current(stream.object).items()
            if values is None and at <= window.end and (window.start is None or at > window.start)
        ]
        yield pa.table(
            {
                "id": pa.array([key for key, _ in gone], pa.string()),
                "_deleted_at": pa.array([at for _, at in gone], pa.timestamp("us", "UTC")),
            }
        )

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        self.requests += 1
        hidden = self.hidden.split(",")
        live = [key for key in self.store.live(stream.object) if key not in hidden]
        yield pa.table({"id": pa.array(live, pa.string())})

    def count(self, stream: Stream) -> int | None:
        return len(self.store.live(stream.object))


TOOL = Vendor(
    "tool",
    "Tool",
    STREAMS,
    ToolConnection,
    params=(Param("store", "the file"), Param("page", "rows a page", required=False)),
)
