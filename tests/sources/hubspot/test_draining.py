"""A search gives 10,000 results a query: windows with more are drained, and no record is lost or asked for in vain.

The portal here is a list of (id, stamp) behind HubSpot's search rules; it is asked by the source's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.hubspot import records
from sources.hubspot.pace import Pace
from sources.hubspot.records import Records, ids_of, shape_of
from sources.hubspot.wire import SEARCH_PAGE, SEARCH_RESULTS, Wire, next_page
from sources.stream import Window

START = datetime(2026, 10, 1, tzinfo=UTC)
BASE = int(START.timestamp() * 1000)


class Portal:
    """Just enough of `Wire`: search with its cap, and the property definitions."""

    def __init__(self, stamps: Sequence[int], page: int, most: int) -> None:
        self.rows = sorted(enumerate(stamps, start=1), key=lambda row: row[1])
        self.page, self.most, self.requests = page, most, 0

    def properties(self, name: str) -> list[dict[str, Any]]:
        return [{"name": "hs_lastmodifieddate", "type": "datetime", "hubspotDefined": True}]

    def search(
        self, name: str, filters: Sequence[Mapping[str, str]], sort: str, properties: Sequence[str]
    ) -> Iterator[bytes]:
        found = [row for row in self.rows if all(self._fits(row, one) for one in filters)]
        found.sort(key=lambda row: row[0] if sort == "hs_object_id" else row[1])
        for start in range(0, max(len(found), 1), self.page):
            self.requests += 1
            page = found[start : start + self.page]
            body: dict[str, Any] = {"total": len(found), "results": [self._record(*row) for row in page]}
            if start + self.page < len(found):
                body["paging"] = {"next": {"after": str(start + self.page)}}
            yield orjson.dumps(body)
            if start + 2 * self.page > self.most:
                return

    @staticmethod
    def _fits(row: tuple[int, int], one: Mapping[str, str]) -> bool:
        value, operator = int(one["value"]), one["operator"]
        have = row[0] if one["propertyName"] == "hs_object_id" else BASE + row[1]
        return {"GTE": have >= value, "LTE": have <= value, "EQ": have == value, "GT": have > value}[operator]

    @staticmethod
    def _record(record: int, stamp: int) -> dict[str, Any]:
        text = (START + timedelta(milliseconds=stamp)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        properties = {"hs_lastmodifieddate": text}
        return {"id": str(record), "properties": properties, "createdAt": text, "updatedAt": text, "archived": False}

    def list(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield b'{"results":[]}'

    def batch_read(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(())


def drained(portal: Portal, until: int) -> list[int]:
    window = Window(START, START + timedelta(milliseconds=until))
    pages = Records(cast(Wire, portal)).read("companies", window)
    return [int(one) for batch in pages if hasattr(batch, "bodies") for body in batch.bodies for one in ids_of(body)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=0, max_size=80))
def test_every_record_of_the_window_is_found_however_the_stamps_crowd(stamps: list[int]) -> None:
    portal = Portal(stamps, page=3, most=9)
    inside = {record for record, stamp in portal.rows if stamp <= 10}
    assert set(drained(portal, 10)) == inside


def test_more_records_than_a_query_gives_in_one_millisecond_are_all_found() -> None:
    portal = Portal([5] * (SEARCH_RESULTS + 345) + [6, 7], SEARCH_PAGE, SEARCH_RESULTS)
    found = drained(portal, 10)
    assert len(set(found)) == SEARCH_RESULTS + 347


def test_a_window_of_twenty_five_thousand_records_costs_little_more_than_its_pages() -> None:
    portal = Portal([n // 3 for n in range(25_000)], SEARCH_PAGE, SEARCH_RESULTS)
    assert len(set(drained(portal, 10_000))) == 25_000
    assert portal.requests <= 25_000 / SEARCH_PAGE * 1.05


def test_ids_are_taken_from_records_only() -> None:
    record = {"id": "7", "properties": {"id": "8"}, "createdAt": "x"}
    assert ids_of(orjson.dumps({"results": [record]})) == ["7"]
    assert ids_of(b'{"results":[]}') == []


def test_the_last_page_has_no_following_one() -> None:
    assert next_page(b'{"results":[{"id":"1"}]}') is None
    assert (
        next_page(b'{"results":[{"id":"1"}],"paging":{"next":{"after":"2","link":"https://elsewhere.example"}}}') == "2"
    )


def test_a_custom_property_with_the_name_of_a_record_field_gets_a_name_of_its_own() -> None:
    shape = shape_of("deals", [{"name": "archived", "type": "string", "hubspotDefined": False}])
    assert shape.json.fields["property_archived"].path == ("properties", "archived")
    assert shape.json.fields["archived"].path == ("archived",)


def test_a_property_of_hubspots_that_staging_does_not_read_is_not_asked_for() -> None:
    definitions = [
        {"name": "hs_time_in_lead", "type": "number", "hubspotDefined": True},
        {"name": "contract_no", "type": "string", "hubspotDefined": False},
        {"name": "dealname", "type": "string", "hubspotDefined": True},
    ]
    assert shape_of("deals", definitions).properties == ("contract_no", "dealname")


def test_many_custom_properties_do_not_go_into_the_address() -> None:
    definitions = [{"name": f"custom_property_{n:04}", "type": "string", "hubspotDefined": False} for n in range(600)]
    assert not shape_of("deals", definitions).fits_address


@pytest.mark.parametrize(("search", "most", "seconds"), [(False, 190, 10.0), (True, 5, 1.0)])
def test_the_pace_never_sends_more_than_a_window_allows_and_wastes_little(
    search: bool, most: int, seconds: float
) -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], lambda pause: now.__setitem__(0, now[0] + pause))
    sent: list[float] = []
    for _ in range(3 * most):
        pace.wait(search=search)
        sent.append(now[0])
    assert all(later - earlier >= seconds for earlier, later in zip(sent, sent[most:], strict=False))
    assert now[0] <= 2 * seconds * 1.1


def test_the_pace_follows_the_accounts_own_limit() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], lambda pause: now.__setitem__(0, now[0] + pause))
    pace.learn({"X-HubSpot-RateLimit-Max": "2", "X-HubSpot-RateLimit-Interval-Milliseconds": "1000"})
    for _ in range(3):
        pace.wait(search=False)
    assert now[0] >= 1.0


def test_the_memory_of_archived_records_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_REMEMBERED", 1)
    window = Window(START, START + timedelta(milliseconds=5), {"archived": ["1"]})
    list(Records(cast(Wire, Portal([1], 3, 9))).read("companies", window))
    assert window.memory["archived"] == []


class Merged(Portal):
    """The first record has swallowed two others."""

    @staticmethod
    def _record(record: int, stamp: int) -> dict[str, Any]:
        found = Portal._record(record, stamp)
        if record == 1:
            found["properties"]["hs_merged_object_ids"] = "901;902"
        return found


def test_who_was_merged_away_is_still_told_when_the_window_was_cut_in_between() -> None:
    portal = cast(Wire, Merged([0, 1, 2, 3], page=2, most=10_000))
    memory: dict[str, Any] = {}
    end = START + timedelta(hours=1)
    pages = Records(portal).read("products", Window(START - timedelta(days=1), end, memory))
    next(pages), next(pages)  # the second is asked for, and not taken any more
    pages.close()  # type: ignore[attr-defined]
    *_, gone = Records(portal).read("products", Window(START + timedelta(milliseconds=1), end, memory))
    assert cast(Any, gone)["id"].to_pylist() == ["901", "902"]
    assert "merged" not in memory
