"""Long first loads and backfills land window by window, so that a failure costs one window; short ones stay whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration import syncs
from sources.stream import Window
from tests.faults.home import Home
from tests.faults.tool import START, TOOL

ROWS = 50


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Fifty records, one a day; a window is cut after ten, at the end of a page of two."""
    monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)
    vendor = replace(TOOL, streams=tuple(replace(s, window_rows=10) for s in TOOL.streams))
    home = Home(tmp_path, vendor, config={"page": "2", "asked_log": str(tmp_path / "asked"), "goes_on": "cursor"})
    for number in range(ROWS):
        home.store.put(stamp(number), "Fed", {"id": f"{number:02}", "name": "a"})
    return home


def stamp(number: int) -> datetime:
    return START - timedelta(days=ROWS + 1) + timedelta(days=number)


def asked(home: Home) -> list[str]:
    """The records of the stream that were asked for since the last look."""
    log = home.folder / "asked"
    lines = log.read_text().split("\n") if log.exists() else []
    log.unlink(missing_ok=True)
    return [line.removeprefix("fed ") for line in lines if line.startswith("fed ")]


def landed(home: Home) -> list[int]:
    """Rows of each load, in the order of landing."""
    rows = home.rows(
        "select count(t.id) from ledger.loads as l left join fed as t on t._dlt_load_id = l.load_id "
        "group by l.seq order by l.seq"
    )
    return [count for (count,) in rows]


def state(home: Home) -> dict[str, Any]:
    import dlt

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home.folder)
        pipeline = dlt.attach("tool", pipelines_dir=str(home.pipelines_dir))
        return pipeline.state["sources"]["tool"]["resources"]["fed"]


def test_a_long_first_load_lands_in_windows_and_loses_and_doubles_nothing(home: Home) -> None:
    report = home.sync(streams=["fed"])
    assert report.rows["fed"] == ROWS
    assert len(report.loads) == len(landed(home)) >= 5
    assert len(home.versions("fed")) == ROWS
    assert {"is_cut", "listing"}.isdisjoint(state(home))
    assert datetime.fromisoformat(state(home)["until"]) == home.now - timedelta(minutes=5)


@contextmanager
def breaks_in_window(number: int) -> Iterator[None]:
    """The line breaks while that window is read."""
    extract = syncs._extract
    windows: list[int] = []

    def some_break(*more: Any) -> None:
        windows.append(1)
        if len(windows) == number:
            raise RuntimeError("the line broke")
        extract(*more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncs, "_extract", some_break)
        with pytest.raises(RuntimeError, match="the line broke"):
            yield


@pytest.mark.parametrize("goes_on", ["cursor", "memory"])
def test_a_failure_in_the_third_window_costs_that_window_only(home: Home, goes_on: str) -> None:
    look_back = timedelta(days=3)  # is for what appears late; behind a cut nothing does
    home.vendor = replace(TOOL, streams=tuple(replace(s, window_rows=10, lookback=look_back) for s in TOOL.streams))
    with breaks_in_window(3):
        home.sync(streams=["fed"], goes_on=goes_on)
    there = {key for key, *_ in home.versions("fed")}
    assert 18 <= len(there) <= 24
    asked(home)
    home.later(hours=1)
    report = home.sync(streams=["fed"], goes_on=goes_on)
    assert len(there.intersection(asked(home))) <= 2, "the last stamp, or page, of the window that had landed"
    assert len(home.versions("fed")) == ROWS
    assert len(report.loads) >= 3


def test_after_a_first_load_in_windows_the_next_run_reads_what_is_new(home: Home) -> None:
    home.sync(streams=["fed"])
    asked(home)
    home.store.put(home.later(minutes=10), "Fed", {"id": "00", "name": "b"})
    home.later(minutes=10)
    report = home.sync(streams=["fed"])
    assert asked(home) == ["00"]
    assert (report.rows["fed"], len(report.loads)) == (1, 1)


