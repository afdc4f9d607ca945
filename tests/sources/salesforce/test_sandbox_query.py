"""Queries, records, feeds, describe and search of the sandbox, asked over plain HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from tests.sources.salesforce.hand_made import (
    ACCOUNTS,
    CONTACTS,
    DEALS,
    LEADS,
    MEMBERS,
    ROLES_OF_DEALS,
    SECOND_USER,
    USER,
)
from tests.sources.salesforce.serving import Sandbox

DATA = "/services/data/v62.0"


COUNTS = [
    ("SELECT COUNT() FROM Account", 447),
    ("SELECT COUNT() FROM Account WHERE Name = '会社007 o''neil & co.'".replace("''", "\\'"), 1),
    ("SELECT COUNT() FROM Account WHERE Name LIKE '会社01%'", 10),
    ("SELECT COUNT() FROM Account WHERE Name LIKE '%O\\'NEIL%'", 446),
    ("SELECT COUNT() FROM Account WHERE Name NOT IN ('Changed GmbH')", 446),
    ("SELECT COUNT() FROM Account WHERE NumberOfEmployees >= 440 AND NumberOfEmployees < 445", 5),
    ("SELECT COUNT() FROM Account WHERE NumberOfEmployees = 440 OR NumberOfEmployees = 441", 2),
    ("SELECT COUNT() FROM Account WHERE (NOT NumberOfEmployees > 10) AND Industry = null", 8),
    ("SELECT COUNT() FROM Account WHERE ParentId != null", 0),
    ("SELECT COUNT() FROM Account WHERE Industry != 'Retail'", 447),
    ("SELECT COUNT() FROM Account WHERE Industry = ''", 447),
    (
        "SELECT COUNT() FROM Account WHERE SystemModstamp > 2026-09-30T23:59:58Z AND SystemModstamp <= 2026-09-30T23:59:59Z",
        1,
    ),
    ("SELECT COUNT() FROM Account WHERE SystemModstamp > 2026-10-01T08:59:58.000+0900", 1),
    ("SELECT COUNT() FROM Account WHERE LastModifiedDate = LAST_MONTH", 0),  # the first of October in Tokyo
    ("SELECT COUNT() FROM Account WHERE LastModifiedDate = THIS_MONTH", 1),
    ("SELECT COUNT() FROM Opportunity WHERE CloseDate = 2026-09-30", 2),
    ("SELECT COUNT() FROM Opportunity WHERE CloseDate > TODAY", 1),
    ("SELECT COUNT() FROM Opportunity WHERE IsWon = true", 1),
    ("SELECT COUNT() FROM Opportunity WHERE Owner.Name = 'Lee Kim'", 1),
    ("SELECT COUNT() FROM Opportunity WHERE Opportunity.Account.Owner.Name = '佐藤 花'", 3),
    ("SELECT COUNT() FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE NumberOfEmployees < 12)", 2),
    ("SELECT COUNT() FROM Account LIMIT 5", 5),
]


@pytest.mark.parametrize(("soql", "expected"), COUNTS, ids=[soql for soql, _ in COUNTS])
def test_a_condition_chooses_the_rows_it_says(sandbox: Sandbox, soql: str, expected: int) -> None:
    assert sandbox.soql(soql).json() == {"totalSize": expected, "done": True, "records": []}


def test_an_id_is_found_in_both_of_its_lengths(sandbox: Sandbox) -> None:
    for one in (ACCOUNTS[5], ACCOUNTS[5][:15]):
        assert sandbox.soql(f"SELECT Id FROM Account WHERE Id = '{one}'").json()["totalSize"] == 1


REFUSED = [
    ("SELECT Id FORM Account", "MALFORMED_QUERY"),
    ("SELECT Id, id FROM Account", "MALFORMED_QUERY"),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
    ("SELECT Id FROM Nothing__c", "INVALID_TYPE"),
    ("SELECT Id, Nothing__c FROM Account", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE Nothing__c = 1", "INVALID_FIELD"),
    ("SELECT Id, Nobody.Name FROM Account", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE SystemModstamp > 2026-01-01", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD"),
    ("SELECT Id FROM OpportunityFieldHistory WHERE NewValue = 'x'", "INVALID_FIELD"),
    ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account OFFSET 5000", "NUMBER_OUTSIDE_VALID_RANGE"),
]


@pytest.mark.parametrize(("soql", "code"), REFUSED, ids=[soql for soql, _ in REFUSED])
def test_a_wrong_query_is_refused_with_the_vendors_code(sandbox: Sandbox, soql: str, code: str) -> None:
    answer = sandbox.soql(soql)
    assert answer.status_code == 400
    assert [row["errorCode"] for row in answer.json()] == [code]
    assert answer.json()[0]["message"]


def test_pages_are_as_long_as_asked_and_give_every_row_once(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}", "Sforce-Query-Options": "batchSize=200"}
    answer = requests.get(
        f"{sandbox.base_url}{DATA}/queryAll",
        params={"q": "SELECT Id, IsDeleted FROM Account"},
        headers=headers,
        timeout=10,
    )
    page, seen, sizes = answer.json(), [], []
    while True:
        seen += [row["Id"] for row in page["records"]]
        sizes.append(len(page["records"]))
        assert page["totalSize"] == 450
        if page["done"]:
            break
        address = page["nextRecordsUrl"]
        assert address.startswith(f"{DATA}/query/01g")
        page = requests.get(sandbox.base_url + address, headers=headers, timeout=10).json()
    assert sizes == [200, 200, 50]
    assert sorted(seen) == sorted(ACCOUNTS)
    again = requests.get(sandbox.base_url + address, headers=headers, timeout=10).json()
    assert again == page, "a page can be read again"


def test_a_query_goes_on_over_its_own_rows_when_the_companys_clock_moves(moving_sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {moving_sandbox.token()}", "Sforce-Query-Options": "batchSize=200"}
    first = requests.get(
        f"{moving_sandbox.base_url}{DATA}/query",
        params={"q": "SELECT Id FROM Account ORDER BY Id DESC"},
        headers=headers,
        timeout=10,
    ).json()
    moving_sandbox.company.advance(7)
    second = requests.get(moving_sandbox.base_url + first["nextRecordsUrl"], headers=headers, timeout=10).json()
    ids = [row["Id"] for row in first["records"] + second["records"]]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 400


def test_an_unknown_locator_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.get(f"{DATA}/query/01g000000000000AAA-2000")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_parents_come_as_records_inside_the_record(sandbox: Sandbox) -> None:
    row = sandbox.soql(
        f"SELECT Name, Account.Owner.Name, Campaign.Name FROM Opportunity WHERE Id = '{DEALS[0]}'"
    ).json()["records"][0]
    assert row["attributes"]["type"] == "Opportunity" and row["Campaign"] is None
    assert row["Account"]["Owner"]["Name"] == "佐藤 花"
    assert row["Account"]["attributes"]["url"].endswith(ACCOUNTS[10])


def test_groups_are_counted_and_summed(sandbox: Sandbox) -> None:
    rows = sandbox.soql(
        "SELECT Pipeline__c, COUNT(Id) deals, SUM(Amount) FROM Opportunity GROUP BY Pipeline__c"
    ).json()["records"]
    assert {row["Pipeline__c"]: (row["deals"], row["expr0"]) for row in rows} == {
        "New Business": (1, 1_500_000.5),
        "Renewal": (2, 2_000_000.0),
    }


def test_merged_records_are_flagged_and_point_to_the_next_in_the_chain(sandbox: Sandbox) -> None:
    rows = sandbox.soql("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", "queryAll").json()["records"]
    assert {row["Id"]: row["MasterRecordId"] for row in rows} == {
        ACCOUNTS[0]: None,
        ACCOUNTS[1]: ACCOUNTS[2],
        ACCOUNTS[2]: ACCOUNTS[3],
    }
    assert sandbox.soql("SELECT Id FROM Account WHERE IsDeleted = true").json()["totalSize"] == 0


def test_history_tells_each_move_of_a_deal_and_leaves_with_a_deleted_one(sandbox: Sandbox) -> None:
    soql = f"SELECT StageName, Amount, CloseDate FROM OpportunityHistory WHERE OpportunityId = '{DEALS[0]}' ORDER BY CreatedDate"
    rows = sandbox.soql(soql).json()["records"]
    assert [(row["StageName"], row["Amount"], row["CloseDate"]) for row in rows] == [
        ("Prospecting", 1_000_000.0, "2026-09-30"),
        ("Value Proposition", 1_000_000.0, "2026-09-30"),
        ("Value Proposition", 1_500_000.5, "2026-09-30"),
        ("Value Proposition", 1_500_000.5, "2026-12-25"),
        ("Closed Won", 1_500_000.5, "2026-12-25"),
    ]
    gone = sandbox.soql(f"SELECT Id FROM OpportunityHistory WHERE OpportunityId = '{DEALS[1]}'", "queryAll")
    assert gone.json()["totalSize"] == 0


def test_field_history_has_values_of_any_type_and_two_rows_for_an_owner(sandbox: Sandbox) -> None:
    soql = f"SELECT Field, OldValue, NewValue FROM OpportunityFieldHistory WHERE OpportunityId = '{DEALS[0]}'"
    rows = {(row["Field"], row["OldValue"], row["NewValue"]) for row in sandbox.soql(soql).json()["records"]}
    assert rows == {
        ("created", None, None),
        ("StageName", "Prospecting", "Value Proposition"),
        ("Owner", USER, SECOND_USER),
        ("Owner", "佐藤 花", "Lee Kim"),
        ("Amount", 1_000_000.0, 1_500_000.5),
        ("CloseDate", "2026-09-30", "2026-12-25"),
        ("StageName", "Value Proposition", "Closed Won"),
    }


def test_ids_of_history_rows_stay_when_the_clock_moves(moving_sandbox: Sandbox) -> None:
    def ids() -> set[str]:
        return {row["Id"] for row in moving_sandbox.soql("SELECT Id FROM OpportunityHistory").json()["records"]}

    before = ids()
    moving_sandbox.company.advance(7)
    assert before < ids()


def test_a_converted_lead_names_what_it_became_and_its_history_says_when(sandbox: Sandbox) -> None:
    row = sandbox.get(f"{DATA}/sobjects/Lead/{LEADS[0]}").json()
    assert (row["Status"], row["IsConverted"], row["ConvertedDate"]) == ("Closed - Converted", True, "2026-01-25")
    assert (row["ConvertedContactId"], row["ConvertedOpportunityId"]) == (CONTACTS[0], DEALS[0])
    rows = sandbox.soql(
        f"SELECT Field, NewValue FROM LeadHistory WHERE LeadId = '{LEADS[0]}' ORDER BY CreatedDate, Id"
    ).json()
    assert [row["NewValue"] for row in rows["records"] if row["Field"] == "Status"] == [
        "Marketing Qualified",
        "Sales Qualified",
        "Closed - Converted",
    ]
    assert "leadConverted" in {row["Field"] for row in rows["records"]}


def test_a_record_is_got_by_id_with_the_fields_asked_for(sandbox: Sandbox) -> None:
    row = sandbox.get(f"{DATA}/sobjects/Account/{ACCOUNTS[5][:15]}/", fields="Name,BillingAddress").json()
    assert set(row) == {"attributes", "Name", "BillingAddress"}
    assert row["BillingAddress"]["country"] == "Japan"
    deleted, unknown = (sandbox.get(f"{DATA}/sobjects/Account/{one}") for one in (ACCOUNTS[0], "001000000000000AAA"))
    assert (deleted.status_code, deleted.json()[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert (unknown.status_code, unknown.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_the_feed_of_deletions_lists_what_was_deleted_for_good(sandbox: Sandbox) -> None:
    window = {"start": "2026-10-23T00:00:00Z", "end": "2026-10-30T09:00:00+00:00"}
    members = sandbox.get(f"{DATA}/sobjects/CampaignMember/deleted/", **window).json()
    assert members["deletedRecords"] == [{"id": MEMBERS[2], "deletedDate": "2026-10-24T09:00:00.000+0000"}]
    assert members["latestDateCovered"] == "2026-10-30T09:00:00.000+0000" and members["earliestDateAvailable"]
    accounts = sandbox.get(f"{DATA}/sobjects/Account/deleted", **window).json()
    assert [row["id"] for row in accounts["deletedRecords"]] == ACCOUNTS[:3]
    deals = sandbox.get(f"{DATA}/sobjects/Opportunity/updated/", **window).json()
    assert deals["ids"] == [DEALS[0]]


def test_a_contact_role_goes_without_a_trace(sandbox: Sandbox) -> None:
    rows = sandbox.soql("SELECT Id FROM OpportunityContactRole", "queryAll").json()["records"]
    assert {row["Id"] for row in rows} == set(ROLES_OF_DEALS[:2])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-30T00:00:00Z", "2026-10-29T00:00:00Z"),
        ("2026-10-29T00:00:10Z", "2026-10-29T00:01:50Z"),
        ("2026-09-01T00:00:00Z", "2026-10-29T00:00:00Z"),
    ],
)
def test_a_window_that_a_feed_cannot_serve_is_refused(sandbox: Sandbox, start: str, end: str) -> None:
    answer = sandbox.get(f"{DATA}/sobjects/Account/deleted/", start=start, end=end)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_REPLICATION_DATE")


def test_an_object_without_permission_is_nowhere(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(forbidden_objects=("OpportunitySplit",))
    assert "OpportunitySplit" not in {row["name"] for row in sandbox.get(f"{DATA}/sobjects").json()["sobjects"]}
    assert sandbox.get(f"{DATA}/sobjects/OpportunitySplit/describe").status_code == 404
    assert sandbox.soql("SELECT Id FROM OpportunitySplit").json()[0]["errorCode"] == "INVALID_TYPE"
    assert "OpportunitySplit" not in sandbox.line["expected"]["salesforce"]


def test_describe_tells_types_parents_and_picklists(sandbox: Sandbox) -> None:
    described = sandbox.get(f"{DATA}/sobjects/Opportunity/describe/").json()
    fields = {field["name"]: field for field in described["fields"]}
    assert {name: fields[name]["type"] for name in ("Id", "Amount", "CloseDate", "SystemModstamp", "IsWon", "Probability")} == {
        "Id": "id", "Amount": "currency", "CloseDate": "date", "SystemModstamp": "datetime", "IsWon": "boolean",
        "Probability": "percent",
    }  # fmt: skip
    assert fields["AccountId"]["referenceTo"] == ["Account"] and fields["AccountId"]["relationshipName"] == "Account"
    assert "Closed Won" in {value["value"] for value in fields["StageName"]["picklistValues"]}
    assert fields["Pipeline__c"]["custom"] and not fields["Name"]["custom"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/services/data/v62.0/nothing", 404, "NOT_FOUND"),
        ("GET", "/services/data/v12.0/sobjects", 404, "NOT_FOUND"),
        ("POST", "/services/data/v62.0/query", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_a_wrong_address_is_refused(sandbox: Sandbox, method: str, path: str, status: int, code: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}"}
    answer = requests.request(method, sandbox.base_url + path, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (status, code)


def test_an_address_that_is_too_long_is_refused(sandbox: Sandbox) -> None:
    fields = ",".join(f"Field_number_{number}__c" for number in range(900))
    assert sandbox.soql(f"SELECT {fields} FROM Account").status_code == 414


def test_versions_are_listed_without_a_token_and_localhost_answers(sandbox: Sandbox) -> None:
    for base in (sandbox.base_url, sandbox.base_url.replace("127.0.0.1", "localhost")):
        for path in ("/services/data", "/services/data/"):
            listed = requests.get(base + path, timeout=10).json()
            assert {"label", "url", "version"} == set(listed[0]) and "62.0" in {row["version"] for row in listed}


def test_search_finds_by_name_and_email(sandbox: Sandbox) -> None:
    text = (
        "FIND {taro1@c1.example} IN EMAIL FIELDS RETURNING Contact(Id, Name WHERE IsDeleted = false LIMIT 3), Lead(Id)"
    )
    rows = sandbox.get(f"{DATA}/search", q=text).json()["searchRecords"]
    assert [row["Id"] for row in rows] == [CONTACTS[1]]
    assert (
        sandbox.get(f"{DATA}/search", q="FIND {会社00}").json()["searchRecords"][0]["attributes"]["type"] == "Account"
    )
    assert sandbox.get(f"{DATA}/search", q="LOOK FOR x").json()[0]["errorCode"] == "MALFORMED_SEARCH"
