"""What the source makes of the API's refusals: what is waited for, what stops the run, what is said; and no secret anywhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.account_engagement import VENDOR
from sources.account_engagement.api import AccountEngagement, connect
from sources.account_engagement.sandbox.rest import UnitOptions
from sources.config import read_config
from sources.demo.company import Company
from sources.errors import BadAnswer, ConfigurationError, CredentialsRejected, ObjectNotPermitted, QuotaExhausted
from sources.stream import Connection, Window
from tests.sources.account_engagement.unit import Loader, Served, root_of, serving

NOW = datetime(2026, 10, 30, 9, tzinfo=UTC)
CAMPAIGNS = VENDOR.stream("campaigns")


def refusal(code: int, message: str, status: int = 400) -> tuple[int, bytes]:
    return status, json.dumps({"code": code, "message": message}).encode()


def connected(served: Served, slept: list[float] | None = None, **settings: str) -> Connection:
    config = read_config(VENDOR.params, "account_engagement", {**served.config, **settings})
    return connect(config, lambda: NOW, (slept if slept is not None else []).append)


def read(connection: Connection) -> int:
    """Rows of the campaigns."""
    total = 0
    for batch in connection.pages(CAMPAIGNS, Window(None, NOW)):
        total += sum(len(json.loads(body)["values"]) for body in batch.bodies)  # type: ignore[union-attr]
    return total


@pytest.mark.parametrize("status", [200, 400, 429])
def test_five_calls_at_once_are_waited_out(served: Served, options: UnitOptions, status: int) -> None:
    slept: list[float] = []
    options.refusals.extend([refusal(66, "Concurrent request limit exceeded", status)] * 3)
    assert read(connected(served, slept)) == 42
    assert len(slept) == 3 and all(2 <= pause < 3 for pause in slept)


@pytest.mark.parametrize(
    "answer",
    [
        refusal(122, "Your account has exceeded its daily allotment", 400),
        refusal(122, "Your account has exceeded its daily allotment", 200),
        (429, b"Daily API rate limit met"),
    ],
)
def test_the_days_calls_used_up_stop_the_run_and_say_when_to_go_on(
    served: Served, options: UnitOptions, answer: tuple[int, bytes]
) -> None:
    slept: list[float] = []
    options.refusals.append(answer)
    with pytest.raises(QuotaExhausted, match="tomorrow"):
        read(connected(served, slept))
    assert slept == []


def test_a_refusal_without_a_code_is_waited_out(served: Served, options: UnitOptions) -> None:
    slept: list[float] = []
    options.refusals.append((429, b""))
    assert read(connected(served, slept)) == 42
    assert len(slept) == 1


def test_the_days_allowance_of_the_sandbox_stops_the_run_with_what_came_before_kept(
    loader: Loader, options: UnitOptions
) -> None:
    options.daily_calls = 3
    notes = loader.run()
    assert set(notes.rows) - set(notes.failed) >= {"lifecycle_stages", "campaigns", "prospect_accounts"}
    assert notes.failed and all(isinstance(each, QuotaExhausted) for each in notes.failed.values())
    options.daily_calls = 50_000
    loader.run()
    assert loader.live("prospects") == loader.served.expected()["prospects"]


@pytest.mark.parametrize("number", [214, 183])
def test_a_request_that_timed_out_is_sent_again(served: Served, options: UnitOptions, number: int) -> None:
    options.refusals.append(refusal(number, "API request timed out."))
    assert read(connected(served)) == 42


def test_a_token_that_ends_in_the_middle_is_renewed(company: Company, options: UnitOptions, tmp_path: Path) -> None:
    options.largest_page = 10
    with serving(company, tmp_path, options) as served:
        served.sessions.options = replace(served.sessions.options, token_life_requests=2)
        assert read(connected(served)) == 42
        assert sum(path.endswith("/token") for path, _ in served.seen) == 3  # five pages, two with each token


def test_a_token_that_is_refused_is_renewed_once_and_then_stops(served: Served, options: UnitOptions) -> None:
    options.refusals.append(refusal(184, "access_token is invalid, unknown, or malformed", 401))
    assert read(connected(served)) == 42
    assert sum(path.endswith("/token") for path, _ in served.seen) == 2
    options.refusals.extend([refusal(184, "access_token is invalid, unknown, or malformed", 401)] * 2)
    with pytest.raises(CredentialsRejected, match="pardot_api"):
        read(connected(served))


def test_a_wrong_secret_is_refused_with_the_settings_names_and_without_the_secret(served: Served) -> None:
    with pytest.raises(CredentialsRejected, match="SOURCES__ACCOUNT_ENGAGEMENT__CLIENT_SECRET") as caught:
        read(connected(served, client_secret="hunter2-hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_wrong_business_unit_is_refused_with_the_settings_name(served: Served) -> None:
    with pytest.raises(CredentialsRejected, match="SOURCES__ACCOUNT_ENGAGEMENT__BUSINESS_UNIT_ID"):
        read(connected(served, business_unit_id="0Uv000000000000AAA"))


def test_nothing_to_sign_in_with_is_said_before_any_request(served: Served) -> None:
    with pytest.raises(ConfigurationError, match="CLIENT_SECRET"):
        connected(served, client_secret="")
    assert served.seen == []


def test_an_object_that_may_not_be_viewed_is_left_out_and_the_rest_is_loaded(
    loader: Loader, options: UnitOptions
) -> None:
    options.forbidden = frozenset({"lifecycle-histories"})
    notes = loader.run(streams=["lifecycle_stages", "lifecycle_histories", "campaigns"])
    assert set(notes.skipped) == {"lifecycle_histories"}
    assert "README" in notes.skipped["lifecycle_histories"]
    assert loader.live("campaigns") == 42
    assert loader.rows("select count(*) from raw_account_engagement.lifecycle_histories") == [(0,)]


@pytest.mark.parametrize("number", [46, 49])
def test_a_missing_ability_is_not_taken_for_an_empty_object(served: Served, options: UnitOptions, number: int) -> None:
    options.refusals.append(refusal(number, "Access Denied", 403))
    with pytest.raises(ObjectNotPermitted):
        read(connected(served))


@pytest.mark.parametrize("body", [b"{}", b'{"code": 5, "message": "Invalid query parameters"}', b"<html></html>"])
def test_an_answer_with_status_200_that_holds_no_rows_is_never_an_empty_page(
    loader: Loader, options: UnitOptions, body: bytes
) -> None:
    options.refusals.append((200, body))
    with pytest.raises(PipelineStepFailed) as caught:
        loader.run(streams=["campaigns"])
    assert isinstance(root_of(caught.value), BadAnswer)
    loader.run(streams=["campaigns"])
    assert loader.live("campaigns") == 42


def test_a_page_that_names_another_host_is_not_followed(served: Served, options: UnitOptions) -> None:
    page = {"values": [], "nextPageToken": "x", "nextPageUrl": "https://elsewhere.example/api/v5/objects/campaigns"}
    options.refusals.append((200, json.dumps(page).encode()))
    with pytest.raises(BadAnswer, match="another host"):
        read(connected(served))


def test_no_secret_is_left_in_what_a_run_writes(loader: Loader) -> None:
    loader.run(streams=["campaigns"])
    secret = loader.served.config["client_secret"].encode()
    written = [path for path in loader.folder.rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if secret in path.read_bytes()] == []


def test_requests_of_both_hosts_are_counted(served: Served) -> None:
    connection = connected(served)
    read(connection)
    assert isinstance(connection, AccountEngagement)
    assert connection.requests == len(served.seen) == 2
    connection.close()
