"""Errors that come in HTTP 200, and everything else that may go wrong on Marketo's wire: none is read as an empty page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sources.config import Config, read_config
from sources.errors import (
    BadAnswer,
    ConfigurationError,
    CredentialsRejected,
    ObjectNotPermitted,
    QuotaExhausted,
    TsunaguSourceError,
    Unreachable,
)
from sources.marketo import VENDOR
from sources.marketo.sandbox.wire import Call, Plain, Refused
from sources.marketo.wire import FilterUnsupported, NotFound, Wire
from tests.sources.marketo.conftest import Loader
from tests.sources.marketo.subscription import Served, serving

LEADS = "/rest/v1/leads.json"


def refusing(code: int, message: str) -> Callable[[Call], None]:
    def fault(_call: Call) -> None:
        raise Refused(code, message)

    return fault


def answering(status: int, body: bytes, media_type: str = "application/json") -> Callable[[Call], None]:
    def fault(_call: Call) -> None:
        raise Plain(status, body, {}, media_type)

    return fault


@pytest.fixture
def wire(served: Served) -> Any:
    slept: list[float] = []
    made = Wire(read_config(VENDOR.params, "marketo", served.config), sleep=slept.append)
    made.slept = slept  # type: ignore[attr-defined]
    yield made
    made.close()


def pages(wire: Wire) -> list[bytes]:
    asked = {"filterType": "id", "filterValues": ",".join(str(1_000_001 + n) for n in range(300)), "fields": "id"}
    return list(wire.lead_pages(LEADS, asked, long=True))


@pytest.mark.parametrize("code", [604, 608, 611, 614, 713, 719])
def test_a_passing_error_is_tried_again(served: Served, wire: Any, code: int) -> None:
    served.subscription.fail(LEADS, refusing(code, "for now"), times=3)
    assert sum(body.count(b'"id"') for body in pages(wire)) == 292  # eight of these are deleted or merged
    assert len(wire.slept) == 3 and wire.slept == sorted(wire.slept)


@pytest.mark.parametrize(
    ("code", "message", "pause"),
    [
        (606, "Max rate limit '100' exceeded with in '20' secs", 5),
        (615, "Concurrent access limit reached", 1),
        (1029, "Too many jobs (10) in queue", 60),
    ],
)
def test_a_limit_is_waited_out(served: Served, wire: Any, code: int, message: str, pause: int) -> None:
    served.subscription.fail(LEADS, refusing(code, message), times=2)
    assert pages(wire)
    assert [round(one / pause, 1) for one in wire.slept] == pytest.approx([1, 1], abs=0.2)


@pytest.mark.parametrize(
    ("code", "message", "kind", "says"),
    [
        (603, "Access denied", ObjectNotPermitted, "permissions"),
        (703, "The feature is not enabled for the subscription", ObjectNotPermitted, "not enabled"),
        (607, "Daily API call quota 50000 reached", QuotaExhausted, "midnight, US Central"),
        (1029, "Export daily quota 500MB exceeded", QuotaExhausted, "midnight, US Central"),
        (610, "Requested resource not found", ConfigurationError, "SOURCES__MARKETO__BASE_URL"),
        (702, "No data found", NotFound, "702"),
        (1004, "Lead '5' not found", NotFound, "1004"),
        (1003, "Too many results match the filter", BadAnswer, "Too many results"),
        (1006, "Field 'x' not found", BadAnswer, "run again"),
        (1035, "Unsupported filter type for target subscription", FilterUnsupported, "1035"),
        (799, "Nobody knows this one", BadAnswer, "799"),
    ],
)
def test_a_lasting_error_stops_with_its_meaning(
    served: Served, wire: Any, code: int, message: str, kind: type[TsunaguSourceError], says: str
) -> None:
    served.subscription.fail(LEADS, refusing(code, message))
    with pytest.raises(kind) as caught:
        pages(wire)
    assert type(caught.value) is kind or kind is QuotaExhausted
    assert says in str(caught.value) and message in str(caught.value)
    assert wire.slept == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"requestId":"1","success":false}',
        b'{"requestId":"1","success":false,"errors":[]}',
        b'{"requestId":"1","result":[]}',
        b"{}",
        b"<html>Maintenance</html>",
        b'{"requestId":"1","success":true,"result":[{"id":1}',
        b"[]",
        b"",
    ],
)
def test_an_answer_without_success_is_no_empty_page(served: Served, wire: Any, body: bytes) -> None:
    served.subscription.fail(LEADS, answering(200, body))
    with pytest.raises(BadAnswer):
        pages(wire)
    served.subscription.fail("/rest/v1/activities.json", answering(200, body))
    with pytest.raises(BadAnswer):
        list(wire.activity_pages("/rest/v1/activities.json", "token", {"activityTypeIds": "1"}))
    served.subscription.fail("/rest/asset/v1/programs.json", answering(200, body))
    with pytest.raises(BadAnswer):
        list(wire.assets("/rest/asset/v1/programs.json"))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateway_error_is_tried_again_and_then_said(served: Served, wire: Any, status: int) -> None:
    served.subscription.fail(LEADS, answering(status, b"<html>Bad gateway</html>", "text/html"), times=2)
    assert pages(wire)
    served.subscription.fail(LEADS, answering(status, b"", "text/html"), times=9)
    with pytest.raises(Unreachable):
        pages(wire)


def test_a_page_without_rows_and_with_more_to_come_is_followed(served: Served, wire: Any) -> None:
    """Types that are rare: whole stretches of the log have none of them."""
    token = wire.paging_token(served.company.now - timedelta(days=1_000))
    served.seen.clear()
    found = list(wire.activity_pages("/rest/v1/activities.json", token, {"activityTypeIds": "32"}))
    assert [len(rows) for rows in found] == [1, 1] or [len(rows) for rows in found] == [2]
    assert len(served.seen) == 4  # 3,279 activities in stretches of 1,000


def test_a_token_that_leads_to_the_same_page_is_no_endless_loop(served: Served, wire: Any) -> None:
    def stuck(call: Call) -> None:
        token = call.query["nextPageToken"]
        answer = {"requestId": "1", "success": True, "nextPageToken": token, "moreResult": True}
        raise Plain(200, json.dumps(answer).encode(), {}, "application/json")

    served.subscription.fail("/rest/v1/activities.json", stuck, times=5)
    token = wire.paging_token(served.company.now)
    with pytest.raises(BadAnswer, match="leads to the same page"):
        list(wire.activity_pages("/rest/v1/activities.json", token, {"activityTypeIds": "1"}))


@pytest.mark.parametrize("code", [601, 602])
def test_a_refused_token_is_renewed_once(served: Served, wire: Any, code: int) -> None:
    pages(wire)
    served.subscription.fail(LEADS, refusing(code, "Access token invalid"))
    assert pages(wire)
    assert served.count("/identity/oauth/token") == 2 and wire.slept == []
    served.subscription.fail(LEADS, refusing(code, "Access token invalid"), times=2)
    with pytest.raises(CredentialsRejected):
        pages(wire)


def test_a_token_refused_in_its_last_minute_is_waited_out(tmp_path: Path, served: Served) -> None:
    """An early call to the identity endpoint gives the same token until its end."""
    with serving(served.company, tmp_path / "short", token_life_seconds=1.5) as short:
        import time

        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            time.sleep(seconds)

        wire = Wire(read_config(VENDOR.params, "marketo", short.config), sleep=sleep)
        pages(wire)
        short.subscription.fail(LEADS, refusing(601, "Access token invalid"))
        assert pages(wire)
        assert len(slept) == 1 and 1 <= slept[0] <= 2.5 and short.count("/identity/oauth/token") == 3
        wire.close()


def test_wrong_credentials_name_the_settings_and_keep_the_secret(served: Served) -> None:
    config = read_config(VENDOR.params, "marketo", {**served.config, "client_secret": "wrong-secret-9c2f"})
    wire = Wire(config, sleep=lambda _: None)
    with pytest.raises(CredentialsRejected) as caught:
        pages(wire)
    assert "SOURCES__MARKETO__CLIENT_ID" in str(caught.value) and "SOURCES__MARKETO__CLIENT_SECRET" in str(caught.value)
    assert "Bad client credentials" in str(caught.value) and "wrong-secret-9c2f" not in str(caught.value)
    wire.close()


def test_an_address_with_rest_at_the_end_is_understood(served: Served) -> None:
    wire = Wire(
        read_config(VENDOR.params, "marketo", {**served.config, "base_url": served.config["base_url"] + "/rest/"})
    )
    assert pages(wire)
    wire.close()


def test_a_day_that_cannot_be_read_names_its_setting(served: Served) -> None:
    from sources.marketo.api import connect

    config = Config("marketo", {**served.config, "since": "last year"})
    with pytest.raises(ConfigurationError, match="SOURCES__MARKETO__SINCE to a day such as"):
        connect(config, lambda: served.company.now)


def test_a_missing_permission_skips_the_stream_and_the_others_are_read(loader: Loader) -> None:
    loader.served.subscription.fail("/rest/asset/v1/programs.json", refusing(603, "Access denied"), times=99)
    notes = loader.run()
    # members of programs need the list of programs at first
    assert set(notes.skipped) == {"programs", "program_members"}
    assert "Read-Only" not in notes.skipped["programs"] and "README of sources/marketo" in notes.skipped["programs"]
    assert loader.live("leads") == 684 and loader.live("programs") == 0
    counts = dict(loader.rows("select stream, status from raw_marketo.vendor_count"))
    assert counts == {"programs": "no_permission", "program_members": "no_permission"}


def test_a_program_deleted_while_it_is_read_is_left_out(loader: Loader) -> None:
    loader.served.subscription.fail("/rest/asset/v1/program/1005.json", refusing(702, "Program not found"))
    loader.run(streams=["programs"])
    assert loader.live("programs") == 22


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/rest/v1/activities.json", refusing(607, "Daily API call quota 50000 reached")),
        (LEADS, answering(200, b'{"requestId":"1","success":false,"errors":[{"code":"799","message":"?"}]}')),
        ("/deletedleads.json", answering(200, b"{")),
    ],
)
def test_a_stream_that_failed_moves_no_state_and_the_next_run_loses_nothing(
    loader: Loader, path: str, fault: Callable[[Call], None]
) -> None:
    loader.run()
    loader.served.company.advance(4)
    loader.served.subscription.fail(path, fault, times=9)
    failed = loader.run().failed
    assert failed
    loader.served.subscription.faults.clear()
    assert loader.run().failed == {}
    expected = loader.served.subscription.store.counts()
    for name in ("leads", "program_members", "programs"):
        assert loader.live(name) == expected[name], name


def test_no_secret_is_in_what_a_failing_run_leaves_behind(
    loader: Loader, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    loader.served.subscription.fail(LEADS, refusing(799, "x"), times=9)
    loader.run()
    loader.served.company.advance(4)
    failed = loader.run().failed
    assert isinstance(failed["leads"], BadAnswer)
    out, err = capfd.readouterr()
    token = loader.served.subscription.tokens._token
    secrets = [loader.served.config["client_secret"], token]
    # urllib3 writes addresses at DEBUG, and Marketo's sign-in has the secret in its address: that log stays switched off
    said = [
        out,
        err,
        str(failed["leads"]),
        *(record.getMessage() for record in caplog.records if record.name != "urllib3.connectionpool"),
    ]
    written = [path.read_bytes() for path in loader.folder.rglob("*") if path.is_file()]
    for secret in secrets:
        assert not any(secret in text for text in said)
        assert not any(secret.encode() in content for content in written)
