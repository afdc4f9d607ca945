"""The sandbox's wire, as clients of Account Engagement depend on it; no code of the source takes part."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from sources.account_engagement.sandbox.rest import UnitOptions
from tests.sources.account_engagement.unit import Served


@pytest.fixture
def session(served: Served) -> requests.Session:
    """A session of a client of its own, signed in."""
    config = served.config
    form = {
        "grant_type": "client_credentials",
        "client_id": config["client_id"],
        "client_secret": config["client_secret"],
    }
    granted = requests.post(f"{config['login_url']}/services/oauth2/token", data=form, timeout=10).json()
    found = requests.Session()
    found.headers["Authorization"] = f"Bearer {granted['access_token']}"
    found.headers["Pardot-Business-Unit-Id"] = config["business_unit_id"]
    return found


def ask(session: requests.Session, served: Served, path: str, **params: Any) -> requests.Response:
    return session.get(f"{served.config['base_url']}/api/v5/objects/{path}", params=params, timeout=10)


def test_a_page_always_has_its_three_keys_and_the_last_one_ends_with_nulls(
    session: requests.Session, served: Served
) -> None:
    body = ask(session, served, "prospects", fields="id,updatedAt").json()
    assert set(body) == {"nextPageToken", "nextPageUrl", "values"}
    assert len(body["values"]) == 200
    assert set(body["values"][0]) == {"id", "updatedAt"}
    seen = [row["id"] for row in body["values"]]
    while body["nextPageUrl"]:
        body = session.get(body["nextPageUrl"], timeout=10).json()
        seen += [row["id"] for row in body["values"]]
    assert body["nextPageToken"] is None and body["nextPageUrl"] is None
    assert len(seen) == len(set(seen)) == served.expected()["prospects"]


def test_a_token_with_anything_but_fields_is_refused(session: requests.Session, served: Served) -> None:
    token = ask(session, served, "prospects", fields="id").json()["nextPageToken"]
    assert len(ask(session, served, "prospects", fields="id", nextPageToken=token).json()["values"]) == 200
    for more in ({"limit": 10}, {"orderBy": "id ASC"}, {"deleted": "all"}, {"idGreaterThan": 1}):
        assert ask(session, served, "prospects", fields="id", nextPageToken=token, **more).status_code == 400
    wrong = ask(session, served, "prospects", fields="id", nextPageToken="bm90aGluZw==")
    assert (wrong.status_code, wrong.json()["code"]) == (400, 211)


def test_a_token_grows_old_in_four_hours(session: requests.Session, served: Served, options: UnitOptions) -> None:
    options.clock = lambda: 0.0
    token = ask(session, served, "prospects", fields="id").json()["nextPageToken"]
    options.clock = lambda: 4 * 3600.0
    assert ask(session, served, "prospects", fields="id", nextPageToken=token).status_code == 200
    options.clock = lambda: 4 * 3600.0 + 1
    assert ask(session, served, "prospects", fields="id", nextPageToken=token).json()["code"] == 210


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("prospects", {}, 13),
        ("prospects", {"fields": "id,nothing"}, 224),
        ("prospects", {"fields": "id", "limit": "1001"}, 23),
        ("prospects", {"fields": "id", "orderBy": "company ASC"}, 19),
        ("prospects", {"fields": "id", "updatedAtAfterOrEqualTo": "yesterday"}, 7),
        ("prospects", {"fields": "id", "updatedAtAfterOrEqualTo": "2026-01-01T00:00:00 09:00"}, 7),
        ("prospects", {"fields": "id", "deleted": "some"}, 27),
        ("forms", {"fields": "id", "orderBy": "updatedAt ASC"}, 19),
        ("prospect-accounts", {"fields": "id", "updatedAtAfterOrEqualTo": "2026-01-01T00:00:00+00:00"}, 5),
        ("visitor-activities", {"fields": "id", "deleted": "all"}, 27),
        ("nothing", {"fields": "id"}, 198),
    ],
)
def test_a_wrong_question_is_refused_with_a_code(
    session: requests.Session, served: Served, path: str, params: dict[str, str], code: int
) -> None:
    answer = ask(session, served, path, **params)
    assert answer.status_code >= 400
    assert answer.json()["code"] == code and answer.json()["message"]


def test_rows_come_in_the_order_asked_for_within_the_bounds_of_any_time_zone(
    session: requests.Session, served: Served
) -> None:
    bounds = {
        "updatedAtAfterOrEqualTo": "2026-09-01T09:00:00+09:00",
        "updatedAtBeforeOrEqualTo": "2026-10-01T00:00:00+00:00",
    }
    up = ask(
        session, served, "visitor-activities", fields="id,updatedAt", orderBy="updatedAt ASC", limit=1000, **bounds
    )
    down = ask(
        session, served, "visitor-activities", fields="id,updatedAt", orderBy="updatedAt DESC", limit=1000, **bounds
    )
    rows = up.json()["values"]
    assert rows and rows == down.json()["values"][::-1]
    stamps = [datetime.fromisoformat(row["updatedAt"]) for row in rows]
    assert stamps == sorted(stamps)
    assert all(stamp.utcoffset() == timedelta(hours=9) for stamp in stamps)
    assert datetime.fromisoformat("2026-09-01T00:00:00+00:00") <= stamps[0]
    assert stamps[-1] <= datetime.fromisoformat("2026-10-01T00:00:00+00:00")


def test_the_recycle_bin_is_listed_when_asked_for(session: requests.Session, served: Served) -> None:
    counts = {
        deleted: len(
            ask(session, served, "prospects", fields="id,isDeleted", limit=1000, deleted=deleted).json()["values"]
        )
        for deleted in ("all", "true", "false")
    }
    assert counts["true"] > 0 and counts["all"] == counts["true"] + counts["false"]
    assert counts["false"] == len(ask(session, served, "prospects", fields="id", limit=1000).json()["values"])


def test_a_record_is_read_by_its_id(session: requests.Session, served: Served) -> None:
    listed = ask(session, served, "campaigns", fields="id,name,salesforceId,createdById", limit=1).json()["values"][0]
    read = ask(session, served, f"campaigns/{listed['id']}", fields="id,name,salesforceId,createdById").json()
    assert read == listed and read["salesforceId"].startswith("701")
    assert ask(session, served, "campaigns/1", fields="id").json()["code"] == 192


def test_neither_a_token_nor_a_business_unit_is_optional(session: requests.Session, served: Served) -> None:
    session.headers["Pardot-Business-Unit-Id"] = "0Uv000000000000AAA"
    assert ask(session, served, "campaigns", fields="id").json()["code"] == 201
    session.headers["Authorization"] = "Bearer nothing"
    answer = ask(session, served, "campaigns", fields="id")
    assert (answer.status_code, answer.json()["code"]) == (401, 184)


def test_ids_and_what_is_past_stay_the_same_when_the_clock_moves(session: requests.Session, served: Served) -> None:
    def past() -> list[Any]:
        asked = {"fields": "id,prospectId,type,details,createdAt", "orderBy": "createdAt ASC", "limit": 1000}
        return ask(
            session, served, "visitor-activities", createdAtBeforeOrEqualTo="2025-06-01T00:00:00+00:00", **asked
        ).json()["values"]

    before = past()
    served.company.advance(30)
    assert before and past() == before
