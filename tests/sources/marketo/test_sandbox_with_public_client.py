"""`marketorestpython`, the public Python client, reads every object of the sandbox; only the scheme and host are rewritten."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from marketorestpython.client import MarketoClient
from marketorestpython.helper import http_lib

from sources.marketo.sandbox import words
from tests.sources.marketo.subscription import FIRST, Served, hand_made_company, serving

SINCE = "2023-11-01"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One serving for all tests of this file: they read only."""
    with serving(hand_made_company(), tmp_path_factory.mktemp("subscription")) as running:
        yield running


@pytest.fixture
def client(served: Served, monkeypatch: pytest.MonkeyPatch) -> MarketoClient:
    """The client waits a fifth of a second before each call; not here."""
    waiting = SimpleNamespace(time=time.time, sleep=lambda _seconds: None)
    monkeypatch.setattr(http_lib, "time", waiting)
    config = served.config
    made = MarketoClient("123-ABC-456", config["client_id"], config["client_secret"])
    made.host = config["base_url"]
    return made


@pytest.fixture
def expected(served: Served) -> dict[str, int]:
    return served.line["expected"]["marketo"]


def test_the_client_signs_in_and_is_told_the_rest_of_the_tokens_life(client: MarketoClient, served: Served) -> None:
    client.authenticate()
    assert client.token_type == "bearer" and client.scope == "api@hikari-works.example"
    assert 3_500 < client.expires_in <= 3_600
    first, token = client.expires_in, client.token
    client.valid_until = None
    client.authenticate()
    assert client.token == token and client.expires_in <= first


def test_the_client_reads_every_lead_by_its_id(client: MarketoClient, expected: dict[str, int]) -> None:
    fields = ["id", "email", "leadStatus", "leadScore", "unsubscribed", "sfdcLeadId", "createdAt"]
    found: list[dict[str, Any]] = []
    for start in range(0, 900, 300):
        ids = [str(FIRST + start + n) for n in range(300)]
        found += client.execute(
            method="get_multiple_leads_by_filter_type", filterType="id", filterValues=ids, fields=fields, batchSize=70
        )
    assert len(found) == len({row["id"] for row in found}) == expected["leads"]
    assert set(found[0]) == set(fields)
    assert {row["leadStatus"] for row in found} == {"Known", "Marketing Qualified"}
    one = client.execute(method="get_lead_by_id", id=FIRST + 3)
    assert [one[0]["lastName"], one[0]["createdAt"]] == ["山田, 太郎", "2026-03-07T01:02:03Z"]
    by_mail = client.execute(
        method="get_multiple_leads_by_filter_type", filterType="email", filterValues=["taro3@yamada.example"]
    )
    assert [row["id"] for row in by_mail] == [FIRST + 3]
    assert client.execute(method="get_multiple_leads_by_filter_type", filterType="id", filterValues=["1"]) == []


def test_the_client_reads_every_activity(client: MarketoClient, expected: dict[str, int]) -> None:
    kinds = [str(one["id"]) for one in client.execute(method="get_activity_types") if one["id"] != 37]
    found: list[dict[str, Any]] = []
    for start in range(0, len(kinds), 10):
        found += client.execute(
            method="get_lead_activities", activityTypeIds=kinds[start : start + 10], sinceDatetime=SINCE
        )
    assert len(found) == len({row["marketoGUID"] for row in found}) == expected["activities"]
    assert all(time.strptime(row["activityDate"], "%Y-%m-%dT%H:%M:%SZ") for row in found)
    opened = [row for row in found if row["activityTypeId"] == 10]
    assert {"name": "Is Bot Activity", "value": False} in opened[0]["attributes"]


def test_the_client_stops_at_its_until_date(client: MarketoClient) -> None:
    found = client.execute(
        method="get_lead_activities", activityTypeIds=["12"], sinceDatetime="2026-03-01", untilDatetime="2026-03-08"
    )
    assert 3 < len(found) < 12 and max(row["activityDate"] for row in found) <= "2026-03-08T00:00:00Z"


def test_the_client_reads_lead_changes(client: MarketoClient) -> None:
    found = client.execute(method="get_lead_changes", fields=["leadStatus"], sinceDatetime=SINCE)
    changes = [row for row in found if row["fields"]]
    assert len(changes) == 140 and {row["activityTypeId"] for row in found} == {12, 13}
    assert changes[0]["fields"][0]["name"] == "leadStatus"
    assert [changes[0]["fields"][0]["oldValue"], changes[0]["fields"][0]["newValue"]] == [
        "Known",
        "Marketing Qualified",
    ]


def test_the_client_reads_deleted_leads(client: MarketoClient, expected: dict[str, int]) -> None:
    found = client.execute(method="get_deleted_leads", sinceDatetime=SINCE)
    assert len(found) == expected["deleted_leads"] == 14
    assert found[0]["leadId"] == FIRST + 1 and found[0]["activityTypeId"] == 37


