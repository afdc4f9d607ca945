"""The loop without a warehouse: windows, the order of rows, their alignment, and a source alone with plain dlt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.config import Config, read_config
from sources.errors import ConfigurationError
from sources.extract import _Run, build_source
from sources.notes import Notes
from sources.stream import Clock, Connection, Param, Stream, Vendor, Window, load_vendor, vendors
from sources.tables import ROW_GROUP, aligned

NOW = datetime(2026, 5, 1, tzinfo=UTC)
STREAM = Stream("things", "Thing", ("id",), {"id": "text"}, cursor="at", lookback=timedelta(hours=2))
WHOLE = Stream("whole", "Whole", ("id",), {"id": "text"})


class Nothing(Connection):
    def __init__(self, config: Config, clock: Clock) -> None:
        self.config = config

    def pages(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
        yield pa.table({"id": ["1", "2"], "extra": [1, 2]})


VENDOR = Vendor("plain", "Plain", (STREAM, WHOLE), Nothing, params=(Param("token", "a token", secret=True),))


def run(window: Window | None = None, now: datetime = NOW) -> _Run:
    return _Run(VENDOR, "plain", lambda: now, window, {"token": "t"}, Notes())


def test_the_first_window_begins_at_the_beginning_and_ends_before_now_by_the_lag() -> None:
    assert run().window(STREAM, {}) == Window(None, NOW - timedelta(minutes=5))


def test_the_next_window_begins_where_the_last_ended_less_the_look_back() -> None:
    until = NOW - timedelta(days=1)
    assert run().window(STREAM, {"until": until.isoformat()}).start == until - timedelta(hours=2)


def test_a_clock_that_was_set_back_does_not_move_the_state_back() -> None:
    until = NOW + timedelta(days=1)
    assert run().window(STREAM, {"until": until.isoformat()}).end == until


def test_a_stream_without_a_cursor_is_read_whole_every_time() -> None:
    assert run().window(WHOLE, {"until": NOW.isoformat()}).start is None


def test_a_backfill_reads_its_window_and_leaves_the_memory_of_the_forward_runs_alone() -> None:
    state: dict[str, Any] = {"until": NOW.isoformat(), "memory": {"a": 1}}
    window = run(Window(None, NOW - timedelta(days=9))).window(STREAM, state)
    assert (window.end, window.backfill) == (NOW - timedelta(days=9), True)
    window.memory["a"] = 2
    assert state["memory"] == {"a": 1}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 25_000), max_size=8))
def test_tables_come_in_multiples_of_a_row_group_and_in_order(sizes: list[int]) -> None:
    first = 0
    tables: list[pa.Table] = []
    for size in sizes:
        tables.append(pa.table({"n": pa.array(range(first, first + size), pa.int64())}))
        first += size
    given = [table for table in tables if table.num_rows]
    got = list(aligned(iter(given)))
    assert all(table.num_rows % ROW_GROUP == 0 for table in got[:-1])
    assert [n for table in got for n in table["n"].to_pylist()] == list(range(first))


def test_a_source_runs_alone_with_plain_dlt(tmp_path: Path) -> None:
    import dlt

    pipeline = dlt.pipeline(
        "plain",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.duckdb(str(tmp_path / "plain.duckdb")),
        dataset_name="raw_plain",
    )
    notes = Notes()
    pipeline.run(build_source(VENDOR, "plain", clock=lambda: NOW, config={"token": "t"}, notes=notes))
    with pipeline.sql_client() as client:
        rows = client.execute_sql("select id, extra, _seq, _deleted from things order by _seq")
    assert rows == [("1", 1, 1, False), ("2", 2, 2, False)]
    assert notes.rows == {"things": 2, "whole": 2}


@pytest.mark.parametrize("mode", ["round_robin", "fifo"])
def test_streams_are_read_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    import dlt

    asked: list[str] = []

    class Slow(Nothing):
        def pages(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
            for _ in range(3):
                asked.append(stream.name)
                yield pa.table({"id": [str(n) for n in range(ROW_GROUP)]})

    monkeypatch.setenv("EXTRACT__NEXT_ITEM_MODE", mode)
    vendor = Vendor("plain", "Plain", (STREAM, WHOLE), Slow)
    pipeline = dlt.pipeline("slow", pipelines_dir=str(tmp_path), destination="duckdb")
    pipeline.extract(build_source(vendor, "plain", clock=lambda: NOW, config={}), loader_file_format="parquet")
    assert asked == ["things"] * 3 + ["whole"] * 3


def test_building_a_source_asks_for_no_credential_and_sends_no_request() -> None:
    source = build_source(VENDOR, "plain", clock=lambda: NOW)
    assert {"things", "whole", "quarantine", "vendor_count"} <= set(source.resources)


def test_an_unknown_stream_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r"no stream 'thingz'.*things, whole"):
        build_source(VENDOR, "plain", clock=lambda: NOW, streams=["thingz"])


def test_a_missing_setting_is_named_as_a_person_would_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCES__PLAIN__TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match="SOURCES__PLAIN__TOKEN"):
        read_config(VENDOR.params, "plain")
    monkeypatch.setenv("SOURCES__PLAIN__TOKEN", "from-the-environment")
    assert read_config(VENDOR.params, "plain")["token"] == "from-the-environment"


def test_settings_are_never_shown() -> None:
    assert "hunter2" not in repr(Config("plain", {"token": "hunter2"}, ("token",)))


def test_an_unknown_vendor_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="salesforce"):
        load_vendor("salesfarce")
    assert {"salesforce", "hubspot"} <= set(vendors())
