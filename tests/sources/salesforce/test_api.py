"""The reader by itself, over answers written by hand: what must hold whatever an org answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
import pytest

from sources.arrow import Pages
from sources.config import Config
from sources.errors import BadAnswer
from sources.http import Http
from sources.salesforce import VENDOR
from sources.salesforce.api import SalesforceConnection
from sources.salesforce.bulk import QueryJobs
from sources.stream import Stream, Window

NOW = datetime(2026, 10, 30, 9, 0, 30, tzinfo=UTC)
ACCOUNT, MEMBER = VENDOR.stream("account"), VENDOR.stream("campaign_member")


@dataclass
class Answer:
    content: bytes


@dataclass
class FakeHttp:
    """Stands where the session stands: gives the answers of a function of (path, params)."""

    answers: Callable[[str, dict[str, str]], dict[str, Any]]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    config: Config = field(default_factory=lambda: Config("salesforce", {}))
    requests: int = 0

    def get(self, path: str, params: dict[str, str] | None = None) -> Answer:
        self.asked.append((path, params or {}))
        return Answer(orjson.dumps(self.answers(path, params or {})))


def connection(
    answers: Callable[[str, dict[str, str]], dict[str, Any]], longest: int = 12_000
) -> tuple[SalesforceConnection, FakeHttp]:
    http = FakeHttp(answers)
    base, http_ = "/services/data/v62.0", cast(Http, http)
    return SalesforceConnection(http_, lambda: NOW, base, longest, QueryJobs(http_, base, lambda _: None)), http


def described(*names: str) -> dict[str, Any]:
    kinds = {"Id": "id", "SystemModstamp": "datetime", "BillingAddress": "address", "Photo": "base64"}
    return {"fields": [{"name": name, "type": kinds.get(name, "string")} for name in names]}


def read(reader: SalesforceConnection, stream: Stream = ACCOUNT, window: Window | None = None) -> list[Pages]:
    return [cast(Pages, page) for page in reader.pages(stream, window or Window(None, NOW))]


def test_a_record_that_changes_between_two_parts_is_left_to_the_next_window() -> None:
    names = [f"Field{number}__c" for number in range(40)]

    def answers(path: str, params: dict[str, str]) -> dict[str, Any]:
        if path.endswith("/describe"):
            return described("Id", "SystemModstamp", *names)
        selected = params["q"].removeprefix("SELECT ").split(" FROM ")[0].split(",")
        later = "Id >= " in params["q"]
        rows = [{"Id": one, **{name: f"{one} {name}" for name in selected if name != "Id"}} for one in ("a", "b", "c")]
        for row in rows:
            row["SystemModstamp"] = "new" if row["Id"] == "b" and later else "old"
        return {"done": True, "records": [row for row in rows if not (later and row["Id"] == "c")]}

    reader, http = connection(answers, longest=500)
    (page,) = read(reader)
    rows = orjson.loads(page.bodies[0])["records"]
    assert [row["Id"] for row in rows] == ["a"], "b changed and c left the window in between"
    assert set(rows[0]) == {"Id", "SystemModstamp", *names}
    assert len(http.asked) > 3


def test_compound_and_binary_fields_are_not_asked_for() -> None:
    reader, http = connection(
        lambda path, _: (
            described("Id", "SystemModstamp", "BillingAddress", "Photo")
            if "describe" in path
            else {"done": True, "records": []}
        )
    )
    read(reader)
    assert http.asked[-1][1]["q"].startswith("SELECT Id,SystemModstamp FROM Account")


def test_two_names_that_become_one_column_are_both_kept() -> None:
    reader, _ = connection(
        lambda path, _: (
            described("Id", "SystemModstamp", "FooBar", "Foo_Bar")
            if "describe" in path
            else {"done": True, "records": [{}]}
        )
    )
    (page,) = read(reader)
    assert {name: column.path for name, column in page.shape.fields.items() if "foo" in name} == {
        "foo_bar": ("FooBar",),
        "foo_bar_2": ("Foo_Bar",),
    }


def test_a_page_that_ends_without_the_next_address_is_an_error_not_the_end() -> None:
    reader, _ = connection(
        lambda path, _: (
            described("Id", "SystemModstamp") if "describe" in path else {"done": False, "records": [{"Id": "a"}]}
        )
    )
    with pytest.raises(BadAnswer, match="names no next one"):
        read(reader)


def test_an_object_without_its_cursor_is_an_error_not_a_full_read() -> None:
    reader, _ = connection(lambda path, _: described("Id", "Name"))
    with pytest.raises(BadAnswer, match="system_modstamp"):
        read(reader)


def test_the_window_is_written_in_whole_seconds_open_at_its_start() -> None:
    reader, http = connection(
        lambda path, _: described("Id", "SystemModstamp") if "describe" in path else {"done": True, "records": []}
    )
    tokyo = NOW.astimezone().replace(microsecond=900_000)
    read(reader, window=Window(tokyo - timedelta(hours=1), tokyo))
    assert http.asked[-1][1]["q"].endswith(
        "WHERE SystemModstamp > 2026-10-30T08:00:30Z AND SystemModstamp <= 2026-10-30T09:00:30Z ORDER BY SystemModstamp"
    )


def test_the_feed_goes_on_from_where_it_says_it_came_to() -> None:
    covered = "2026-10-30T08:55:00.000+0000"
    reader, http = connection(lambda *_: {"deletedRecords": [], "latestDateCovered": covered})
    memory: dict[str, Any] = {}
    first = Window(None, NOW - timedelta(hours=2), memory)
    assert list(reader.deleted(MEMBER, first)) == [] and http.asked == []
    second = Window(NOW - timedelta(hours=2), NOW, memory)
    assert list(reader.deleted(MEMBER, second)) == []
    assert http.asked[-1][1] == {"start": "2026-10-30T07:00:00Z", "end": "2026-10-30T09:00:00Z"}
    assert datetime.fromisoformat(memory["deletions_until"]) == datetime(2026, 10, 30, 8, 55, tzinfo=UTC)
    list(reader.deleted(MEMBER, Window(NOW, NOW + timedelta(hours=1), memory)))
    assert http.asked[-1][1] == {"start": "2026-10-30T08:55:00Z", "end": "2026-10-30T10:00:00Z"}


def test_a_feed_of_less_than_two_minutes_is_not_asked() -> None:
    reader, http = connection(lambda *_: {})
    memory: dict[str, Any] = {"deletions_until": "2026-10-30T08:59:00+00:00"}
    assert list(reader.deleted(MEMBER, Window(NOW - timedelta(minutes=1), NOW, memory))) == []
    assert http.asked == [] and memory["deletions_until"] == "2026-10-30T08:59:00+00:00"
