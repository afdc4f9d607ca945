"""The Marketo source with plain dlt into a DuckDB of the test's own: what is loaded, and with how many requests."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sources.demo.company import COMPANY_START_NOW
from sources.marketo import VENDOR, api, leads
from sources.marketo.sandbox.wire import Call
from sources.stream import Window
from tests.sources.marketo.conftest import Loader, newest
from tests.sources.marketo.subscription import FIRST, LEADS


def test_a_first_load_holds_everything_that_the_sandbox_expects(loader: Loader) -> None:
    notes = loader.run()
    expected = loader.served.line["expected"]["marketo"]
    assert {name: loader.live(name) for name in expected} == expected
    assert expected["leads"] == LEADS - 14 - 2
    assert notes.quarantined == {} and notes.skipped == {}
    assert loader.rows("select count(*) from raw_marketo.vendor_count")[0][0] == 0  # Marketo counts nothing itself


def test_a_first_load_costs_four_requests_a_month_of_leads_and_of_activities(loader: Loader) -> None:
    notes = loader.run()
    asked = Counter(path.rpartition("/")[2] if "/export/" in path else path for _, path in loader.served.seen)
    months = 9  # since 2026-02-01, 31 days each
    assert asked["create.json"] == asked["enqueue.json"] == asked["status.json"] == 2 * months + 3  # and 23 programs
    assert asked["file.json"] < 2 * months  # not where a job has no records
    assert asked["/rest/v1/activities.json"] == asked["/rest/v1/leads.json"] == 0
    assert notes.requests == len(loader.served.seen)


def test_values_are_typed_by_describe_and_text_survives_the_export(loader: Loader) -> None:
    loader.run(streams=["leads"])
    row = loader.rows(
        "select last_name, first_name, lead_score, unsubscribed, do_not_call, created_at::varchar, sfdc_lead_id, lead_status,"
        f" title, number_of_employees, date_of_birth from raw_marketo.leads where id = '{FIRST + 3}'"
    )[0]
    assert row == (
        "山田, 太郎", "太郎3 😀", 10.0, False, False, "2026-03-07 01:02:03+00", None, "Known", "部長", None, None,
    )  # fmt: skip
    even = loader.rows(
        f"select first_name, sfdc_lead_id, lead_status, lead_score from raw_marketo.leads where id = '{FIRST + 20}'"
    )
    assert even == [('Anna "A"\nline', "00Q5i0000000020AAA", "Marketing Qualified", 35.0)]
    types = dict(loader.rows("select column_name, data_type from duckdb_columns() where table_name = 'leads'"))
    assert "full_name" not in types  # a formula: an export refuses it
    assert types["lead_score"] == "DOUBLE" and types["date_of_birth"] == "DATE" and types["unsubscribed"] == "BOOLEAN"


def test_the_next_window_brings_what_changed_what_was_deleted_and_what_was_merged(loader: Loader) -> None:
    loader.run()
    loader.served.company.advance(4)
    loader.served.seen.clear()
    notes = loader.run()
    expected = loader.served.line["expected"]["marketo"]
    assert {name: loader.live(name) for name in expected} != expected  # the line is of the first day
    expected = loader.served.subscription.store.counts()
    del expected["activities"], expected["static_list_members"]  # what deleted leads did is kept
    assert {name: loader.live(name) for name in expected} == expected
    changed = loader.rows(
        f"select id, title, lead_status, sfdc_lead_id, sfdc_contact_id from ({newest('leads')})"
        f" where id in ('{FIRST + 20}', '{FIRST + 400}', '{FIRST + LEADS}') order by id"
    )
    assert changed == [
        (str(FIRST + 20), "課長", "Sales Qualified", "00Q5i0000000020AAA", "0035i000000012XAAQ"),
        (str(FIRST + 400), "課長", "Sales Qualified", "00Q5i0000000400AAA", "0035i000000012XAAQ"),
        (str(FIRST + LEADS), None, "Known", "00Q5i0000000700AAA", None),
    ]
    gone = loader.rows(
        f"select id, _deleted_at::varchar, email from ({newest('leads')}) where _deleted and id in ('{FIRST + 31}', '{FIRST + 33}')"
        " order by id"
    )
    assert gone == [
        (str(FIRST + 31), "2026-11-02 09:00:00+00", None),
        (str(FIRST + 33), "2026-11-02 09:00:00+00", None),
    ]
    assert notes.rows["leads"] == 7  # four that changed, the winner of a merge, two that are gone
    asked = Counter(path for _, path in loader.served.seen)
    assert asked["/rest/v1/activities.json"] == 3 and asked["/rest/v1/leads.json"] == 1
    assert not any("/bulk/" in path for path in asked)


def test_program_members_and_list_members_follow_their_activities(loader: Loader) -> None:
    loader.run()
    loader.served.company.advance(4)
    loader.run()
    member = loader.rows(
        "select status_name, reached_success, reached_success_date::varchar, membership_date is not null from "
        f"({newest('program_members')}) where program_id = '1003' and lead_id = '{FIRST + 28}'"
    )
    assert member == [("Clicked", True, "2026-11-02 09:00:00+00", True)]
    lists = loader.rows(
        f"select list_id, lead_id, _deleted from raw_marketo.static_list_members where lead_id in ('{FIRST + 30}', '{FIRST + LEADS}')"
        " order by lead_id, _dlt_load_id, _seq"
    )
    assert lists == [
        ("1001", str(FIRST + 30), False),
        ("1001", str(FIRST + 30), True),
        ("1002", str(FIRST + LEADS), False),
    ]


def test_a_program_carries_its_channel_dates_and_salesforce_id(loader: Loader) -> None:
    loader.run(streams=["programs"])
    row = loader.rows(
        "select name, type, channel, sfdc_id, start_date::varchar, created_at::varchar, folder_name, costs from raw_marketo.programs"
        " where id = '1002'"
    )[0]
    assert row == (
        "2026 プログラム 1", "Email", "Email Send", "7015i0000000001AAA", "2026-04-01 00:00:00+00", "2026-03-07 01:02:03+00",
        "Marketing", None,
    )  # fmt: skip


def test_attributes_are_one_object_of_texts(loader: Loader) -> None:
    loader.run(streams=["activities"])
    merged = loader.rows(
        "select lead_id, attributes from raw_marketo.activities where activity_type_id = 32 order by activity_date"
    )
    assert [lead for lead, _ in merged] == [
        str(FIRST + 13)
    ] * 2  # what stood in the log of a merged lead is the winner's
    assert [json.loads(text)["Merge IDs"] for _, text in merged] == [f"[{FIRST + 11}]", f"[{FIRST + 12}]"]
    sent = loader.rows("select attributes from raw_marketo.activities where activity_type_id = 6 limit 1")[0][0]
    assert json.loads(sent)["Step ID"] == "1" and list(json.loads(sent)) == sorted(json.loads(sent))


def test_exports_and_pages_give_the_same_rows_to_the_last_bit(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader.run(streams=["activities", "leads", "program_members"])
    other = Loader(loader.served, tmp_path / "pages", {"since": "2026-03-01"})
    monkeypatch.setattr(api, "BULK_FROM", timedelta(days=10_000))
    monkeypatch.setattr(leads, "BULK_FROM", timedelta(days=10_000))
    whole = Window(COMPANY_START_NOW - timedelta(days=1_090), COMPANY_START_NOW)
    loader.served.seen.clear()
    other.run(streams=["activities", "leads", "program_members"], window=whole)
    assert loader.served.count("/bulk/") == 0 and loader.served.count("/rest/v1/leads.json") == 3
    for table in ("activities", "leads", "program_members"):
        query = f"select {', '.join(VENDOR.stream(table).key)}, _hash from ({newest(table)}) where not _deleted order by all"
        assert loader.rows(query) == other.rows(query), table
    assert loader.live("activities") > 3_000 and loader.live("leads") > 600


def test_an_activity_at_the_edge_of_a_window_is_not_lost_and_not_doubled(loader: Loader) -> None:
    """Windows end on a second at which many activities lie, and the next begins there."""
    edge = COMPANY_START_NOW.replace(year=2026, month=6, day=4, hour=1, minute=2, second=3)  # 600 at this instant
    span = timedelta(days=3)
    for window in (
        Window(edge - span, edge),
        Window(edge, edge + span),
        Window(edge - timedelta(hours=1), edge + span),
    ):
        loader.run(streams=["activities"], window=window)
    found = loader.rows(
        "select count(distinct marketo_guid), count(distinct (marketo_guid, _hash)) from raw_marketo.activities"
        f" where activity_date = '{edge.isoformat()}'"
    )[0]
    there = loader.served.subscription.store.one(
        f'select count(*) from {loader.served.subscription.store.table("activities")} where "at" = ?',
        [edge.replace(tzinfo=None)],
    )
    assert found == (there, there) and there > 500


def test_what_was_written_late_is_found_by_the_next_window(loader: Loader) -> None:
    """A row with an earlier date than the last window's end; the look-back of an hour reaches it."""
    loader.run(streams=["activities"])
    until = COMPANY_START_NOW - timedelta(minutes=5)
    late = until - timedelta(minutes=20)
    con = loader.served.company.cursor()
    con.execute(
        "insert into company.activity_versions by name select * replace ('999' as source_id, ? as \"at\", ? as occurred_at)"
        " from company.activity_versions where source_id = '800000001'",
        [late.replace(tzinfo=None)] * 2,
    )
    loader.served.company.advance(1)
    loader.run(streams=["activities"])
    assert loader.rows("select count(*) from raw_marketo.activities where marketo_guid = '999'") == [(1,)]


