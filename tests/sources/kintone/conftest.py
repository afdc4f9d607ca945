"""Fixtures of the kintone tests: the hand-made company, its domain served, and the source run with plain dlt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.demo.company import Company
from sources.extract import build_source
from sources.kintone import MAPPING, VENDOR
from sources.kintone.api import Kintone
from sources.kintone.mapping import load_mapping
from sources.kintone.wire import Wire
from sources.notes import Notes
from sources.stream import Vendor, Window
from tests.sources.kintone.domain import Served, hand_made_company, serving


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
    settings: dict[str, Any] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    """Pauses that were asked for; none is taken."""
    clock: datetime | None = None
    window_rows: int | None = None

    def vendor(self) -> Vendor:
        """The vendor, with pauses noted instead of taken."""

        def connect(config: Any, clock: Any) -> Kintone:
            mapping = load_mapping(Path(config["mapping"]) if "mapping" in config else MAPPING)
            return Kintone(config, mapping, Wire(config, sleep=self.slept.append), clock)

        if self.window_rows is None:
            return replace(VENDOR, connect=connect)
        rows, streams_of = self.window_rows, VENDOR.streams_of
        assert streams_of is not None
        return replace(
            VENDOR,
            connect=connect,
            streams_of=lambda config: tuple(replace(one, window_rows=rows) for one in streams_of(config)),
        )

    def run(self, *, window: Window | None = None, streams: Sequence[str] | None = None) -> Notes:
        notes = Notes()
        pipeline = dlt.pipeline(
            "kintone",
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "raw.duckdb")),
            dataset_name="raw_kintone",
        )
        source = build_source(
            self.vendor(),
            "kintone",
            clock=lambda: self.clock or self.served.company.now,
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


def cause(loader: Loader) -> BaseException:
    """Why the first stream that failed did; a run of which nothing could be read fails as a whole."""
    try:
        return next(iter(loader.run().failed.values()))
    except PipelineStepFailed as problem:
        found: BaseException = problem
        while found.__cause__ is not None:
            found = found.__cause__
        return found


def newest(table: str) -> str:
    """SQL: the newest version of each key of a raw table."""
    key = ", ".join(VENDOR.stream(table).key)
    return (
        f"select * from raw_kintone.{table} qualify row_number() over (partition by {key}"
        " order by _dlt_load_id desc, _seq desc) = 1"
    )


@pytest.fixture
def loader(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Loader(served, tmp_path)
