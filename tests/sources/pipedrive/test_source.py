"""The Pipedrive source with plain dlt into a DuckDB of the test's own: what is loaded, and with which requests."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qs

import pytest

from sources.demo.company import Company
from sources.errors import CredentialsRejected, QuotaExhausted
from sources.extract import build_source
from sources.http import Http
from sources.pipedrive import STREAMS, VENDOR
from sources.pipedrive.sandbox.rest import OVER_LIMIT, AccountOptions
from tests.sources.pipedrive.account import Loader, Served, newest

WINDOWED = ("organizations", "persons", "deals", "activities")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts are noted, not taken."""
    taken: list[float] = []
    begin = Http.__init__

    def quick(self: Http, *args: object, **more: object) -> None:
        begin(self, *args, **{**more, "sleep": taken.append})  # type: ignore[arg-type]

    monkeypatch.setattr(Http, "__init__", quick)
    return taken


def root_of(problem: BaseException) -> BaseException:
    while problem.__cause__ is not None:
        problem = problem.__cause__
    return problem


def test_every_item_of_every_page_is_loaded_once_with_its_type(loader: Loader, served: Served) -> None:
    loader.run()
    for name, count in served.expected().items():
        assert loader.live(name) == count, name
        assert loader.rows(f"select count(*), count(distinct id) from raw_pipedrive.{name}") != [(0, 0)]
    pages = Counter(path for path, query in served.seen if "limit=500" in query)
    assert pages["/api/v2/activities"] > 2 * served.expected()["activities"] // 500, "the listing and its sweep"
    types = dict(
        loader.rows(
            "select table_name || '.' || column_name, data_type from duckdb_columns() where schema_name = 'raw_pipedrive'"
        )
    )
    for stream in STREAMS:
        assert {types[f"{stream.name}.{column}"] for column, kind in stream.columns.items() if kind == "text"} <= {
            "VARCHAR"
        }
    assert types["deals.value"].startswith("DECIMAL") and types["deals.update_time"] == "TIMESTAMP WITH TIME ZONE"
    archived = loader.rows(f"select count(*) from ({newest('deals')}) where is_archived = 'true'")
    assert archived[0][0] > 10, "archived deals have a listing of their own"
    assert loader.rows("select count(*) from raw_pipedrive.deal_fields where length(field_code) = 40") == [(1,)]
    assert loader.rows("select country, locality is not null from raw_pipedrive.organizations limit 1") == [
        ("JP", True)
    ]


def test_the_next_run_asks_for_what_changed_since_and_finds_it(
    loader: Loader, served: Served, company: Company
) -> None:
    loader.run()
    before = {name: loader.rows(f"select count(*) from raw_pipedrive.{name}")[0][0] for name in WINDOWED}
    served.seen.clear()
    company.advance(3)
    loader.run(streams=WINDOWED)
    for name in WINDOWED:  # what is gone without a word is told by the sweeps: test_deletes.py
        assert loader.live(name) >= served.expected()[name], name
        assert (
            loader.rows(f"select max(update_time) from raw_pipedrive.{name}")
            == company.cursor()
            .execute(
                f"select max(update_time) at time zone 'UTC' from account_pipedrive.{name} where not is_deleted"
                " and update_time <= (select now - interval 5 minute from company.clock)"
            )
            .fetchall()
        ), name
        added = loader.rows(f"select count(*) from raw_pipedrive.{name}")[0][0] - before[name]
        assert 0 < added < before[name] / 5, name
    asked = [parse_qs(query) for path, query in served.seen if "updated_since" in query]
    assert {path.rsplit("/", 1)[1] for path, query in served.seen if "updated_since" in query} == {
        *WINDOWED,
        "archived",
    }
    assert all(one["sort_by"] == ["update_time"] and "updated_until" in one for one in asked)


def test_a_wrong_token_is_refused_and_the_message_names_the_setting_and_not_the_token(served: Served) -> None:
    config = {**served.config, "api_token": "not-the-token"}
    with pytest.raises(Exception) as caught:
        for stream in build_source(
            VENDOR, "pipedrive", clock=lambda: served.company.now, config=config
        ).resources.values():
            list(stream)
    refused = root_of(caught.value)
    assert isinstance(refused, CredentialsRejected), refused
    assert "SOURCES__PIPEDRIVE__API_TOKEN" in str(refused) and "unauthorized access" in str(refused)
    assert "not-the-token" not in str(refused)


def test_a_refusal_for_too_many_requests_is_waited_out(loader: Loader, served: Served, pauses: list[float]) -> None:
    served.options.refusals.extend([(429, OVER_LIMIT)] * 3)
    loader.run(streams=["stages"])
    assert loader.live("stages") == served.expected()["stages"]
    assert len(pauses) == 3 and pauses == sorted(pauses)


def test_a_client_that_was_blocked_for_its_traffic_waits_and_leaves_no_stream_out(
    loader: Loader, served: Served, pauses: list[float]
) -> None:
    served.options.refusals.append((403, "<html><title>Access denied | Cloudflare</title></html>"))
    notes = loader.run(streams=["stages"])
    assert not notes.skipped and len(pauses) == 1
    assert loader.live("stages") == served.expected()["stages"]


def test_tokens_that_are_used_up_stop_the_run_with_words(served: Served, loader: Loader, pauses: list[float]) -> None:
    served.options.tokens = 0
    with pytest.raises(Exception) as caught:
        loader.run(streams=["stages"])
    assert isinstance(root_of(caught.value), QuotaExhausted)
    assert sum(pauses) <= 1000


@pytest.mark.parametrize("options", [AccountOptions(refused=frozenset({"v2/products"}))])
def test_what_the_user_may_not_see_is_left_out_with_a_note(loader: Loader, options: AccountOptions) -> None:
    notes = loader.run(streams=["products", "stages"])
    assert set(notes.skipped) == {"products"}
    assert loader.live("stages") > 0