def test_a_long_pause_reads_by_updated_at_or_everything_where_that_filter_is_not_there(loader: Loader) -> None:
    loader.run(streams=["leads"])
    loader.served.subscription.exports.updated_at_filter = False
    loader.served.company.advance(20)
    loader.served.seen.clear()
    loader.run(streams=["leads"])  # 20 days: by the activities
    assert loader.served.count("/rest/v1/leads.json") == 1
    assert loader.served.count("create.json") == 1  # refused with 1035
    loader.served.company.advance(100)
    loader.served.seen.clear()
    notes = loader.run(streams=["leads"])  # longer than changes are kept: all leads again
    assert loader.served.count("/rest/v1/leads.json") == 0
    assert notes.rows["leads"] >= loader.served.subscription.store.counts()["leads"]
    assert loader.live("leads") == loader.served.subscription.store.counts()["leads"]


def test_a_window_longer_than_a_week_is_read_by_exports_of_what_changed(loader: Loader) -> None:
    loader.run()
    loader.served.company.advance(10)
    loader.served.seen.clear()
    notes = loader.run()
    expected = loader.served.subscription.store.counts()
    for name in ("leads", "programs", "program_members", "deleted_leads"):
        assert loader.live(name) == expected[name], name
    assert notes.rows["leads"] == 7 and notes.skipped == {} and notes.quarantined == {}
    assert loader.served.count("create.json") == 2  # one of activities, one of leads
    assert loader.served.count("/rest/v1/activities.json") == loader.served.count("/rest/v1/leads.json") == 0
    filters = [job.filter for job in loader.served.subscription.exports.jobs.values() if job.kind == "leads"]
    assert list(filters[-1]) == ["updatedAt"]


