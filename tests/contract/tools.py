"""A tool under contract: its sandbox over a small company, and the vendor's own source that reads it into a scratch home."""

from __future__ import annotations

import importlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from sources.demo.chaos import Chaos, Fault
from sources.demo.company import Company
from sources.demo.mounting import Mount, SandboxOptions
from sources.demo.tables import INSTANCE_VENDOR
from sources.errors import TsunaguSourceError
from sources.stream import Stream, Vendor, load_vendor, vendors
from tests.contract.fields import Fields, names_in
from tests.contract.small_company import MARK, NOW, Kind, Records, kinds
from tests.faults.home import Home

QUIET = 100  # uvicorn's own words about connections that chaos broke


@dataclass(frozen=True)
class Tool:
    """One vendor and the instance that the demo company runs of it, if it runs one."""

    name: str
    instance: str
    keeps: str = ""
    """The instance whose records it shows; its own, unless it is a mirror of another tool."""

    @property
    def vendor(self) -> Vendor:
        return load_vendor(self.name)

    @property
    def has_sandbox(self) -> bool:
        return bool(self.instance) and find_spec(f"sources.{self.name}.sandbox") is not None

    @property
    def kind(self) -> Kind:
        """The object that single cases are told with."""
        return self.kinds[0]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        assert self.has_sandbox, f"{self.name} has no sandbox in the demo company"
        found = kinds(self.keeps)
        return found if self.keeps == self.instance else tuple(one for one in found if one.table == found[0].table)

    def records(self) -> Records:
        return Records(self.keeps)


def discovered() -> list[Tool]:
    """Every vendor folder, each with the first of the demo's instances of it. A sandbox that shows another tool's people
    names that tool (`CRM`)."""
    first: dict[str, str] = {}
    for instance, owner in INSTANCE_VENDOR.items():
        first.setdefault(owner, instance)
    return [_tool(name, first) for name in vendors()]


def _tool(name: str, first: Mapping[str, str]) -> Tool:
    if name in first or find_spec(f"sources.{name}.sandbox") is None:
        return Tool(name, first.get(name, ""), first.get(name, ""))
    shown = importlib.import_module(f"sources.{name}.sandbox").CRM
    return Tool(name, name, first[shown])


@cache
def needed(tool: Tool) -> list[str] | None:
    """The streams that marked records are in, if they can be read without the others; else None, for all."""
    records = tool.records()
    for kind in tool.kinds:
        first, second, _ = records.add(kind, times=3)
        records.change(first, NOW + timedelta(hours=1))
        records.delete(second, NOW + timedelta(hours=1))
    with TemporaryDirectory() as folder, serving(tool, records, Path(folder)) as served:
        served.sync_all()
        found = {name for rows in served.found().values() for name, _ in rows}
        streams = [stream.name for stream in served.streams() if stream.name in found]
        try:
            served.later(days=14, hours=1)
            served.sync(streams)
            served.has_landed()
        except (AssertionError, TsunaguSourceError):
            return None
    return streams