def test_the_client_reads_programs_and_channels(client: MarketoClient, expected: dict[str, int]) -> None:
    found = client.execute(method="browse_programs", maxReturn=10)
    assert len(found) == expected["programs"] == 23
    assert found[0]["createdAt"] == "2026-03-06T01:02:03Z+0000"
    assert {row["channel"] for row in found} == {"Webinar", "Email Send", "Content", "Nurture"}
    some = client.execute(method="browse_programs", maxReturn=200, earliestUpdatedAt="2026-03-20T00:00:00Z")
    assert 0 < len(some) < 23
    assert client.execute(method="get_program_by_id", id=1002)[0]["sfdcId"] == "7015i0000000001AAA"
    assert client.execute(method="get_program_by_name", name="2026 プログラム 1")[0]["id"] == 1002
    assert len(client.execute(method="get_channels")) == len(words.CHANNELS)


def test_the_client_reads_members_of_programs(client: MarketoClient, expected: dict[str, int]) -> None:
    members = [
        row
        for program in (1001, 1002, 1003)
        for row in client.execute(method="get_multiple_leads_by_program_id", programId=program, batchSize=50)
    ]
    assert len(members) == expected["program_members"] == 350
    assert {row["membership"]["progressionStatus"] for row in members} == {"Sent", "Clicked"}
    described = client.execute(method="describe_program_member")[0]
    assert {field["name"] for field in described["fields"]} == set(words.MEMBER_FIELDS)


def test_the_client_reads_static_lists_and_their_leads(client: MarketoClient, expected: dict[str, int]) -> None:
    lists = client.execute(method="get_multiple_lists", batchSize=2)
    assert [row["name"] for row in lists] == [name for _, name, _ in words.LISTS]
    assert len(client.execute(method="browse_lists", maxReturn=2)) == 3
    members = [
        len(client.execute(method="get_multiple_leads_by_list_id", listId=row["id"], fields=["id"], batchSize=100))
        for row in lists
    ]
    assert sum(members) == expected["static_list_members"] and members[2] == 0


def test_the_client_reads_what_describe_says(client: MarketoClient) -> None:
    described = client.execute(method="describe")
    names = {one["rest"]["name"] for one in described if "rest" in one}
    assert {"id", "email", "leadStatus", "lastNameKana"} <= names
    assert any("rest" not in one for one in described)
    assert ["email"] in client.execute(method="describe2")[0]["searchableFields"]


@pytest.mark.parametrize("kind", ["leads", "activities", "program_members"])
def test_the_client_runs_an_export_to_its_file(client: MarketoClient, served: Served, kind: str) -> None:
    month = {"startAt": "2026-03-06T00:00:00Z", "endAt": "2026-04-01T00:00:00Z"}
    filters: dict[str, Any] = {"programIds": [1001, 1002]} if kind == "program_members" else {"createdAt": month}
    fields = {"leads": ["id", "email"], "program_members": ["leadId", "statusName"]}.get(kind)
    made = client.execute(method=f"create_{kind}_export_job", fields=fields, filters=filters)
    number = made[0]["exportId"]
    assert made[0]["status"] == "Created"
    assert client.execute(method=f"enqueue_{kind}_export_job", job_id=number)[0]["status"] == "Queued"
    status = client.execute(method=f"get_{kind}_export_job_status", job_id=number)[0]
    assert status["status"] == "Completed" and status["fileChecksum"].startswith("sha256:")
    content = client.execute(method=f"get_{kind}_export_job_file", job_id=number)
    rows = list(csv.reader(io.StringIO(content.decode())))
    assert len(rows) - 1 == status["numberOfRecords"] > 70 and len(content) == status["fileSize"]
    header = {"leads": ["id", "email"], "program_members": ["programId", "leadId", "statusName"]}
    assert rows[0] == header.get(kind, rows[0]) and (kind != "activities" or rows[0][0] == "marketoGUID")
    assert number in {job["exportId"] for job in client.execute(method=f"get_{kind}_export_jobs_list")}


def test_the_client_cancels_an_export(client: MarketoClient) -> None:
    month = {"startAt": "2026-03-06T00:00:00Z", "endAt": "2026-04-01T00:00:00Z"}
    number = client.execute(method="create_leads_export_job", fields=["id"], filters={"createdAt": month})[0][
        "exportId"
    ]
    assert client.execute(method="cancel_leads_export_job", job_id=number)[0]["status"] == "Cancelled"


def test_the_client_reads_the_usage_and_the_errors(client: MarketoClient) -> None:
    with pytest.raises(Exception, match="1004"):
        client.execute(method="get_lead_by_id", id=5)
    assert client.execute(method="get_daily_usage")[0]["total"] > 1
    assert {"errorCode": "1004", "count": 1} in client.execute(method="get_daily_errors")[0]["errors"]


def test_wrong_credentials_get_the_vendors_refusal(served: Served, client: MarketoClient) -> None:
    client.client_secret = "wrong"
    with pytest.raises(Exception, match="Bad client credentials"):
        client.execute(method="describe")
    client.client_id = "wrong"
    with pytest.raises(Exception, match="No client with requested id: wrong"):
        client.execute(method="describe")


def test_an_expired_token_is_renewed_by_the_client(tmp_path: Any, client: MarketoClient, served: Served) -> None:
    with serving(served.company, tmp_path, token_life_seconds=0.2) as short:
        client.host = short.config["base_url"]
        client.execute(method="describe")
        before = client.token
        short.subscription.tokens._ends = 0.0
        client.valid_until = None
        client.execute(method="describe")
        assert client.token != before
