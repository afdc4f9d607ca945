"""What staging and canonical make of the rows of kintone's apps: histories from versions, subtables, users, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlglot

from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import Load, at

KINTONE = {"name": "kintone", "vendor": "kintone", "staging": "kintone", "base_url": "https://example.cybozu.com/"}
OSAKA = {"name": "kintone_osaka", "vendor": "kintone", "staging": "kintone", "base_url": "https://osaka.cybozu.com"}


def record(app: str, number: int | str, created: str, updated: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": f"{app}|{number}",
        "source_object": app,
        "source_id": str(number),
        "created_at": at(created),
        "updated_at": at(updated),
        "record_path": f"/k/13/show#record={number}",
        **fields,
    }


def deal(number: int, created: str, updated: str, stage: str, **fields: Any) -> Mapping[str, Any]:
    given: dict[str, Any] = {
        "name": f"案件{number}", "account_ref": "customers|1", "person_ref": "contacts|1", "owner_ref": "users|shota",
        "pipeline": "契約更新", "stage": stage, "assumed_created_stage": "提案中", "amount": Decimal("1000.50"),
        "currency": "JPY", "probability": 0.5, "expected_close_date": date(2026, 6, 30), "close_date": date(2026, 6, 30),
        "opportunity_type": "renewal", "subtable_rows": "",
    }  # fmt: skip
    return record("deals", number, created, updated, **{**given, **fields})


def line(number: int, parent: int, updated: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": f"deal_lines|{number}", "source_object": "deal_lines", "source_id": str(number), "subtable": "明細",
        "opportunity_ref": f"deals|{parent}", "product_ref": "products|1", "amount": Decimal("500"), "quantity": 1.0,
        "updated_at": at(updated), "record_path": f"/k/13/show#record={parent}", **fields,
    }  # fmt: skip


def gone(table_id: str) -> Mapping[str, Any]:
    return {"id": table_id, "_deleted": True}


CREATED, CHANGED = "2026-03-01T00:00:00Z", "2026-03-20T02:30:00Z"
FIRST = Load(
    "kintone",
    "2026-04-01T00:00:00Z",
    {
        "account": [
            record("customers", n, CREATED, CREATED, name=f"山田{n}", domain="Yamada.example", owner_ref="users|shota",
                   unmapped_columns='{"備考":"要確認"}')
            for n in (1, 2)
        ],
        "person": [
            record("contacts", n, CREATED, CREATED, family_name="佐藤", given_name=f"学{n}", account_ref="customers|1")
            for n in (1, 2)
        ],
        "product": [record("products", 1, CREATED, CREATED, name="Platform", list_price=Decimal("60000"), margin_rate=0.78)],
        "opportunity": [
            deal(1, CREATED, CHANGED, "受注", subtable_rows="deal_lines|1,deal_lines|2,deals_contacts|1"),
            deal(2, CREATED, CHANGED, "条件合意", subtable_rows="deal_lines|3,deal_lines|31"),
            deal(3, CREATED, CREATED, "引合", assumed_created_stage="引合"),
            deal(4, CREATED, CHANGED, "引合", assumed_created_stage=None, subtable_rows="deal_lines|4"),
        ],
        "opportunity_line": [line(1, 1, CHANGED), line(2, 1, CHANGED), line(3, 2, CHANGED), line(31, 2, CHANGED), line(4, 4, CHANGED)],
        "opportunity_person": [
            {
                "id": "deals_contacts|1", "source_object": "deals_contacts", "source_id": "1", "subtable": "関係者",
                "opportunity_ref": "deals|1", "person_ref": "contacts|1", "role": "Evaluator", "is_primary": True,
                "updated_at": at(CHANGED), "record_path": "/k/13/show#record=1",
            }
        ],
        "activity": [
            record("activities", 1, CREATED, CREATED, occurred_at=at("2026-02-28T23:00:00Z"), touch_type="visit", subject="訪問",
                   direction="outbound", minutes=30.0, person_ref="contacts|1", account_ref="customers|1",
                   opportunity_ref="deals|1", owner_ref="users|shota")
        ],
        "sales_user": [record("users", "shota", CREATED, CREATED, name="遠藤 翔太", email="shota@hikari.example", manager_ref="users|akemi")],
        "field_user": [{"code": "shota", "name": "遠藤 翔太"}, {"code": "taro", "name": "山田 太郎"}],
    },
)  # fmt: skip
OTHER = Load(
    "kintone_osaka", "2026-04-01T00:00:00Z", {"account": [record("customers", 1, CREATED, CREATED, name="大阪")]}
)
SECOND = Load(
    "kintone",
    "2026-04-08T00:00:00Z",
    {
        "account": [gone("customers|2")],
        "person": [record("contacts", 2, CREATED, "2026-04-05T00:00:00Z", family_name="佐藤", given_name="学2", account_ref="customers|2")],
        # Deal 2 changed twice between the loads, of which only the end is seen; it lost a line and its rows are 3 and 5 now.
        "opportunity": [
            deal(2, CREATED, "2026-04-07T01:15:00Z", "失注", subtable_rows="deal_lines|3,deal_lines|5", next_step="なし"),
            deal(3, CREATED, "2026-04-06T00:00:00Z", "引合", assumed_created_stage="引合", next_step="電話"),
            gone("deals|4"),
        ],
        "opportunity_line": [line(5, 2, "2026-04-07T01:15:00Z")],
        "sales_user": [
            record("users", "shota", CREATED, "2026-04-02T00:00:00Z", name="遠藤 翔太", email="shota@hikari.example", team="九州"),
            record("users", "taro", CREATED, "2026-04-02T00:00:00Z", name="山田 太郎", email="taro@hikari.example"),
        ],
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    """Built after each load, and built once after both."""
    folder = tmp_path_factory.mktemp("kintone")
    steps = Files(folder / "steps", folder / "raw.duckdb", (KINTONE, OSAKA))
    steps.land(FIRST, OTHER)
    steps.build()
    steps.land(SECOND)
    steps.build()
    whole = Files(folder / "whole", folder / "raw.duckdb", (KINTONE, OSAKA))
    whole.build("--full-refresh")
    return steps, whole


def key(files: Files, source_object: str, source_id: str) -> str:
    return str(files.rows(f"select md5('kintone|{source_object}|{source_id}')")[0][0])


def test_increments_give_what_a_full_refresh_gives(built: tuple[Files, Files]) -> None:
    steps, whole = built
    assert steps.differences(whole) == {}


def history(files: Files, number: int) -> list[tuple[Any, ...]]:
    return files.rows(
        "select stage, source_stage, history_basis, valid_from::varchar, valid_to::varchar"
        f" from canonical.canonical_opportunity_version where record_key = '{key(files, 'deals', str(number))}' order by valid_from"
    )


def test_a_deal_that_was_closed_before_the_first_read_is_closed_at_its_last_change(built: tuple[Files, Files]) -> None:
    assert history(built[0], 1) == [
        ("proposal", "提案中", "assumed", "2026-03-01 00:00:00", "2026-03-20 02:30:00"),
        ("won", "受注", "observed", "2026-03-20 02:30:00", None),
    ]


def test_later_versions_begin_at_the_records_own_stamp(built: tuple[Files, Files]) -> None:
    assert history(built[0], 2) == [
        ("proposal", "提案中", "assumed", "2026-03-01 00:00:00", "2026-03-20 02:30:00"),
        ("agreement", "条件合意", "observed", "2026-03-20 02:30:00", "2026-04-07 01:15:00"),
        ("lost", "失注", "observed", "2026-04-07 01:15:00", None),
    ]


def test_a_change_of_something_else_is_no_version_of_the_deals_history(built: tuple[Files, Files]) -> None:
    assert history(built[0], 3) == [("inquiry", "引合", "observed", "2026-03-01 00:00:00", None)]


def test_without_a_first_stage_the_first_version_counts_from_the_creation_and_ends_when_the_deal_is_gone(
    built: tuple[Files, Files],
) -> None:
    assert history(built[0], 4) == [("inquiry", "引合", "assumed", "2026-03-01 00:00:00", "2026-04-08 00:00:00")]


def test_lines_that_their_deal_does_not_name_any_more_are_gone_and_so_are_those_of_a_deal_that_is_gone(
    built: tuple[Files, Files],
) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, is_deleted, deleted_at::varchar, amount_original::double, currency, opportunity_key"
        " from canonical.canonical_opportunity_line order by source_id::int"
    )
    one, two, four = (key(files, "deals", number) for number in ("1", "2", "4"))
    assert found == [
        ("1", False, None, 500.0, "JPY", one),
        ("2", False, None, 500.0, "JPY", one),
        ("3", False, None, 500.0, "JPY", two),
        ("4", True, "2026-04-08 00:00:00", 500.0, "JPY", four),
        ("5", False, None, 500.0, "JPY", two),
        ("31", True, "2026-04-07 01:15:00", 500.0, "JPY", two),  # deal_lines|3 is named, deal_lines|31 is not
    ]
    people = files.rows(
        "select opportunity_key, person_key, role, is_primary from canonical.canonical_opportunity_person"
    )
    assert people == [(one, key(files, "contacts", "1"), "Evaluator", True)]


def test_deals_accounts_and_people_have_keys_words_and_addresses(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select account_key, primary_person_key, pipeline, opportunity_type, close_date::varchar, record_url, next_step"
        " from canonical.canonical_opportunity where source_id = '2'"
    )
    assert found == [
        (key(files, "customers", "1"), key(files, "contacts", "1"), "renewal", "renewal", "2026-06-30",
         "https://example.cybozu.com/k/13/show#record=2", "なし")
    ]  # fmt: skip
    accounts = files.rows(
        "select source_system, source_object, source_id, name, domain, is_deleted, extra_columns from canonical.canonical_account"
        " order by source_system, source_id"
    )
    assert accounts == [
        ("kintone", "customers", "1", "山田1", "yamada.example", False, '{"備考":"要確認"}'),
        ("kintone", "customers", "2", "山田2", "yamada.example", True, '{"備考":"要確認"}'),
        ("kintone_osaka", "customers", "1", "大阪", None, False, None),
    ]
    people = files.rows("select full_name from canonical.canonical_person order by source_id")
    assert people == [("佐藤 学1",), ("佐藤 学2",)]


def test_who_changes_the_customer_has_two_relations(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select account_key, is_primary, valid_from::varchar, valid_to::varchar from canonical.canonical_person_account"
        f" where person_key = '{key(files, 'contacts', '2')}' order by is_primary"
    )
    assert found == [
        (key(files, "customers", "1"), False, None, "2026-04-05 00:00:00"),
        (key(files, "customers", "2"), True, "2026-04-05 00:00:00", None),
    ]


def test_activities_are_touches_and_their_kind_is_their_channel(built: tuple[Files, Files]) -> None:
    files = built[0]
    found = files.rows(
        "select occurred_at::varchar, touch_type, channel, direction, minutes, person_key, opportunity_key"
        " from canonical.canonical_interaction"
    )
    assert found == [
        (
            "2026-02-28 23:00:00",
            "visit",
            "visit",
            "outbound",
            30.0,
            key(files, "contacts", "1"),
            key(files, "deals", "1"),
        )
    ]


def test_users_have_versions_and_those_of_user_fields_are_known_until_an_app_lists_them(
    built: tuple[Files, Files],
) -> None:
    files = built[0]
    found = files.rows(
        "select source_id, name, email, team, valid_from::varchar, valid_to::varchar, is_current, record_key ="
        " md5('kintone|users|' || source_id) from canonical.canonical_sales_user order by source_id, valid_from"
    )
    assert found == [
        ("shota", "遠藤 翔太", "shota@hikari.example", None, "2026-03-01 00:00:00", "2026-04-02 00:00:00", False, True),
        ("shota", "遠藤 翔太", "shota@hikari.example", "九州", "2026-04-02 00:00:00", None, True, True),
        ("taro", "山田 太郎", "taro@hikari.example", None, "2026-03-01 00:00:00", None, True, True),
    ]


def test_every_model_is_sql_that_spark_reads(built: tuple[Files, Files]) -> None:
    models = sorted(built[0].compiled.rglob("stg_kintone__*.sql"))
    assert len(models) > 15
    for model in models:
        sqlglot.transpile(
            model.read_text(encoding="utf-8"), read="duckdb", write="spark", unsupported_level=sqlglot.ErrorLevel.RAISE
        )
