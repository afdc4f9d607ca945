"""Fixtures of the Marketo tests: the hand-made company, its subscription served, and the source run with plain dlt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from sources.demo.company import Company
from sources.extract import Notes, build_source
from sources.marketo import VENDOR
from sources.marketo.api import Marketo
from sources.marketo.wire import Wire
from sources.stream import Vendor, Window
from tests.sources.marketo.subscription import Served, hand_made_company, serving


@pytest.fixture
def company() -> Company:
    return hand_made_company()


@pytest.fixture
def served(company: Company, tmp_path: Path) -> Iterator[Served]:
    with serving(company, tmp_path) as running:
        yield running


@dataclass
class Loader:
    """Runs the source as anyone with dlt would, and reads what it loaded."""

    served: Served
    folder: Path
    settings: dict[str, Any] = field(default_factory=lambda: {"since": "2026-02-01"})
    slept: list[float] = field(default_factory=list)
    """Pauses that were asked for; none is taken."""

    def vendor(self) -> Vendor:
        """The vendor, with pauses noted instead of taken."""
        return replace(
            VENDOR, connect=lambda config, clock: Marketo(config, Wire(config, sleep=self.slept.append), clock)
        )

    def run(self, *, window: Window | None = None, streams: Sequence[str] | None = None) -> Notes:
        notes = Notes()
        pipeline = dlt.pipeline(
            "marketo",
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "raw.duckdb")),
            dataset_name="raw_marketo",
        )
        source = build_source(
            self.vendor(),
            "marketo",
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
    """SQL: the newest version of each key of a raw table."""
    key = ", ".join(VENDOR.stream(table).key)
    return (
        f"select * from raw_marketo.{table} qualify row_number() over (partition by {key}"
        " order by _dlt_load_id desc, _seq desc) = 1"
    )


@pytest.fixture
def loader(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Loader(served, tmp_path)