@dataclass
class Served:
    """A served tool and the home that reads it."""

    tool: Tool
    records: Records
    company: Company
    mount: Mount
    home: Home
    drops: Path
    answers: list[str] = field(default_factory=list)
    """What was answered, where a layer listens."""
    chaos: Chaos = field(default_factory=lambda: Chaos((), 0))
    requests: list[tuple[str, str]] = field(default_factory=list)
    front: Any = None
    """What answers: the vendor's app, or the layer around it."""
    at_request: dict[int, Callable[[], None]] = field(default_factory=dict)
    """What happens before the n-th request (from 1) is answered."""
    secrets: set[str] = field(default_factory=set)
    """Tokens that were seen on the wire."""
    is_sound: bool = True
    """Raw was compared with the tool since the last run, and agreed."""
    fields: dict[str | int, str] = field(default_factory=dict)
    """Value -> the vendor's name of the field that has it."""
    at_drop: Callable[[Path], None] | None = None
    """What happens to each file that is put for reading."""
    _reading: Any = None

    @property
    def now(self) -> datetime:
        return self.company.now.replace(tzinfo=None)

    def later(self, **time_: float) -> datetime:
        """The company's clock and the home's go on; files are delivered anew."""
        self.company.advance(timedelta(**time_) / timedelta(days=1))  # type: ignore[arg-type]
        self.home.now = self.company.now
        self.deliver()
        return self.now

    def deliver(self) -> None:
        """Files are put anew."""
        self.mount.refresh()
        for file in sorted(self.drops.rglob("*")) if self.at_drop else ():
            if file.is_file() and self.at_drop:
                self.at_drop(file)

    def misbehave(self, *faults: Fault) -> Chaos:
        """From now on; requests are counted from here."""
        return self.be_in(Chaos(faults, 1))

    def be_in(self, chaos: Chaos) -> Chaos:
        """From now on this stands in front of the vendor's app."""
        self.has_wire()
        self.chaos = chaos
        self.front = self.chaos.in_front_of(self.tool.instance, self.app, self.mount.refusals)
        return self.chaos

    def field(self, value: str | int) -> str:
        """The name of the field that has this value, as the vendor's answers or files tell it."""
        if value not in self.fields:
            texts = [file.read_bytes().decode("cp932", "replace") for file in self.drops.rglob("*") if file.is_file()]
            names = {name for text in [*self.answers, *texts] for name in names_in(text, value)}
            assert names, f"no field has {value!r}"
            self.fields[value] = min(names)
        return self.fields[value]

    def change_field(self, change: Fields) -> None:
        """From now on the field is so."""
        if self.app is None:
            self.at_drop = change.file
            self.deliver()
        else:
            self.front = change.layer(self.app)

    def quarantined(self) -> set[int]:
        """The records of which a row is in quarantine."""
        rows = self.select("select q.* from quarantine as q join ledger.loads as l on q._dlt_load_id = l.load_id")
        keys = {key[1]: number for number, key in self.records.keys.items()}
        told = {int(number) for row in rows for number, _ in MARK.findall(texts(row))}
        return told | {keys[row["source_key"]] for row in rows if row["source_key"] in keys}

    def lay(self, layer: Callable[[Any], Any]) -> None:
        """Puts a layer around the app."""
        self.front = layer(self.app)

    def behave(self) -> None:
        """From now on the vendor's app answers itself, and files are as they were written."""
        self.front, self.at_drop = self.app, None

    @property
    def app(self) -> Any:
        """The vendor's app; a vendor of files has none."""
        return self.mount.apps.get(self.tool.instance)

    def sync(self, streams: list[str] | None = None) -> Any:
        """One run of the streams that the marked records are in, or of these."""
        chosen = streams or needed(self.tool)
        self.done_reading()
        self.is_sound = False
        return self.home.sync(streams=chosen)

    def sync_all(self) -> Any:
        """One run of every stream."""
        self.done_reading()
        return self.home.sync()

    def has_wire(self) -> None:
        assert self.app is not None, "it is read from files: there is no wire"

    # what raw has --------------------------------------------------------------------------------------------------
    def streams(self) -> tuple[Stream, ...]:
        """Those that raw has a table of."""
        from sources.config import Config

        vendor = self.tool.vendor
        every = vendor.streams_of(Config(self.home.instance, self.home.config)) if vendor.streams_of else vendor.streams
        there = {row["name"] for row in self.select("select name from (show tables)")}
        return tuple(stream for stream in every if stream.name in there)

    def found(self) -> dict[int, list[tuple[str, dict[str, Any]]]]:
        """Number -> (stream, row) of what raw says is alive, by the marks in the rows' texts."""
        found: dict[int, list[tuple[str, dict[str, Any]]]] = {}
        for stream in self.streams():
            if not stream.key or stream.deletes == "none":
                continue  # a log of what happened: what it once told of a record stays
            for row in self.latest(stream):
                for number in {int(number) for number, _ in MARK.findall(texts(row))}:
                    found.setdefault(number, []).append((stream.name, row))
        return found

    def latest(self, stream: Stream) -> list[dict[str, Any]]:
        """What is alive, as staging sees it: newest stamp first; a delete wins from its time on."""
        stamp = stream.cursor if stream.cursor else "null::timestamptz"
        keys = ", ".join(f'"{name}"' for name in stream.key)
        return self.select(
            f"with log as (select t.*, l.seq from {stream.name} as t join ledger.loads as l on t._dlt_load_id = l.load_id), "
            f"newest as (select *, {stamp} as stamp_ from log where not coalesce(_deleted, false) "
            f"qualify row_number() over (partition by {keys} order by stamp_ desc nulls last, seq desc, _seq desc) = 1), "
            f"stones as (select {keys}, max(_deleted_at) as at_, max(case when _deleted_at is null then seq end) as gone "
            f"from log where _deleted group by {keys}) "
            f"select n.* from newest as n left join stones as s using ({keys}) "
            "where not coalesce(s.at_ >= n.stamp_, false) and not coalesce(s.gone >= n.seq, false)"
        )

    def versions(self, stream: str) -> list[dict[str, Any]]:
        """Every committed version of a stream, in the order of landing."""
        return self.select(
            f"select t.* from {stream} as t join ledger.loads as l on t._dlt_load_id = l.load_id order by l.seq, _seq"
        )

    def select(self, query: str) -> list[dict[str, Any]]:
        import duckdb

        if self._reading is None:
            self._reading = duckdb.connect(str(self.home.raw_path), read_only=True)
            self._reading.execute("set TimeZone = 'UTC'")
        self._reading.execute(f"set schema = 'raw_{self.home.instance}'")
        cursor = self._reading.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def done_reading(self) -> None:
        """The file can be written again."""
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def wrong(self, now: datetime | None = None) -> dict[int, str]:
        """Record -> what is wrong with it in raw: lost, still there, there twice, or another version of it."""
        wanted, found = self.records.live(now or self.now), self.found()
        wrong = dict.fromkeys(set(wanted) - set(found), "lost")
        wrong |= dict.fromkeys(set(found) - set(wanted), "still there")
        for number in set(wanted) & set(found):
            streams = [name for name, _ in found[number]]
            shown = [texts(row) for _, row in found[number]]
            if len(streams) != len(set(streams)):
                wrong[number] = f"in {streams}"
            elif not all(wanted[number] in one for one in shown):
                wrong[number] = f"not {wanted[number]!r:.200} but {shown!r:.400}"
        return wrong

    def has_landed(self, now: datetime | None = None) -> None:
        """Raw shows what the tool holds, each record once, and no version of a record repeats the one before it."""
        wrong = self.wrong(now)
        assert not wrong, wrong
        self.has_no_repetition()
        self.is_sound = True

    def has_no_repetition(self) -> None:
        """No version of a record repeats the one before it."""
        for stream in self.streams():
            if stream.key:
                key = ", ".join(f't."{name}"' for name in stream.key)
                assert not self.select(
                    f"select {key} from {stream.name} as t join ledger.loads as l on t._dlt_load_id = l.load_id "
                    f"qualify t._hash = lag(t._hash) over (partition by {key} order by l.seq, t._seq)"
                ), stream.name


