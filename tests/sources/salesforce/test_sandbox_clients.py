"""simple-salesforce, a client that we did not write, reads every object of the sandbox; only its scheme is rewritten."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)

from sources.salesforce.sandbox.org import DATA_OBJECTS
from tests.sources.salesforce.hand_made import ACCOUNTS, MEMBERS
from tests.sources.salesforce.serving import Sandbox


class HttpsToHttp(HTTPAdapter):
    """The client always asks for https; the sandbox speaks http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.url = cast(str, request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **more)


def client_of(sandbox: Sandbox) -> Salesforce:
    session = requests.Session()
    session.mount("https://", HttpsToHttp())
    return Salesforce(session_id=sandbox.token(), instance_url=sandbox.base_url, session=session)


@pytest.fixture(scope="module")
def client(sandbox: Sandbox) -> Salesforce:
    return client_of(sandbox)


def readable(client: Salesforce, name: str) -> list[str]:
    described = cast(Any, getattr(client, name)).describe()
    return [field["name"] for field in described["fields"]]


@pytest.mark.parametrize("name", DATA_OBJECTS)
def test_every_object_is_read_with_all_its_fields(client: Salesforce, sandbox: Sandbox, name: str) -> None:
    fields = readable(client, name)
    soql = f"SELECT {','.join(fields)} FROM {name}"
    live = client.query_all(soql)["records"]
    every = list(client.query_all_iter(soql, include_deleted=True))
    assert len(live) == sandbox.line["expected"]["salesforce"][name]
    assert len(every) == sandbox.line["expected"]["salesforce_all"][name]
    assert len({row["Id"] for row in every}) == len(every)
    assert set(live[0]) == {"attributes", *fields}
    one = cast(Any, getattr(client, name)).get(live[0]["Id"])
    assert one == live[0]


def test_the_list_of_objects_holds_every_object(client: Salesforce) -> None:
    listed = {row["name"] for row in cast(Any, client.describe())["sobjects"]}
    assert set(DATA_OBJECTS) <= listed


def test_pages_are_followed_to_the_end(make_sandbox: Callable[..., Sandbox]) -> None:
    client = client_of(make_sandbox(page_size=37))
    rows = client.query_all("SELECT Id FROM Account", include_deleted=True)
    assert [row["Id"] for row in rows["records"]] != [] and rows["totalSize"] == 450
    assert {row["Id"] for row in rows["records"]} == set(ACCOUNTS)


def test_feeds_of_deleted_and_updated_records_are_read(client: Salesforce) -> None:
    start, end = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 30, 9, tzinfo=UTC)
    deleted = cast(Any, client.CampaignMember).deleted(start, end)
    assert [row["id"] for row in deleted["deletedRecords"]] == [MEMBERS[2]]
    updated = cast(Any, client.Opportunity).updated(start, end)
    assert len(updated["ids"]) == 1 and updated["latestDateCovered"]


def test_limits_and_usage_are_read(client: Salesforce) -> None:
    limits = cast(Any, client.limits())
    assert limits["DailyApiRequests"]["Remaining"] <= limits["DailyApiRequests"]["Max"]
    assert cast(Any, client.api_usage["api-usage"]).used > 0


def test_search_is_read(client: Salesforce) -> None:
    found = cast(Any, client.search("FIND {Changed} IN NAME FIELDS RETURNING Account(Id, Name)"))
    assert [row["Name"] for row in found["searchRecords"]] == ["Changed GmbH"]


@pytest.mark.parametrize("name", ["Account", "Opportunity", "OpportunityFieldHistory", "Task"])
def test_a_bulk_query_gives_the_rows_of_rest(client: Salesforce, sandbox: Sandbox, name: str) -> None:
    fields = [field for field in readable(client, name) if not field.endswith("Address")]
    job = cast(Any, client.bulk2)
    pages = list(getattr(job, name).query(f"SELECT {','.join(fields)} FROM {name}", max_records=100, wait=0.01))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    rest = client.query_all(f"SELECT Id, CreatedDate FROM {name}")["records"]
    assert len(rows) == sandbox.line["expected"]["salesforce"][name]
    assert len(pages) == -(-len(rows) // 100)
    assert {row["Id"]: row["CreatedDate"].replace("Z", "+0000") for row in rows} == {
        row["Id"]: row["CreatedDate"] for row in rest
    }


def test_a_bulk_query_of_all_rows_is_downloaded_to_files(client: Salesforce, tmp_path: Path) -> None:
    files = cast(Any, client.bulk2).Account.download("SELECT Id, IsDeleted FROM Account", str(tmp_path), wait=0.01)
    text = "".join(Path(file["file"]).read_text(encoding="utf-8") for file in files)
    assert text.count('"false"') == 447
    everything = cast(Any, client.bulk2).Account.query_all("SELECT Id, IsDeleted FROM Account", wait=0.01)
    assert "".join(everything).count('"true"') == 3


def test_refusals_arrive_as_the_clients_own_errors(make_sandbox: Callable[..., Sandbox], client: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="MALFORMED_QUERY"):
        client.query("SELECT FROM Account")
    with pytest.raises(SalesforceResourceNotFound):
        cast(Any, client.Account).get("001000000000000AAA")
    stale = client_of(make_sandbox(token_life_requests=1))
    stale.limits()
    with pytest.raises(SalesforceExpiredSession):
        stale.limits()
