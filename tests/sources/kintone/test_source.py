"""The kintone source with plain dlt into a DuckDB of the test's own: what is loaded, and with how many requests."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sources.demo.company import COMPANY_START_NOW
from sources.kintone import MAPPING
from sources.stream import Window
from tests.sources.kintone.conftest import Loader, newest
from tests.sources.kintone.domain import ACTIVITIES, CONTACTS, CUSTOMERS, DEALS, hand_made_company, serving

TABLE = {
    "customers": "account",
    "contacts": "person",
    "deals": "opportunity",
    "activities": "activity",
    "products": "product",
    "users": "sales_user",
}


def test_a_first_load_holds_everything_that_the_sandbox_expects(loader: Loader) -> None:
    notes = loader.run()
    expected = loader.served.line["expected"]["kintone"]
    assert expected["customers"] == CUSTOMERS and expected["contacts"] == CONTACTS - 1 and expected["deals"] == DEALS
    found = {app: loader.rows(f"select count(*) from raw_kintone.{table}")[0][0] for app, table in TABLE.items()}
    assert found == expected
    assert notes.rows["opportunity_line"] == 2 * DEALS and notes.rows["opportunity_person"] == DEALS
    assert notes.quarantined == {} and notes.skipped == {}
    counts = dict(loader.rows("select object, live_count from raw_kintone.vendor_count"))
    assert counts == {app: count for app, count in expected.items() if app != "users"}


def test_a_first_load_asks_each_app_once_for_its_form_and_once_a_page(loader: Loader) -> None:
    notes = loader.run()
    log = loader.served.domain.log
    assert len([call for call in log if call.path == "app/form/fields.json"]) == len(TABLE)
    pages = [call for call in log if call.path == "records.json"]
    assert len(pages) == len(TABLE)  # subtables come with their deals; what was read needs neither listing nor count
    assert notes.requests == len(log) == 2 * len(TABLE)


def test_texts_numbers_dates_choices_and_look_ups_land_typed(loader: Loader) -> None:
    loader.run()
    deal = loader.rows(
        "select source_object, source_id, account_ref, person_ref, owner_ref, opportunity_type, pipeline, stage, amount,"
        " probability, forecast_category, expected_close_date, currency, created_at::varchar, record_path, loss_reason"
        " from raw_kintone.opportunity where id = 'deals|1'"
    )
    assert deal == [
        (
            "deals", "1", "customers|1", "contacts|1", "users|shota", "renewal", "契約更新", "提案中",
            Decimal("1234567.500000000"), 0.5, "best_case", date(2026, 12, 31), "JPY", "2026-03-07 01:02:00+00",
            "/k/13/show#record=1", None,
        )
    ]  # fmt: skip
    names = dict(loader.rows("select source_id, name from raw_kintone.account where source_id in ('1', '2')"))
    assert names == {"1": "株式会社山田1 😀", "2": '"山田" \\ 商事\n'}
    parents = loader.rows("select source_id, parent_ref from raw_kintone.account where parent_ref is not null")
    assert parents == [("2", "customers|1")]


def test_subtables_are_rows_with_their_deal_and_the_deal_names_them(loader: Loader) -> None:
    loader.run()
    line = loader.rows(
        "select opportunity_ref, product_ref, quantity, amount, service_start_date, service_end_date, is_recurring,"
        " source_object, subtable from raw_kintone.opportunity_line where source_id in ('3', '4') order by source_id"
    )
    start = date(2027, 1, 1)
    same = ("deals|2", "products|1", 2.0, Decimal("200.500000000"), start, None)
    assert line == [(*same, False, "deal_lines", "明細"), (*same, True, "deal_lines", "明細")]
    named = loader.rows("select subtable_rows from raw_kintone.opportunity where id = 'deals|2'")
    assert named == [("deal_lines|3,deal_lines|4,deals_contacts|2",)]


def test_lines_read_without_their_deals_are_the_same(loader: Loader) -> None:
    notes = loader.run(streams=["opportunity_line"])
    assert notes.rows["opportunity_line"] == 2 * DEALS


def test_what_no_column_names_is_kept_and_labels_have_a_table(loader: Loader) -> None:
    loader.run()
    kept = json.loads(loader.rows("select unmapped_columns from raw_kintone.account where source_id = '5'")[0][0])
    assert kept == {"備考": "担当替えあり\n要確認", "作成者": "shota", "更新者": "shota"}
    labels = loader.rows(
        "select label, type, entity, columns, subtable from raw_kintone.app_field where app = 'customers' and"
        " field_code = '会社名' union all select label, type, entity, columns, subtable from raw_kintone.app_field"
        " where app = 'deals' and field_code = '小計'"
    )
    assert labels == [
        ("会社名（正式名称）", "SINGLE_LINE_TEXT", "account", "name", None),
        ("小計", "CALC", "opportunity_line", "amount", "明細"),
    ]


def test_users_of_user_fields_are_known_even_if_no_app_lists_them(loader: Loader) -> None:
    loader.run()
    assert dict(loader.rows("select code, name from raw_kintone.field_user")) == {
        "Administrator": "Administrator", "akemi": "井上 明美", "shota": "遠藤 翔太", "taro": "taro",
    }  # fmt: skip
    assert loader.rows("select id, manager_ref from raw_kintone.sales_user where source_id = 'shota'") == [
        ("users|shota", "users|akemi")
    ]


def test_the_next_window_brings_what_changed_and_the_sweep_what_is_gone(loader: Loader) -> None:
    loader.run()
    loader.served.company.advance(4)
    notes = loader.run()
    assert notes.rows["account"] == 1 and notes.rows["opportunity"] == 2 and notes.rows["person"] == 0
    assert loader.rows(f"select account_type from ({newest('account')}) where source_id = '3'") == [("former",)]
    stage = loader.rows(f"select stage, updated_at::varchar from ({newest('opportunity')}) where source_id = '1'")
    assert stage == [("受注", "2026-11-02 09:00:00+00")]
    named = loader.rows(f"select subtable_rows from ({newest('opportunity')}) where source_id = '2'")
    assert named == [("deal_lines|4,deal_lines|99,deals_contacts|2",)]
    seen = loader.rows(
        "select key from raw_kintone._seen where stream = 'person' and _dlt_load_id ="
        " (select max(_dlt_load_id) from raw_kintone._seen)"
    )
    alive = {row[0] for row in seen}
    assert None in alive and "contacts|6" not in alive and "contacts|7" in alive and len(alive) == CONTACTS - 2 + 1


def test_a_sweep_lists_record_numbers_only_and_not_in_every_run(loader: Loader) -> None:
    loader.run()
    loader.served.company.advance(4)
    loader.run()
    listings = [asked for asked in loader.served.asked("records.json") if asked.get("fields") == ["$id"]]
    assert (
        len([one for one in listings if "order by $id" in one["query"]]) == len(listings) == 5
    )  # and the counts with them
    loader.clock = loader.served.company.now + timedelta(hours=1)
    loader.run()
    again = [asked for asked in loader.served.asked("records.json") if asked.get("fields") == ["$id"]][5:]
    assert [one["query"] for one in again] == ["limit 1"] * 5  # the counts alone


def test_a_record_saved_later_in_the_minute_that_was_read_is_not_lost(loader: Loader) -> None:
    loader.run()
    until = COMPANY_START_NOW - timedelta(minutes=5)  # the lag; the state keeps it as the window's end
    start = loader.run().windows["account"].start
    assert start is not None and start <= until.replace(second=0) - timedelta(minutes=1)
    queries = [asked["query"] for asked in loader.served.asked("records.json") if asked["app"] == "11"]
    asked = [query for query in queries if "更新日時" in query]
    assert asked == ['(更新日時 >= "2026-10-30T08:53:00Z") and $id > 0 order by $id asc limit 500']


def test_a_window_begins_with_a_whole_minute(loader: Loader) -> None:
    loader.clock = COMPANY_START_NOW + timedelta(seconds=47)
    loader.run(streams=["account"])
    loader.run(streams=["account"])
    assert '更新日時 >= "2026-10-30T08:53:00Z"' in loader.served.asked("records.json")[-2]["query"]


def test_a_backfill_reads_its_window_and_moves_no_state(loader: Loader) -> None:
    loader.run()
    start, end = COMPANY_START_NOW.replace(month=3, day=8), COMPANY_START_NOW.replace(month=3, day=10)
    notes = loader.run(window=Window(start, end), streams=["opportunity", "opportunity_line"])
    assert notes.rows == {"opportunity": 2, "opportunity_line": 4}
    assert loader.run().windows["opportunity"].start == COMPANY_START_NOW - timedelta(minutes=7)


def test_more_than_ten_thousand_records_of_one_minute_are_read_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    with serving(hand_made_company(crowded=True), tmp_path) as served:
        loader = Loader(served, tmp_path)
        assert loader.run(streams=["activity"]).rows["activity"] == ACTIVITIES
        assert loader.rows("select count(distinct id) from raw_kintone.activity") == [(ACTIVITIES,)]
        assert all("offset" not in asked["query"] for asked in served.asked("records.json"))
        assert len(served.asked("records.json")) == ACTIVITIES // 500 + 1
        first = Window(COMPANY_START_NOW.replace(month=9, day=1, hour=3, minute=4), COMPANY_START_NOW)
        assert loader.run(streams=["activity"], window=first).rows["activity"] == ACTIVITIES


def test_a_company_may_map_its_own_apps_by_keys_of_its_own(loader: Loader, tmp_path: Path) -> None:
    text = MAPPING.read_text(encoding="utf-8")
    text = text.replace("  customers:\n    entity: account\n", "  customers:\n    entity: account\n    key: 会社名\n")
    mapping = tmp_path / "own.yaml"
    mapping.write_text(
        text.replace("      street: 番地\n", "      city: [市区町村, 番地]\n").replace("      city: 市区町村\n", ""),
        encoding="utf-8",
    )
    loader.settings["mapping"] = str(mapping)
    loader.run(streams=["account"])
    found = loader.rows("select id, source_id, name from raw_kintone.account where record_path like '%=1'")
    assert found == [("customers|株式会社山田1 😀", "株式会社山田1 😀", "株式会社山田1 😀")]


def test_a_first_listing_that_was_cut_goes_on_after_its_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    with serving(hand_made_company(crowded=True), tmp_path) as served:
        loader = Loader(served, tmp_path, window_rows=4_000)
        parts = [loader.run(streams=["activity"]) for _ in range(3)]
        assert [notes.cut for notes in parts] == [["activity"], ["activity"], []]
        assert sum(notes.rows["activity"] for notes in parts) == ACTIVITIES, "no page comes again"
        assert loader.rows("select count(distinct id) from raw_kintone.activity") == [(ACTIVITIES,)]
        listed = [asked for asked in served.asked("records.json") if asked.get("fields") == ["$id"]]
        listed = [one for one in listed if "order by $id" in one["query"]]
        assert len(listed) == ACTIVITIES // 500 + 1  # a part knows not all that lives
        assert loader.run(streams=["activity"]).rows["activity"] == 0


def test_a_first_listing_that_is_cut_behind_each_page_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    with serving(hand_made_company(crowded=True), tmp_path) as served:
        loader = Loader(served, tmp_path, window_rows=500)
        read = 0
        for _ in range(3):
            read += loader.run(streams=["activity"]).rows["activity"]
        assert read == 1_500
        assert loader.rows("select count(distinct id) from raw_kintone.activity") == [(1_500,)]
