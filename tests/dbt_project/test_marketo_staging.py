"""What staging and canonical make of Marketo's rows: stages, merges, deletions, companies, touches, links to Salesforce."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlglot

from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import INSTANCES, Load, at

MARKETO = {"name": "marketo", "vendor": "marketo", "staging": "marketo", "base_url": "https://app-demo.marketo.com"}
TOOLS = (INSTANCES[0], MARKETO)


def lead(number: int, updated: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": str(number),
        "created_at": at("2026-03-01T00:00:00Z"),
        "updated_at": at(updated),
        "last_name": "山田",
        "first_name": f"太郎{number}",
        "email": f"taro{number}@yamada.example",
        "company": "山田製作所",
        "lead_status": "Known",
        **fields,
    }


def activity(
    guid: str, number: int, kind: int, when: str, value: str | None = None, **attributes: str
) -> Mapping[str, Any]:
    named = {name.replace("_", " "): value for name, value in attributes.items()}
    return {
        "marketo_guid": guid,
        "lead_id": str(number),
        "activity_date": at(when),
        "activity_type_id": kind,
        "primary_attribute_value_id": {"Lead Status": "61"}.get(value or "", "7"),
        "primary_attribute_value": value,
        "attributes": json.dumps(named, sort_keys=True),
    }


def stage(guid: str, number: int, when: str, old: str, new: str) -> Mapping[str, Any]:
    return activity(guid, number, 13, when, "Lead Status", Old_Value=old, New_Value=new)


FIELDS = ({"id": "61", "name": "leadStatus", "display_name": "Lead Status"}, {"id": "62", "name": "leadScore"})
TYPES = (
    {"id": "1", "name": "Visit Webpage"},
    {"id": "100001", "name": "Seminar"},
    {"id": "100002", "name": "Booth Visit"},
)
PROGRAM = {
    "id": "1001",
    "name": "春のセミナー",
    "type": "Event with Webinar",
    "channel": "Webinar",
    "status": "",
    "sfdc_id": "701000000000001AAA",
    "costs": json.dumps([{"cost": 2000, "startDate": "2026-04-01"}, {"cost": 500.5, "startDate": "2026-05-01"}]),
    "start_date": at("2026-04-01T00:00:00Z"),
    "created_at": at("2026-03-01T00:00:00Z"),
    "updated_at": at("2026-03-02T00:00:00Z"),
}
FIRST = Load(
    "marketo",
    "2026-04-01T00:00:00Z",
    {
        "lead_fields": FIELDS,
        "activity_types": TYPES,
        "programs": [PROGRAM],
        "leads": [
            lead(1, "2026-03-20T00:00:00Z", lead_status="Sales Qualified", sfdc_contact_id="003000000000001AAA", sfdc_lead_id="00Q000000000001AAA"),
            lead(2, "2026-03-20T00:00:00Z", sfdc_account_id="001000000000001AAA", unsubscribed=True, do_not_call=False, lead_score=12.0),
            lead(3, "2026-03-21T00:00:00Z", sfdc_account_id="001000000000001AAA", company="山田製作所 改", number_of_employees=30),
            lead(4, "2026-03-20T00:00:00Z"),
            lead(5, "2026-03-20T00:00:00Z", external_company_id="X-9"),
        ],
        "activities": [
            stage("a1", 1, "2026-03-10T01:02:03Z", "Known", "Marketing Qualified"),
            stage("a2", 1, "2026-03-20T00:00:00Z", "Marketing Qualified", "Sales Qualified"),
            activity("a3", 1, 13, "2026-03-20T00:00:00Z", "Job Title", Old_Value="課長", New_Value="部長"),
            activity("a4", 1, 32, "2026-03-15T00:00:00Z", Merge_IDs="[90, 91]"),
            activity("w1", 1, 1, "2026-03-05T00:00:00Z", "/pricing/"),
            activity("f1", 1, 2, "2026-03-06T00:00:00Z", "春のセミナー.申込"),
            activity("f2", 1, 2, "2026-03-06T02:00:00Z", "秋のセミナー.申込"),
            activity("e1", 1, 6, "2026-03-07T00:00:00Z", "春のセミナー.招待", Campaign_Run_ID="5", Step_ID="1"),
            activity("e2", 1, 10, "2026-03-07T01:00:00Z", "春のセミナー.招待", Campaign_Run_ID="5", Step_ID="1", Is_Bot_Activity="false"),
            activity("e3", 1, 11, "2026-03-07T02:00:00Z", "春のセミナー.招待", Campaign_Run_ID="5", Step_ID="1", Is_Bot_Activity="true"),
            activity("e4", 1, 8, "2026-03-08T00:00:00Z", "ほかのメール", Campaign_Run_ID="6"),
            activity("s1", 1, 100001, "2026-03-09T00:00:00Z", "春", Program="春のセミナー"),
            activity("s2", 1, 100002, "2026-03-09T00:00:00Z", "展示会"),
            activity("l1", 1, 24, "2026-03-09T00:00:00Z", "List"),
        ],
        "program_members": [
            {
                "program_id": "1001",
                "lead_id": "1",
                "status_name": "Attended",
                "membership_date": at("2026-03-06T00:00:00Z"),
                "reached_success_date": at("2026-03-09T00:00:00Z"),
                "updated_at": at("2026-03-09T00:00:00Z"),
            }
        ],
    },
)  # fmt: skip
SECOND = Load(
    "marketo",
    "2026-04-08T00:00:00Z",
    {
        "activity_types": [{"id": "100002", "name": "Fair Visit"}],
        "programs": [
            {**PROGRAM, "name": "夏のセミナー", "updated_at": at("2026-04-05T00:00:00Z")},
            {"id": "1002", "name": "秋のセミナー", "updated_at": at("2026-04-05T00:00:00Z")},
            {"id": "1003", "name": "ほかのメール", "updated_at": at("2026-04-05T00:00:00Z")},
        ],
        "leads": [
            lead(4, "2026-04-05T00:00:00Z", lead_status="Engaged"),
            {"id": "5", "_deleted": True, "_deleted_at": at("2026-04-06T00:00:00Z")},
            {"id": "2", "_deleted": True, "_deleted_at": at("2026-04-06T00:00:00Z")},
        ],
        "activities": [
            stage("a5", 4, "2026-04-05T00:00:00Z", "Known", "Engaged"),
            activity("a6", 3, 32, "2026-04-06T00:00:00Z", Merge_IDs="2"),
        ],
        "deleted_leads": [
            {"marketo_guid": "d5", "lead_id": "5", "activity_date": at("2026-04-06T00:00:00Z")},
            {"marketo_guid": "d99", "lead_id": "99", "activity_date": at("2026-04-06T00:00:00Z")},
        ],
        "program_members": [
            {"program_id": "1001", "lead_id": "1", "_deleted": True, "_deleted_at": at("2026-04-07T00:00:00Z")}
        ],
    },
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    """Built after each load, and built once after both."""
    folder = tmp_path_factory.mktemp("marketo")
    steps = Files(folder / "steps", folder / "raw.duckdb", TOOLS)
    folder.mkdir(exist_ok=True)
    steps.land(FIRST)
    steps.build()
    steps.land(SECOND)
    steps.build()
    whole = Files(folder / "whole", folder / "raw.duckdb", TOOLS)
    whole.build("--full-refresh")
    return steps, whole


def key(files: Files, source_object: str, source_id: str, system: str = "marketo") -> str:
    return str(files.rows(f"select md5('{system}|{source_object}|{source_id}')")[0][0])


def test_increments_give_what_a_full_refresh_gives(built: tuple[Files, Files]) -> None:
    steps, whole = built
    assert steps.differences(whole) == {}


def test_stages_come_from_the_changes_of_the_fields_that_the_map_names(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_field, stage, source_value, entered_at::varchar from canonical.canonical_lifecycle_event"
        f" where record_key = '{key(files, 'leads', '1')}' order by entered_at"
    )
    assert found == [
        ("leadStatus", "lead", "Known", "2026-03-01 00:00:00"),
        ("leadStatus", "mql", "Marketing Qualified", "2026-03-10 01:02:03"),
        ("leadStatus", "sql", "Sales Qualified", "2026-03-20 00:00:00"),
    ]
    later = files.rows(
        "select stage, entered_at::varchar from canonical.canonical_lifecycle_event"
        f" where record_key = '{key(files, 'leads', '4')}' order by entered_at"
    )
    assert later == [("lead", "2026-03-01 00:00:00"), ("engaged", "2026-04-05 00:00:00")]


def test_merged_leads_point_to_their_winner_seen_before_or_not(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, is_deleted, merged_into_key, email from canonical.canonical_person"
        " where source_system = 'marketo' and merged_into_key is not null order by source_id"
    )
    assert found == [
        ("2", True, key(files, "leads", "3"), "taro2@yamada.example"),
        ("90", True, key(files, "leads", "1"), None),
        ("91", True, key(files, "leads", "1"), None),
    ]
    links = files.rows(
        "select count(*) from canonical.canonical_record_link where kind = 'merged' and source_system = 'marketo'"
    )
    assert links == [(3,)]


def test_a_deleted_lead_is_flagged_and_keeps_what_was_known(built: tuple[Files, Files]) -> None:
    rows = built[0].rows(
        "select source_id, is_deleted, deleted_at::varchar, merged_into_key, full_name, company_name"
        " from canonical.canonical_person where source_system = 'marketo' and source_id in ('5', '99') order by source_id"
    )
    assert rows == [
        ("5", True, "2026-04-06 00:00:00", None, "太郎5 山田", "山田製作所"),
        ("99", True, None, None, None, None),  # deleted before it was ever read
    ]


def test_a_company_with_an_id_is_an_account_and_one_with_a_name_alone_is_not(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_object, source_id, name, employee_count, is_deleted from canonical.canonical_account"
        " where source_system = 'marketo' order by source_id"
    )
    assert found == [
        ("companies", "001000000000001AAA", "山田製作所 改", 30, False),
        ("companies", "X-9", "山田製作所", None, True),  # its only lead is gone
    ]
    people = files.rows(
        "select source_id, account_key from canonical.canonical_person where source_system = 'marketo' and source_id in ('3', '4')"
        " order by source_id"
    )
    assert people == [("3", key(files, "companies", "001000000000001AAA")), ("4", None)]


def test_salesforce_ids_link_people_companies_and_programs(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select entity_type, record_key, linked_key from canonical.canonical_record_link where kind = 'cross_reference' order by all"
    )
    assert found == sorted(
        [
            (
                "account",
                key(files, "companies", "001000000000001AAA"),
                key(files, "Account", "001000000000001AAA", "salesforce"),
            ),
            ("campaign", key(files, "programs", "1001"), key(files, "Campaign", "701000000000001AAA", "salesforce")),
            ("person", key(files, "leads", "1"), key(files, "Contact", "003000000000001AAA", "salesforce")),
            ("person", key(files, "leads", "1"), key(files, "Lead", "00Q000000000001AAA", "salesforce")),
        ]
    )


def test_touches_have_the_words_of_the_maps_and_bots_are_none(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, touch_type, channel, direction, outcome, campaign_key is not null from canonical.canonical_interaction"
        " where source_system = 'marketo' order by source_id"
    )
    assert found == [
        ("e1", "email", "email", "outbound", None, True),
        ("e2", "email_open", "newsletter", "inbound", None, True),
        ("f1", "form", "website", "inbound", "submitted", True),  # by the name that the program had then
        ("f2", "form", "website", "inbound", "submitted", True),  # the program came after it
        ("s1", "seminar", "seminar", "inbound", None, True),
        ("s2", "fair_visit", "unmapped", "inbound", None, False),
        ("w1", "web_visit", "website", "inbound", None, False),
    ]


def test_an_event_of_an_email_finds_a_program_that_comes_after_it(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select campaign_key from canonical.canonical_email_event where source_id in ('e1', 'e4') order by source_id"
    )
    assert found == [(key(files, "programs", "1001"),), (key(files, "programs", "1003"),)]


def test_events_of_an_email_share_their_send(built: tuple[Files, Files]) -> None:
    found = built[0].rows(
        "select source_id, event, is_bot, dense_rank() over (order by min_at) as send from (select *, min(occurred_at) over"
        " (partition by send_key) as min_at from canonical.canonical_email_event) order by source_id"
    )
    assert found == [
        ("e1", "sent", False, 1),
        ("e2", "opened", False, 1),
        ("e3", "clicked", True, 1),
        ("e4", "bounced", False, 2),
    ]


def test_a_program_is_a_campaign_with_its_costs_and_members(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select name, channel, campaign_type, start_date::varchar, actual_cost::double, budget, record_url"
        " from canonical.canonical_campaign where source_system = 'marketo' and source_id = '1001'"
    )
    assert found == [
        (
            "夏のセミナー",
            "seminar",
            "Event with Webinar",
            "2026-04-01",
            2500.5,
            None,
            "https://app-demo.marketo.com/#PG1001A1",
        )
    ]
    member = files.rows(
        "select source_id, status, responded_at::varchar, is_deleted, person_key, campaign_key"
        " from canonical.canonical_campaign_member where source_system = 'marketo'"
    )
    assert member == [
        ("1001:1", "Attended", "2026-03-09 00:00:00", True, key(files, "leads", "1"), key(files, "programs", "1001"))
    ]


def test_a_person_has_its_own_words(built: tuple[Files, Files]) -> None:
    row = built[0].rows(
        "select full_name, score, is_email_opted_out, is_call_opted_out, record_url from canonical.canonical_person"
        " where source_system = 'marketo' and source_id = '2'"
    )
    address = "https://app-demo.marketo.com/leadDatabase/loadLeadDetail?leadId=2"
    assert row == [("太郎2 山田", 12.0, True, False, address)]


def test_every_compiled_model_is_sql_that_spark_reads(built: tuple[Files, Files]) -> None:
    compiled = sorted((built[1].compiled / "staging" / "marketo").glob("*.sql"))
    assert len(compiled) > 15
    for path in compiled:
        sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")
