"""The Account Engagement source with plain dlt over its sandbox: what is loaded, by which requests, and what changes bring."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.account_engagement import VENDOR
from sources.account_engagement.columns import OBJECTS
from sources.account_engagement.sandbox.rest import UnitOptions
from sources.errors import BadAnswer
from sources.stream import Window
from tests.sources.account_engagement.unit import Loader, newest, root_of

CHANGED = "select count(*) from raw_account_engagement.{} where _dlt_load_id = (select max(load_id) from raw_account_engagement._dlt_loads)"


def test_a_first_load_holds_everything_that_the_sandbox_expects(loader: Loader) -> None:
    notes = loader.run()
    assert {name: loader.live(name) for name in OBJECTS} == loader.served.expected()
    assert notes.quarantined == {} and notes.skipped == {}
    assert notes.requests == len(loader.served.seen)


def test_a_first_load_costs_the_fewest_requests_that_pages_of_a_thousand_allow(loader: Loader) -> None:
    loader.run()
    asked = Counter(path.rpartition("/")[2] for path, _ in loader.served.seen)
    activities = loader.served.expected()["visitor_activities"]
    assert asked.pop("token") == 1
    assert asked.pop("visitor-activities") == -(-activities // 1000)
    assert asked.pop("lifecycle-histories") == 2
    assert dict(asked) == {  # what was listed needs no sweep
        each.path: 1 for each in OBJECTS.values() if each.path not in ("visitor-activities", "lifecycle-histories")
    }


def test_instants_told_in_the_users_time_zone_and_links_to_the_crm_arrive_typed(loader: Loader) -> None:
    loader.run(streams=["prospects"])
    held = loader.served.company.con().execute(
        'select id::varchar, "createdAt", "updatedAt", "salesforceId", "optedOut", score, email'
        " from unit_account_engagement.prospects where \"salesforceContactId\" is not null and not \"isDeleted\" order by id limit 1"
    ).fetchone()  # fmt: skip
    assert held is not None
    found = loader.rows(
        "select id, created_at at time zone 'UTC', updated_at at time zone 'UTC', salesforce_id, opted_out, score, email"
        f" from raw_account_engagement.prospects where id = '{held[0]}'"
    )
    assert found == [held]
    assert found[0][3].startswith("003")
    types = dict(loader.rows("select column_name, data_type from duckdb_columns() where table_name = 'prospects'"))
    assert (types["score"], types["opted_out"], types["converted_at"]) == (
        "BIGINT",
        "BOOLEAN",
        "TIMESTAMP WITH TIME ZONE",
    )


def test_the_next_window_brings_what_changed_and_tells_what_is_gone(loader: Loader) -> None:
    loader.run()
    before = {name: loader.live(name) for name in OBJECTS}
    loader.served.company.advance(9)
    loader.served.seen.clear()
    loader.run()
    expected = loader.served.expected()
    assert expected != before
    # What came in the last minutes waits for the next run: answers trail what was written.
    assert {name: loader.live(name) for name in OBJECTS} == expected
    assert loader.rows(CHANGED.format("prospects"))[0][0] < before["prospects"] / 5
    asked = [parse_qs(query) for path, query in loader.served.seen if path.endswith("/visitor-activities")]
    assert asked[0]["updatedAtAfterOrEqualTo"] == ["2026-10-30T08:45:00+00:00"]  # less the lag and the look-back
    assert asked[0]["updatedAtBeforeOrEqualTo"] == ["2026-11-08T08:55:00+00:00"]


def test_a_run_in_which_nothing_happened_reads_the_window_again_and_keeps_what_is_there(loader: Loader) -> None:
    loader.run()
    before = {name: loader.live(name) for name in OBJECTS}
    notes = loader.run()
    assert {name: loader.live(name) for name in OBJECTS} == before
    assert notes.rows["prospects"] < 5


def test_prospects_in_the_recycle_bin_are_deleted_rows_with_their_content(loader: Loader) -> None:
    loader.run(streams=["prospects"])
    rows = loader.rows(
        f"select count(*), count(email), bool_and(is_deleted) from ({newest('prospects')}) where _deleted"
    )
    assert rows[0][0] > 0 and rows[0] == (rows[0][0], rows[0][0], True)


def test_a_prospect_deleted_for_good_is_found_by_the_sweep_and_the_recycle_bin_stays_listed(loader: Loader) -> None:
    loader.run(streams=["prospects"])
    seen = {row[0] for row in loader.rows("select key from raw_account_engagement._seen where key is not null")}
    ids = {row[0] for row in loader.rows(f"select id from ({newest('prospects')})")}
    assert seen == ids


@pytest.mark.parametrize("size", [1, 7, 300])
def test_every_row_comes_once_whatever_the_size_of_a_page(loader: Loader, options: UnitOptions, size: int) -> None:
    options.largest_page = size
    streams = ["campaigns", "forms"] if size == 1 else ["campaigns", "prospects", "forms", "lifecycle_histories"]
    loader.run(streams=streams)
    for name in streams:
        table = f"raw_account_engagement.{name}"
        rows, ids = loader.rows(f"select count(*), count(distinct id) from {table}")[0]
        assert rows == ids
        assert loader.live(name) == loader.served.expected()[name]


def test_nothing_but_the_fields_goes_with_a_page_token(loader: Loader, options: UnitOptions) -> None:
    options.largest_page = 100
    loader.run(streams=["prospects"])
    further = [query for path, query in loader.served.seen if "nextPageToken" in query]
    assert len(further) > 5
    assert all(set(parse_qs(query)) == {"fields", "nextPageToken"} for query in further)


def test_reading_goes_on_where_the_tokens_of_a_sequence_end(loader: Loader, options: UnitOptions) -> None:
    options.largest_page, options.records_per_sequence = 50, 150
    loader.run(streams=["prospects", "prospect_accounts"])
    expected = loader.served.expected()
    assert loader.live("prospects") == expected["prospects"]
    assert loader.live("prospect_accounts") == expected["prospect_accounts"]
    starts = [query for path, query in loader.served.seen if "nextPageToken" not in query and "objects" in path]
    assert len(starts) > 5


def test_reading_goes_on_when_a_page_token_has_expired(loader: Loader, options: UnitOptions) -> None:
    options.largest_page = 100
    ticks = iter(range(0, 10_000_000, 1))
    options.clock = lambda: float(next(ticks)) * 5000  # every second token is too old when it comes back
    options.token_seconds = 4999.0
    loader.run(streams=["prospects"])
    assert loader.live("prospects") == loader.served.expected()["prospects"]


def test_more_rows_at_one_instant_than_tokens_reach_stop_the_run_with_words(
    loader: Loader, options: UnitOptions
) -> None:
    options.largest_page, options.records_per_sequence = 1, 2  # the six stages are of one instant
    with pytest.raises(PipelineStepFailed, match="share one updatedAt") as caught:
        loader.run(streams=["lifecycle_stages"])
    assert isinstance(root_of(caught.value), BadAnswer)


def test_custom_fields_that_are_asked_for_become_columns(loader: Loader) -> None:
    loader.settings["prospect_fields"] = "region__c, score"
    loader.run(streams=["prospects"])
    assert loader.rows("select distinct region_c from raw_account_engagement.prospects") == [("JP",)]


def test_a_backfill_reads_its_window_and_moves_no_state(loader: Loader) -> None:
    loader.run()
    start, end = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
    notes = loader.run(window=Window(start, end), streams=["visitor_activities"])
    held = loader.served.company.con().execute(
        "select count(*) from unit_account_engagement.visitor_activities"
        " where \"updatedAt\" between timestamp '2026-09-01' and timestamp '2026-10-01'"
    ).fetchone()  # fmt: skip
    assert held is not None and notes.rows["visitor_activities"] == held[0] > 0
    loader.served.seen.clear()
    loader.run(streams=["visitor_activities"])
    (path, query) = loader.served.seen[1]
    assert path.endswith("/visitor-activities")
    assert parse_qs(query)["updatedAtAfterOrEqualTo"] == ["2026-10-30T08:45:00+00:00"]


def test_the_allowance_of_calls_is_told(loader: Loader) -> None:
    from sources.config import read_config

    config = read_config(VENDOR.params, "account_engagement", loader.served.config)
    connection = loader.vendor().connect(config, lambda: loader.served.company.now)
    assert connection.limits() == {"API calls a day": "49,999 of 50,000 left"}
    connection.close()


def test_every_stream_has_the_lag_that_the_vendors_cache_needs() -> None:
    assert all(stream.lag >= timedelta(minutes=1) for stream in VENDOR.streams)
