"""A Pipedrive account over the small demo company, served on loopback, and the source run over it as anyone with dlt would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import dlt
import duckdb
import uvicorn

from sources.demo.company import Company
from sources.demo.mounting import SandboxOptions
from sources.extract import Notes, build_source
from sources.pipedrive import VENDOR
from sources.pipedrive.sandbox import mount
from sources.pipedrive.sandbox.rest import AccountOptions
from sources.stream import Window


@dataclass
class Served:
    """A served account: its part of the JSON line, what is behind it, and the requests seen (path, query)."""

    company: Company
    options: AccountOptions
    seen: list[tuple[str, str]]
    mounted: Any
    address: str

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.mounted.describe({"pipedrive": self.address})["pipedrive"])

    def expected(self) -> dict[str, int]:
        """Live items of each kind as of the company's clock."""
        return self.mounted.describe({"pipedrive": self.address})["expected"]["pipedrive"]


@contextmanager
def serving(company: Company, folder: Path, options: AccountOptions, **switches: Any) -> Iterator[Served]:
    """Serves the account on a loopback port until the block ends."""
    general = SandboxOptions(now=lambda: company.now, folder=folder, **switches)
    mounted = mount(company, ["pipedrive"], general, options)
    seen: list[tuple[str, str]] = []
    app = mounted.apps["pipedrive"]

    async def counting(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append((scope["path"], scope["query_string"].decode()))
        await app(dict(scope), receive, send)

    server = uvicorn.Server(uvicorn.Config(counting, port=0, log_level="warning", lifespan="off"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            sleep(0.01)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield Served(company, options, seen, mounted, address)
    finally:
        server.should_exit = True
        thread.join(5)


@dataclass
class Loader:
    """Runs the source with plain dlt, and reads what it loaded."""

    served: Served
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict[str, Any])

    def run(self, *, window: Window | None = None, streams: Sequence[str] | None = None) -> Notes:
        notes = Notes()
        pipeline = dlt.pipeline(
            "pipedrive",
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "raw.duckdb")),
            dataset_name="raw_pipedrive",
        )
        source = build_source(
            VENDOR,
            "pipedrive",
            clock=lambda: self.served.company.now,
            config={**self.served.config, **self.settings},
            notes=notes,
            window=window,
            streams=streams,
        )
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load()
        return notes

    def rows(self, sql: str) -> list[Any]:
        with duckdb.connect(str(self.folder / "raw.duckdb"), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(sql).fetchall()

    def live(self, table: str) -> int:
        """Rows that are there, by the newest version of each key."""
        return int(self.rows(f"select count(*) from ({newest(table)}) where not _deleted")[0][0])


def newest(table: str) -> str:
    """SQL: the newest version of each record of a raw table."""
    return (
        f"select * from raw_pipedrive.{table}"
        " qualify row_number() over (partition by id order by _dlt_load_id desc, _seq desc) = 1"
    )