def texts(row: Mapping[str, Any]) -> str:
    """All texts of a row, a line each."""
    return "\n".join(value for value in row.values() if isinstance(value, str))


@contextmanager
def serving(tool: Tool, records: Records, folder: Path) -> Iterator[Served]:
    """The tool's sandbox on a loopback port, and an empty home."""
    assert tool.has_sandbox, f"{tool.name} has no sandbox in the demo company"
    company = records.company()
    options = SandboxOptions(lambda: company.now, folder / "drops")
    options.folder.mkdir(parents=True)
    mount: Mount = importlib.import_module(f"sources.{tool.name}.sandbox").mount(company, [tool.instance], options)
    mount.refresh()
    home = Home(folder / "home", tool.vendor, company.now.astimezone(UTC), instance=tool.instance)
    served = Served(tool, records, company, mount, home, options.folder)
    with _port(served) as base_url:
        line = mount.describe({tool.instance: base_url} if base_url else {})
        own = {**line, **line.get("files", {})}[tool.instance]
        home.config = {param.name: own[param.name] for param in tool.vendor.params if param.name in own}
        try:
            yield served
        finally:
            served.done_reading()


@contextmanager
def _port(served: Served) -> Iterator[str]:
    if served.app is None:
        yield ""
        return
    served.behave()

    async def around(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            served.requests.append((scope["method"], scope["path"]))
            served.secrets |= {v.decode().split()[-1] for k, v in scope["headers"] if k == b"authorization"}
            happens = served.at_request.pop(len(served.requests), None)
            if happens:
                happens()
        await served.front(scope, receive, send)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(around, log_level=QUIET, lifespan="off", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
