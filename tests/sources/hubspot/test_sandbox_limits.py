"""The sandbox refuses what HubSpot refuses: page sizes, 10,000 results, long addresses, too many requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from sources.demo.company import Company
from tests.sources.hubspot.portal import Served, hand_made_company, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One serving for all tests of this file: they read only."""
    with serving(hand_made_company(), tmp_path_factory.mktemp("portals")) as running:
        yield running


def call(served: Served, method: str, path: str, **more: Any) -> requests.Response:
    here = served.line["hubspot"]
    headers = {"Authorization": f"Bearer {here['token']}"}
    return requests.request(method, here["base_url"] + path, headers=headers, timeout=20, **more)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/crm/v3/objects/contacts?limit=100", 200),
        ("/crm/v3/objects/contacts/?limit=100&archived=FALSE", 200),
        ("/crm/v3/objects/contacts?limit=101", 400),
        ("/crm/v3/objects/contacts?limit=50&propertiesWithHistory=email", 200),
        ("/crm/v3/objects/contacts?limit=51&propertiesWithHistory=email", 400),
        ("/crm/v3/objects/nothing", 400),
        ("/crm/v3/objects/contacts/987654321", 404),
        ("/crm/v3/objects/contacts?properties=" + "a" * 17_000, 414),
        ("/nowhere", 404),
    ],
)
def test_a_get_is_answered_with_the_vendors_status(served: Served, path: str, status: int) -> None:
    answer = call(served, "GET", path)
    assert answer.status_code == status
    if status >= 400:
        assert {"status", "message", "correlationId", "category"} <= set(answer.json())


def search(modified: str, operator: str, value: str, **more: Any) -> dict[str, Any]:
    return {"filterGroups": [{"filters": [{"propertyName": modified, "operator": operator, "value": value}]}], **more}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (search("lastmodifieddate", "GTE", "1", limit=200), 200),
        (search("lastmodifieddate", "GTE", "1", limit=201), 400),
        (search("lastmodifieddate", "GTE", "1", limit=200, after="9800"), 200),
        (search("lastmodifieddate", "GTE", "1", limit=200, after="9801"), 400),
        (search("lastmodifieddate", "GTE", "0"), 500),
        (search("no_such_property", "EQ", "1"), 400),
        (search("email", "EQUALS", "1"), 400),
        ({"filterGroups": [{"filters": []}] * 6}, 400),
        ({"sorts": ["email", "lastname"]}, 400),
    ],
)
def test_a_search_is_answered_with_the_vendors_status(served: Served, body: dict[str, Any], status: int) -> None:
    assert call(served, "POST", "/crm/v3/objects/contacts/search", json=body).status_code == status


@pytest.mark.parametrize(
    ("operator", "value", "found"), [("EQ", "TARO5@yamada.example", 1), ("CONTAINS_TOKEN", "*aro25*", 11)]
)
def test_text_is_compared_without_regard_to_case(served: Served, operator: str, value: str, found: int) -> None:
    answer = call(served, "POST", "/crm/v3/objects/contacts/search", json=search("email", operator, value))
    assert answer.json()["total"] == found


@pytest.mark.parametrize(
    ("path", "most"),
    [("/crm/v3/objects/contacts/batch/read", 100), ("/crm/v4/associations/contacts/companies/batch/read", 1_000)],
)
def test_a_batch_of_more_ids_than_the_endpoint_takes_is_refused(served: Served, path: str, most: int) -> None:
    inputs = [{"id": str(n)} for n in range(1, most + 2)]
    assert call(served, "POST", path, json={"inputs": inputs[:most]}).status_code == 207
    assert call(served, "POST", path, json={"inputs": inputs}).status_code == 400


def test_with_the_limit_on_a_burst_of_searches_is_refused_and_says_which_policy(
    company: Company, tmp_path: Path
) -> None:
    with serving(company, tmp_path, rate_limit=True) as served:
        answers = [call(served, "POST", "/crm/v3/objects/deals/search", json={"limit": 1}) for _ in range(8)]
        refused = [one for one in answers if one.status_code == 429]
        assert refused and refused[0].json()["policyName"] == "SECONDLY"
        listed = call(served, "GET", "/crm/v3/objects/deals")
        assert listed.headers["X-HubSpot-RateLimit-Max"] == "190"
        burst = [call(served, "GET", "/crm/v3/owners").status_code for _ in range(195)]
        assert burst.count(429) > 0