def test_a_pause_of_more_than_two_weeks_says_that_deletions_are_lost(loader: Loader) -> None:
    loader.run(streams=["leads"])
    loader.served.company.advance(13)
    assert loader.run(streams=["leads"]).quarantined == {}
    loader.served.company.advance(16)
    assert loader.run(streams=["leads"]).quarantined == {"leads": 1}
    reason = loader.rows("select reason from raw_marketo.quarantine")[0][0]
    assert "keeps deletions for 14 days" in reason and "2026-11-12" in reason


def test_a_backfill_reads_its_window_and_moves_no_state(loader: Loader) -> None:
    loader.run()
    window = Window(COMPANY_START_NOW - timedelta(days=40), COMPANY_START_NOW - timedelta(days=5))
    notes = loader.run(streams=["activities", "leads"], window=window)
    assert notes.rows["activities"] > 100
    loader.served.seen.clear()
    assert loader.run(streams=["activities"]).windows["activities"].start == COMPANY_START_NOW - timedelta(minutes=65)


def test_only_the_wanted_fields_are_asked_for(loader: Loader) -> None:
    loader.settings["lead_fields"] = "email, leadStatus"
    loader.run(streams=["leads"])
    assert loader.rows(
        "select count(email), count(lead_status), count(company), count(created_at) from raw_marketo.leads"
    ) == [(684, 684, 0, 684)]
    job = next(one for one in loader.served.subscription.exports.jobs.values() if one.kind == "leads")
    assert list(job.fields) == ["id", "createdAt", "updatedAt", "email", "leadStatus"]


def test_a_field_made_since_the_last_run_is_a_new_column(loader: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    from sources.marketo.sandbox import rest, words

    loader.run(streams=["leads"])
    field = words.LeadField(2001, "favouriteColour", "Favourite Colour", "string", "null::varchar")
    monkeypatch.setattr(words, "FIELDS", (*words.FIELDS, replace(field, sql="'青'")))
    monkeypatch.setitem(rest._LEAD_FIELDS, field.name, field)
    loader.served.company.advance(4)
    loader.run(streams=["leads"])
    assert loader.rows(
        "select distinct favourite_colour from raw_marketo.leads where favourite_colour is not null"
    ) == [("青",)]


def test_a_token_that_expires_in_the_middle_is_renewed(loader: Loader) -> None:
    def expire(_call: Call) -> None:
        loader.served.subscription.tokens._ends = 0.0

    for path in ("create.json", "file.json", "program/1010.json", "lists/1001/leads.json"):
        loader.served.subscription.fail(path, expire, times=2)
    notes = loader.run()
    assert loader.served.subscription.limits.errors["602"] == 6
    assert loader.served.count("/identity/oauth/token") == 1 + 6
    expected = loader.served.line["expected"]["marketo"]
    assert {name: loader.live(name) for name in expected} == expected
    assert notes.skipped == {} and notes.requests == len(loader.served.seen)


def test_limits_say_what_was_used(loader: Loader) -> None:
    from sources.config import read_config
    from sources.marketo.wire import Wire

    config = read_config(VENDOR.params, "marketo", loader.served.config)
    connection = api.Marketo(config, Wire(config), lambda: COMPANY_START_NOW)
    assert connection.limits() == {"API calls today, of all services": "1 used", "calls": "none"}
    connection.close()