def test_a_first_listing_in_windows_reads_what_changed_meanwhile_once_it_is_complete(home: Home) -> None:
    """A record that was listed in the first window and changes during the third is read by the next run."""
    with breaks_in_window(3):
        home.sync(streams=["fed"], goes_on="memory")
    home.store.put(home.later(hours=2), "Fed", {"id": "00", "name": "b"})
    home.later(hours=2)
    home.sync(streams=["fed"], goes_on="memory")
    home.sync(streams=["fed"], goes_on="nothing")
    assert home.latest("fed")["00"] == "b"
    assert len(home.latest("fed")) == ROWS


def test_windows_as_short_as_a_page_end_too(home: Home) -> None:
    """A part whose place was not noted yet when it was cut would be read again for ever."""
    home.vendor = replace(TOOL, streams=tuple(replace(s, window_rows=1) for s in TOOL.streams))
    report = home.sync(streams=["fed"], goes_on="memory", page="10")
    assert len(home.versions("fed")) == ROWS
    assert len(report.loads) <= ROWS // 10 + 1


def test_a_short_load_and_one_that_cannot_go_on_stay_in_one_window(home: Home) -> None:
    report = home.sync(streams=["fed"], goes_on="nothing")
    assert (report.rows["fed"], len(report.loads)) == (ROWS, 1)


def test_streams_that_are_complete_are_not_read_again_with_the_windows_of_another(home: Home) -> None:
    home.store.put(START - timedelta(days=1), "Whole", {"id": "1", "name": "a"})
    report = home.sync()
    assert report.rows["whole"] == 1
    assert report.unchanged["whole"] == 0
    assert home.rows("select count(*) from vendor_count where stream = 'fed'") == [(1,)], "counted when all was read"
    home.check()


def test_many_records_of_one_stamp_stay_in_one_window(home: Home) -> None:
    home.store.put_all(stamp(20), "Fed", [{"id": f"same{n}", "name": "a"} for n in range(35)])
    home.sync(streams=["fed"])
    assert len(home.versions("fed")) == ROWS + 35
    assert sum(landed(home)) == ROWS + 35


def test_what_lies_within_the_look_back_is_read_in_one_piece(home: Home) -> None:
    """Cut there, rows that appear late with an older stamp would be passed over."""
    recent = home.now - timedelta(minutes=30)
    home.store.put_all(recent, "Fed", [{"id": f"new{n}", "name": "a"} for n in range(15)])
    home.store.put_all(recent + timedelta(minutes=1), "Fed", [{"id": f"newer{n}", "name": "a"} for n in range(15)])
    home.sync(streams=["fed"])
    assert landed(home)[-1] >= 30


def test_rows_without_a_key_are_never_cut(home: Home) -> None:
    report = home.sync(streams=["journal"])
    assert (report.rows["journal"], len(report.loads)) == (ROWS, 1)


def test_a_long_backfill_lands_in_windows_goes_on_after_a_failure_and_moves_no_forward_state(home: Home) -> None:
    home.sync(streams=["fed"], goes_on="nothing")
    before = state(home)
    backfill = Window(stamp(0) - timedelta(days=1), stamp(ROWS), backfill=True)
    for number in range(ROWS):
        home.store.put(stamp(number) + timedelta(hours=1), "Fed", {"id": f"{number:02}", "name": "b"})
    asked(home)
    with breaks_in_window(3):
        home.sync(window=backfill, streams=["fed"])
    done = len([1 for _, name, _ in home.versions("fed") if name == "b"])
    asked(home)
    report = home.sync(window=backfill, streams=["fed"])
    assert len(set(asked(home))) <= ROWS - done + 2
    assert len(report.loads) >= 2
    assert set(home.latest("fed").values()) == {"b"}
    assert state(home) == before, "neither forward state nor a place of the backfill is left"


def test_a_backfill_of_another_window_begins_at_its_own_beginning(home: Home) -> None:
    home.sync(streams=["fed"], goes_on="nothing")
    with breaks_in_window(3):
        home.sync(window=Window(stamp(0), stamp(ROWS), backfill=True), streams=["fed"])
    asked(home)
    home.sync(window=Window(stamp(5), stamp(9), backfill=True), streams=["fed"])
    assert sorted(set(asked(home))) == ["06", "07", "08", "09"]
