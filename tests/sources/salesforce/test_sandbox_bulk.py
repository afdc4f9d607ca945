"""Query jobs of the sandbox over plain HTTP: states, locators, formats, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.sources.salesforce.serving import Sandbox

JOBS = "/services/data/v62.0/jobs/query"


class Client:
    def __init__(self, sandbox: Sandbox) -> None:
        self.base, self.headers = sandbox.base_url, {"Authorization": f"Bearer {sandbox.token()}"}

    def ask(self, method: str, path: str = "", **more: Any) -> requests.Response:
        return requests.request(method, self.base + JOBS + path, headers=self.headers, timeout=10, **more)

    def make(self, query: str, operation: str = "query", **more: str) -> requests.Response:
        return self.ask("POST", json={"operation": operation, "query": query, **more})

    def finished(self, query: str, operation: str = "query", **more: str) -> str:
        job: str = self.make(query, operation, **more).json()["id"]
        while self.ask("GET", f"/{job}").json()["state"] != "JobComplete":
            pass
        return job


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)


def test_a_job_goes_through_its_states(client: Client) -> None:
    made = client.make("SELECT Id FROM Account", "queryAll").json()
    assert made["id"].startswith("750") and made["object"] == "Account" and made["state"] == "UploadComplete"
    early = client.ask("GET", f"/{made['id']}/results")
    assert early.status_code == 400
    looks = [client.ask("GET", f"/{made['id']}").json() for _ in range(3)]
    assert [each["state"] for each in looks] == ["InProgress", "JobComplete", "JobComplete"]
    assert [each["numberRecordsProcessed"] for each in looks] == [0, 450, 450]
    assert made["id"] in {each["id"] for each in client.ask("GET").json()["records"]}


def test_results_come_in_pages_with_a_header_line_each_and_locators_can_be_read_again(client: Client) -> None:
    job = client.finished("SELECT Id, Name, SystemModstamp, IsDeleted, Industry FROM Account")
    locator, rows, sizes = None, [], []
    while locator != "null":
        page = client.ask(
            "GET", f"/{job}/results", params={"maxRecords": 200, **({"locator": locator} if locator else {})}
        )
        lines = page.text.splitlines()
        assert page.headers["Content-Type"].startswith("text/csv")
        assert lines[0] == '"Id","Name","SystemModstamp","IsDeleted","Industry"'
        assert int(page.headers["Sforce-NumberOfRecords"]) == len(lines) - 1
        sizes.append(len(lines) - 1)
        rows += lines[1:]
        if locator:
            again = client.ask("GET", f"/{job}/results", params={"maxRecords": 200, "locator": locator})
            assert again.text == page.text
        locator = page.headers["Sforce-Locator"]
    assert sizes == [200, 200, 47]
    assert rows[0].endswith('T01:03:00.000Z","false",""')
    whole = client.ask("GET", f"/{job}/results")
    assert (whole.headers["Sforce-NumberOfRecords"], whole.headers["Sforce-Locator"]) == ("447", "null")


def test_an_empty_result_is_a_header_line(client: Client) -> None:
    job = client.finished("SELECT Id FROM Account WHERE Name = 'nobody'")
    page = client.ask("GET", f"/{job}/results")
    assert (
        page.text == '"Id"\n'
        and page.headers["Sforce-NumberOfRecords"] == "0"
        and page.headers["Sforce-Locator"] == "null"
    )


def test_delimiter_and_line_ending_are_as_asked(client: Client) -> None:
    job = client.finished("SELECT Id, IsWon FROM Opportunity", columnDelimiter="TAB", lineEnding="CRLF")
    assert client.ask("GET", f"/{job}/results").content.startswith(b'"Id"\t"IsWon"\r\n')


def test_a_job_is_aborted_and_deleted(client: Client) -> None:
    job = client.make("SELECT Id FROM Account").json()["id"]
    assert client.ask("DELETE", f"/{job}").status_code == 400
    assert client.ask("PATCH", f"/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert client.ask("GET", f"/{job}/results").status_code == 400
    assert client.ask("DELETE", f"/{job}").status_code == 204
    assert client.ask("GET", f"/{job}").status_code == 404


@pytest.mark.parametrize(
    ("query", "operation"),
    [
        ("SELECT FROM Account", "query"),
        ("SELECT Id FROM Nothing", "query"),
        ("SELECT Nothing__c FROM Account", "query"),
        ("SELECT Id, BillingAddress FROM Account", "query"),
        ("SELECT COUNT(Id) FROM Account", "query"),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "query"),
        ("SELECT Id FROM Account", "insert"),
    ],
)
def test_a_job_that_bulk_cannot_do_is_refused(client: Client, query: str, operation: str) -> None:
    answer = client.make(query, operation)
    assert answer.status_code == 400 and answer.json()[0]["errorCode"]


@pytest.mark.parametrize("params", [{"locator": "???"}, {"maxRecords": "-1"}, {"maxRecords": "many"}])
def test_a_wrong_page_is_refused(client: Client, params: dict[str, str]) -> None:
    job = client.finished("SELECT Id FROM User")
    assert client.ask("GET", f"/{job}/results", params=params).status_code == 400
