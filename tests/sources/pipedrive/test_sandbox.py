"""The sandbox is as strict as the reference: refusals, pages, filters, headers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from sources.demo.company import Company
from sources.pipedrive.sandbox.rest import AccountOptions
from tests.sources.pipedrive.account import Served, serving


def get(served: Served, path: str, **params: Any) -> requests.Response:
    token = {"x-api-token": served.options.api_token}
    return requests.get(f"{served.address}/api/{path}", params=params, headers=token, timeout=10)


def test_a_request_without_the_token_is_refused_in_the_vendors_shape(served: Served) -> None:
    refused = requests.get(f"{served.address}/api/v2/deals", timeout=10)
    assert refused.status_code == 401
    assert refused.json() == {
        "success": False,
        "error": "unauthorized access",
        "error_info": "Please check developers.pipedrive.com for more information about Pipedrive API.",
        "data": None,
        "additional_data": None,
    }
    asked = {"api_token": served.options.api_token}
    assert requests.get(f"{served.address}/api/v1/users", params=asked, timeout=10).status_code == 200


@pytest.mark.parametrize("by", ["id", "update_time"])
@pytest.mark.parametrize("way", ["asc", "desc"])
def test_pages_give_every_item_once_in_order(served: Served, by: str, way: str) -> None:
    rows: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        body = get(served, "v2/persons", limit=70, sort_by=by, sort_direction=way, **more).json()
        rows += body["data"]
        more = {"cursor": body["additional_data"]["next_cursor"]}
        if more["cursor"] is None:
            break
        mark = json.loads(base64.urlsafe_b64decode(more["cursor"] + "==="))
        assert mark["field"] == by and mark["sortDirection"] == way
    assert len(rows) == served.expected()["persons"] == len({row["id"] for row in rows})
    assert rows == sorted(rows, key=lambda row: (row[by], row["id"]), reverse=way == "desc")


def test_archived_and_deleted_deals_come_only_when_asked_for(served: Served) -> None:
    usual = get(served, "v2/deals", limit=500).json()["data"]
    archived = get(served, "v2/deals/archived", limit=500).json()["data"]
    assert {row["is_archived"] for row in usual} == {False} and {row["is_archived"] for row in archived} == {True}
    assert len(usual) + len(archived) == served.expected()["deals"]
    deleted = get(served, "v2/deals", status="deleted").json()["data"]
    assert all(row["is_deleted"] and row["status"] == "deleted" for row in deleted)
    month = served.company.cursor().execute(
        "select count(*) from account_pipedrive.deals where is_deleted and update_time > (select now - interval 30 day from company.clock)"
    )
    assert len(deleted) == month.fetchall()[0][0]


def test_the_bounds_of_update_time_take_in_the_first_instant_and_not_the_last(served: Served) -> None:
    stamps = sorted({row["update_time"] for row in get(served, "v2/organizations", limit=500).json()["data"]})
    low, high = stamps[10], stamps[20]
    found = get(served, "v2/organizations", updated_since=low, updated_until=high, limit=500).json()["data"]
    assert {row["update_time"] for row in found} == set(stamps[10:20])


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("v2/deals", {"limit": "501"}, 400),
        ("v2/deals", {"sort_by": "title"}, 400),
        ("v2/deals", {"start": "0"}, 400),
        ("v2/deals", {"cursor": "nonsense"}, 400),
        ("v2/deals", {"status": "all_not_deleted"}, 400),
        ("v2/deals", {"updated_since": "2026-01-01 00:00:00"}, 400),
        ("v2/products", {"updated_since": "2026-01-01T00:00:00Z"}, 400),
        ("v2/deals/products", {}, 400),
        ("v2/deals/products", {"deal_ids": list(range(1, 102))}, 400),
        ("v2/nothing", {}, 404),
        ("v2/deals/99999999", {}, 404),
    ],
)
def test_what_the_reference_does_not_know_is_refused(
    served: Served, path: str, params: dict[str, Any], status: int
) -> None:
    answer = get(served, path, **params)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


def test_requests_over_the_window_of_two_seconds_are_refused_with_the_headers_counting_down(
    company: Company, tmp_path: Any
) -> None:
    options = AccountOptions(requests_in_two_seconds=3, clock=lambda: 7.0)
    with serving(company, tmp_path, options, rate_limit=True) as served:
        answers = [get(served, "v2/stages") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert [answer.headers.get("x-ratelimit-remaining") for answer in answers[:3]] == ["2", "1", "0"]
        options.clock = lambda: 9.0
        assert get(served, "v2/stages").status_code == 200
        options.tokens = 5
        assert get(served, "v2/stages").status_code == 429
