"""A folder of drops with its mapping, read as deliveries or landed by plain dlt."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sources.files import VENDOR
from sources.files.drops import Drops
from sources.files.mapping import load_mapping
from sources.stream import Rejected, Stream, Window

NOW = datetime(2026, 10, 30, 9, tzinfo=UTC)


@dataclass
class Folder:
    """Drops of one instance; each file that is put is newer than the one before."""

    path: Path
    mapping: Path
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    clock: datetime = NOW
    _tick: int = 0

    def map(self, streams: str) -> None:
        self.mapping.write_text(f"streams:\n{streams}", encoding="utf-8")

    def put(self, name: str, content: str | bytes) -> None:
        target = self.path / name
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        self._tick += 1
        os.utime(target, (1_700_000_000 + self._tick, 1_700_000_000 + self._tick))

    def connection(self) -> Drops:
        return Drops(self.path, load_mapping(self.mapping), lambda: self.clock)

    def stream(self, name: str) -> Stream:
        assert VENDOR.streams_of
        from sources.config import Config

        config = Config("shop", {"folder": str(self.path), "mapping": str(self.mapping)})
        return next(stream for stream in VENDOR.streams_of(config) if stream.name == name)

    def read(self, name: str = "account", *, backfill: bool = False) -> tuple[list[dict[str, Any]], list[Rejected]]:
        """What one run reads: its rows and its rejected rows."""
        self.clock += timedelta(days=1)
        window = Window(None, self.clock, self.memory.setdefault(name, {}), backfill)
        connection = self.connection()
        batches = list(connection.pages(self.stream(name), window))
        connection.close()
        rows = [row for batch in batches if isinstance(batch, pa.Table) for row in batch.to_pylist()]
        return rows, [batch for batch in batches if isinstance(batch, Rejected)]

    def keys(self, name: str = "account") -> list[str]:
        connection = self.connection()
        found = [key for table in connection.ids(self.stream(name)) for key in table["id"].to_pylist()]
        connection.close()
        return sorted(found)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "drops").mkdir()
    made = Folder(tmp_path / "drops", tmp_path / "mapping.yaml")
    made.map("  - {entity: account, files: accounts*.csv, key: id, columns: {name: name, employee_count: size}}\n")
    return made


@pytest.fixture
def land(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Folder], Any]]:
    """Lands what a folder has by dlt alone, as a source runs without the product around it; gives a DuckDB connection."""
    import dlt
    import duckdb

    from sources.extract import build_source

    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    opened: list[duckdb.DuckDBPyConnection] = []

    def landed(folder: Folder) -> duckdb.DuckDBPyConnection:
        for connection in opened:
            connection.close()
        opened.clear()
        pipeline = dlt.pipeline(
            "shop",
            pipelines_dir=str(tmp_path / "pipelines"),
            destination=dlt.destinations.duckdb(str(tmp_path / "raw.duckdb")),
            dataset_name="raw_shop",
        )
        folder.clock += timedelta(days=1)
        given = {"folder": str(folder.path), "mapping": str(folder.mapping)}
        source = build_source(VENDOR, "shop", clock=lambda: folder.clock, config=given)
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load()
        opened.append(duckdb.connect(str(tmp_path / "raw.duckdb"), read_only=True))
        return opened[0]

    yield landed
    for connection in opened:
        connection.close()
