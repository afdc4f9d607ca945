"""What happens to records while they are read: nothing is lost, nothing is doubled."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.contract.conftest import Serve
from tests.contract.layers import Hollow, Meanwhile, Reversed, changed, escaped
from tests.contract.small_company import BORN, NOW
from tests.contract.tools import Served, Tool
from tests.contract.worlds import TEXTS, Worlds

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_a_first_and_a_second_load(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for kind in tool.kinds:
        first, second, _ = records.add(kind, times=3)
        records.change(first, NOW - 2 * DAY)
        records.change(second, NOW + HOUR)
        records.add(kind, NOW + 2 * HOUR)
    served = serve(tool, records)
    served.sync_all()
    served.has_landed()
    served.later(days=1)
    served.sync_all()
    served.has_landed()
    assert not [n for n, rows in served.found().items() if not rows]


def test_a_record_at_the_boundary(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    streams = tool.vendor.streams
    edges = {NOW - stream.lag for stream in streams} | {NOW - stream.lag - stream.lookback for stream in streams}
    for kind in tool.kinds:
        for edge in sorted(edges):
            for beside in (-SECOND, timedelta(0), SECOND):
                if edge + beside <= NOW:
                    records.add(kind, edge + beside)
    served = serve(tool, records)
    served.sync()
    served.later(minutes=10)
    served.sync()
    served.has_landed(NOW)


def test_a_late_commit(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for kind in tool.kinds:
        records.add(kind)
    served = serve(tool, records)
    served.sync()
    reach = min((s.lag + s.lookback for s in tool.vendor.streams if s.cursor and s.deletes != "none"), default=HOUR)
    noted = len(records.rows)
    for kind in tool.kinds:
        records.add(kind, NOW - reach + MINUTE)
    records.insert(served.company, noted)
    served.later(minutes=30)
    served.sync()
    served.has_landed()


def test_delete(tool: Tool, worlds: Worlds) -> None:
    worlds.story(tool).check("delete")


def test_merge(tool: Tool, worlds: Worlds) -> None:
    worlds.story(tool).check("merge")


def test_a_chain_of_merges(tool: Tool, worlds: Worlds) -> None:
    worlds.story(tool).check("chain")


def test_undelete(tool: Tool, worlds: Worlds) -> None:
    worlds.story(tool).check("undelete")


@pytest.mark.parametrize("text", TEXTS)
def test_text(tool: Tool, worlds: Worlds, text: str) -> None:
    worlds.story(tool).check(text)


def test_surrogate_pairs_in_json(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for kind in tool.kinds:
        records.add_text(kind, TEXTS["emoji"] + TEXTS["4-byte kanji"])
    served = serve(tool, records)
    served.has_wire()
    served.lay(changed(escaped))
    served.sync()
    served.has_landed()


def test_a_nul(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for kind in tool.kinds:
        records.add_text(kind, "before\0after")
        records.add(kind)
    served = serve(tool, records)
    served.sync()
    served.has_landed()


def test_one_row_at_an_instant(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    records.add(tool.kind)
    served = serve(tool, records)
    served.sync()
    served.has_landed()


def test_10_001_rows_at_an_instant(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    records.add(tool.kind, times=10_001)
    served = serve(tool, records)
    served.sync()
    served.has_landed()


def test_an_empty_object(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for kind in tool.kinds:
        records.add(kind, NOW + HOUR)
    served = serve(tool, records)
    served.sync()
    served.has_landed()
    assert not served.found()
    served.later(days=1)
    served.sync()
    served.has_landed()


def test_a_column_of_nulls_only(tool: Tool, serve: Serve) -> None:
    from sources.demo.tables import COMMON, TABLES

    records = tool.records()
    for kind in tool.kinds:
        own = {name: None for name in TABLES[kind.table].names if name not in COMMON and name != kind.column}
        records.add(kind, times=2, **own)
    served = serve(tool, records)
    served.sync()
    served.has_landed()


def many(tool: Tool, serve: Serve, rows: int) -> Served:
    """A tool with so many records of one kind, a second apart."""
    records = tool.records()
    for place in range(rows):
        records.add(tool.kind, BORN + place * SECOND)
    return serve(tool, records)


def test_an_out_of_order_page(tool: Tool, serve: Serve) -> None:
    served = many(tool, serve, 250)
    served.has_wire()
    reversing = Reversed()
    served.lay(changed(reversing))
    served.sync()
    assert reversing.pages
    served.has_landed()


def test_a_page_of_zero_rows_with_more_to_come(tool: Tool, serve: Serve) -> None:
    served = many(tool, serve, 2_100)
    served.has_wire()
    hollow = Hollow()
    served.lay(changed(hollow))
    served.sync()
    assert hollow.state == "given", hollow.state
    served.has_landed()


def test_a_record_changed_while_paging(tool: Tool, serve: Serve) -> None:
    records = tool.records()
    for place in range(2_100):
        records.add(tool.kind, BORN + place * SECOND)
    for number in (1, 2, 1_050, 2_099, 2_100):
        records.change(number, NOW + 30 * SECOND)
    records.add(tool.kind, NOW + 30 * SECOND)
    served = serve(tool, records)
    served.has_wire()
    while_paging = Meanwhile(lambda: served.company.advance(MINUTE / DAY))
    served.lay(changed(while_paging))
    served.sync()
    assert while_paging.happens is None
    served.later(hours=1)
    served.sync()
    served.has_landed()


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin"])
def test_time_zones_and_daylight_saving(tool: Tool, serve: Serve, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    edges = [datetime(2026, 3, 8, 7), datetime(2025, 11, 2, 6), datetime(2026, 3, 29, 1), datetime(2025, 10, 26, 1)]
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        records = tool.records()
        born = {}
        for edge in edges:
            for minutes in (-90, -30, 0, 30, 90):
                at = edge + minutes * MINUTE
                for kind in tool.kinds:
                    born |= dict.fromkeys(records.add(kind, at), at)
        served = serve(tool, records)
        served.sync()
        served.has_landed()
        for number, rows in served.found().items():
            for stream, row in rows:
                shown = {v.replace(tzinfo=None) for v in row.values() if isinstance(v, datetime)}
                assert any(abs(one - born[number]) < MINUTE for one in shown), (stream, born[number], shown)
    finally:
        monkeypatch.undo()
        time.tzset()
