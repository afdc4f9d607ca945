"""What staging and canonical make of Account Engagement's rows: people, moves, touches, e-mails, campaigns, links, mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlglot

from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import INSTANCES, Load, at

UNIT = {
    "name": "account_engagement",
    "vendor": "account_engagement",
    "staging": "account_engagement",
    "base_url": "https://pi.pardot.com",
}
TOOLS = (INSTANCES[0], UNIT)
BORN = at("2026-03-01T00:00:00Z")


def kept(number: int, updated: str, **fields: Any) -> Mapping[str, Any]:
    return {"id": str(number), "created_at": BORN, "updated_at": at(updated), **fields}


def prospect(number: int, updated: str, **fields: Any) -> Mapping[str, Any]:
    known = {"first_name": f"太郎{number}", "last_name": "山田", "email": f"taro{number}@yamada.example"}
    return kept(number, updated, **{**known, "is_deleted": False, **fields})


def activity(number: int, person: int | None, kind: int, when: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": str(number),
        "prospect_id": None if person is None else str(person),
        "type": kind,
        "created_at": at(when),
        "updated_at": at(when),
        **fields,
    }


def move(number: int, person: int, stage: int, when: str) -> Mapping[str, Any]:
    return {"id": str(number), "prospect_id": str(person), "next_stage_id": str(stage), "created_at": at(when)}


MAIL = {"type_name": "Email", "list_email_id": "7", "email_id": "70", "campaign_id": "31", "details": "News"}
FIRST = Load(
    "account_engagement",
    "2026-04-01T00:00:00Z",
    {
        "lifecycle_stages": [
            kept(101, "2026-03-01T00:00:00Z", name="Prospect", is_deleted=False),
            kept(102, "2026-03-01T00:00:00Z", name="MQL", is_deleted=False),
            kept(103, "2026-03-01T00:00:00Z", name="Our own word", is_deleted=False),
        ],
        "campaigns": [
            kept(31, "2026-03-02T00:00:00Z", name="春の展示会", salesforce_id="701000000000001AAA", cost=1200.5, is_deleted=False),
            kept(32, "2026-03-02T00:00:00Z", name="Web", parent_campaign_id="31", is_deleted=False),
        ],
        "prospect_accounts": [
            kept(9, "2026-03-02T00:00:00Z", name="山田製作所", salesforce_id="001000000000001AAA", employees="30", is_deleted=False),
        ],
        "prospects": [
            prospect(1, "2026-03-20T00:00:00Z", salesforce_id="003000000000001AAA", salesforce_contact_id="003000000000001AAA",
                     salesforce_lead_id="00Q000000000001AAA", salesforce_owner_id="005000000000001AAA", prospect_account_id="9",
                     campaign_id="31", score=40, opted_out=False, is_do_not_email=True),
            prospect(2, "2026-03-20T00:00:00Z", salesforce_id="00Q000000000002AAA", campaign_id="32"),
            prospect(3, "2026-03-20T00:00:00Z"),
            prospect(4, "2026-03-25T00:00:00Z", is_deleted=True, _deleted=True),
        ],
        "lifecycle_histories": [
            move(1, 1, 101, "2026-03-01T00:00:00Z"),
            move(2, 1, 102, "2026-03-10T01:02:03Z"),
            move(3, 2, 103, "2026-03-11T00:00:00Z"),
        ],
        "visitor_activities": [
            activity(1, 1, 6, "2026-03-05T00:00:00Z", **MAIL),
            activity(2, 1, 11, "2026-03-05T01:00:00Z", **MAIL),
            activity(3, 1, 1, "2026-03-05T01:01:00Z", **MAIL),
            activity(4, 1, 4, "2026-03-06T00:00:00Z", type_name="Form", form_id="5", details="資料請求"),
            activity(5, 1, 20, "2026-03-06T00:00:00Z", type_name="Visit", details="4 page views"),
            activity(6, 1, 2, "2026-03-06T00:00:00Z", type_name="Form", form_id="5"),
            activity(7, None, 20, "2026-03-07T00:00:00Z", type_name="Visit"),
            activity(8, 2, 1, "2026-03-07T00:00:00Z", type_name="Custom Redirect", details="Catalogue"),
            activity(9, 2, 13, "2026-03-08T00:00:00Z", **MAIL),
            activity(10, 2, 24, "2026-03-09T00:00:00Z", type_name="Webinar", details="DX"),
        ],
        "opportunities": [
            kept(90, "2026-03-20T00:00:00Z", name="山田製作所 新規", salesforce_id="006000000000001AAA", value=1000, stage="proposal",
                 campaign_id="31", closed_at=at("2026-05-01T00:00:00Z")),
            kept(91, "2026-03-20T00:00:00Z", name="By hand", value=10),
        ],
    },
)  # fmt: skip
SECOND = Load(
    "account_engagement",
    "2026-04-08T00:00:00Z",
    {
        "lifecycle_stages": [kept(103, "2026-04-02T00:00:00Z", name="SQL", is_deleted=False)],
        "prospects": [
            prospect(2, "2026-04-05T00:00:00Z", salesforce_id="003000000000002AAA", salesforce_contact_id="003000000000002AAA",
                     salesforce_lead_id="00Q000000000002AAA"),
            prospect(4, "2026-04-06T00:00:00Z", is_deleted=False),  # taken out of the recycle bin
            {"id": "3", "_deleted": True},  # deleted for good
        ],
        "lifecycle_histories": [move(4, 4, 102, "2026-04-06T00:00:00Z")],
        "visitor_activities": [
            {**activity(7, 2, 20, "2026-03-07T00:00:00Z", type_name="Visit"), "updated_at": at("2026-04-05T00:00:00Z")},
        ],
        "opportunities": [{"id": "90", "_deleted": True}],
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    """Built after each load, and built once after both."""
    folder = tmp_path_factory.mktemp("account_engagement")
    steps = Files(folder / "steps", folder / "raw.duckdb", TOOLS)
    steps.land(FIRST)
    steps.build()
    steps.land(SECOND)
    steps.build()
    whole = Files(folder / "whole", folder / "raw.duckdb", TOOLS)
    whole.build("--full-refresh")
    return steps, whole


def key(files: Files, source_object: str, source_id: str, system: str = "account_engagement") -> str:
    return str(files.rows(f"select md5('{system}|{source_object}|{source_id}')")[0][0])


def test_increments_give_what_a_full_refresh_gives(built: tuple[Files, Files]) -> None:
    steps, whole = built
    assert steps.differences(whole) == {}


def test_the_recycle_bin_flags_deleting_for_good_too_and_what_comes_back_is_there(built: tuple[Files, Files]) -> None:
    found = built[0].rows(
        "select source_id, is_deleted, full_name, email from canonical.canonical_person"
        " where source_system = 'account_engagement' order by source_id"
    )
    assert found == [
        ("1", False, "太郎1 山田", "taro1@yamada.example"),
        ("2", False, "太郎2 山田", "taro2@yamada.example"),
        ("3", True, "太郎3 山田", "taro3@yamada.example"),
        ("4", False, "太郎4 山田", "taro4@yamada.example"),
    ]


def test_a_person_carries_account_owner_score_opt_out_and_address(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select account_key, owner_key, score, is_email_opted_out, record_url from canonical.canonical_person"
        f" where record_key = '{key(files, 'prospects', '1')}'"
    )
    account, owner = key(files, "prospect-accounts", "9"), key(files, "User", "005000000000001AAA", "salesforce")
    assert found == [(account, owner, 40.0, True, "https://pi.pardot.com/prospect/read/id/1")]


def test_moves_through_the_lifecycle_are_stages_and_a_renamed_stage_is_read_again(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select p.source_id, e.stage, e.source_value, e.entered_at::varchar from canonical.canonical_lifecycle_event e"
        " join canonical.canonical_person p using (record_key) where e.source_system = 'account_engagement' order by all"
    )
    assert found == [
        ("1", "lead", "Prospect", "2026-03-01 00:00:00"),
        ("1", "mql", "MQL", "2026-03-10 01:02:03"),
        ("2", "sql", "SQL", "2026-03-11 00:00:00"),
        ("4", "mql", "MQL", "2026-04-06 00:00:00"),
    ]


def test_activities_are_touches_and_a_visitor_who_becomes_known_brings_its_own(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, touch_type, channel, direction, outcome, campaign_key is not null, person_key from"
        " canonical.canonical_interaction where source_system = 'account_engagement' order by source_id::int"
    )
    first, second = key(files, "prospects", "1"), key(files, "prospects", "2")
    assert found == [
        ("1", "email", "email", "outbound", None, True, first),
        ("2", "email_open", "newsletter", "inbound", None, True, first),
        ("3", "email_click", "newsletter", "inbound", None, True, first),
        ("4", "form", "website", "inbound", "submitted", False, first),
        ("5", "web_visit", "website", "inbound", None, False, first),
        ("7", "web_visit", "website", "inbound", None, False, second),
        ("8", "web_visit", "website", "inbound", None, False, second),
        ("10", "seminar", "seminar", "inbound", None, False, second),
    ]


def test_events_of_an_email_share_their_send(built: tuple[Files, Files]) -> None:
    found = built[0].rows(
        "select source_id, event, dense_rank() over (order by first_at) as send from (select *, min(occurred_at) over"
        " (partition by send_key) as first_at from canonical.canonical_email_event) order by source_id::int"
    )
    assert found == [("1", "sent", 1), ("2", "opened", 1), ("3", "clicked", 1), ("9", "bounced", 2)]


def test_the_campaign_by_which_a_prospect_came_is_its_membership_until_it_has_none(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, campaign_key, person_key, is_deleted from canonical.canonical_campaign_member"
        " where source_system = 'account_engagement' order by source_id"
    )
    assert found == [
        ("1", key(files, "campaigns", "31"), key(files, "prospects", "1"), False),
        ("2", key(files, "campaigns", "32"), key(files, "prospects", "2"), True),
    ]
    campaigns = files.rows(
        "select name, parent_key, actual_cost::double from canonical.canonical_campaign"
        " where source_system = 'account_engagement' order by source_id"
    )
    assert campaigns == [("春の展示会", None, 1200.5), ("Web", key(files, "campaigns", "31"), None)]


def test_salesforce_ids_link_people_accounts_campaigns_and_opportunities(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select entity_type, kind, record_key, linked_key from canonical.canonical_record_link"
        " where source_system = 'account_engagement'"
    )
    wanted = [
        ("account", "cross_reference", ("prospect-accounts", "9"), ("Account", "001000000000001AAA")),
        ("campaign", "cross_reference", ("campaigns", "31"), ("Campaign", "701000000000001AAA")),
        ("opportunity", "mirror", ("opportunities", "90"), ("Opportunity", "006000000000001AAA")),
        ("person", "cross_reference", ("prospects", "1"), ("Contact", "003000000000001AAA")),
        ("person", "cross_reference", ("prospects", "1"), ("Lead", "00Q000000000001AAA")),
        ("person", "cross_reference", ("prospects", "2"), ("Contact", "003000000000002AAA")),
        ("person", "cross_reference", ("prospects", "2"), ("Lead", "00Q000000000002AAA")),
    ]
    assert sorted(found) == sorted(
        (entity, kind, key(files, *own), key(files, *other, "salesforce")) for entity, kind, own, other in wanted
    )


def test_opportunities_are_mirrors_and_nothing_more(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, mirror_of_key, is_deleted, close_date::varchar from canonical.canonical_opportunity"
        " where source_system = 'account_engagement'"
    )
    assert found == [("90", key(files, "Opportunity", "006000000000001AAA", "salesforce"), True, "2026-05-01")]
    versions = "select count(*) from canonical.canonical_opportunity_version where source_system = 'account_engagement'"
    assert files.rows(versions) == [(0,)]


def test_every_compiled_model_is_sql_that_spark_reads(built: tuple[Files, Files]) -> None:
    compiled = sorted((built[1].compiled / "staging" / "account_engagement").glob("*.sql"))
    assert len(compiled) > 15
    for path in compiled:
        sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")
