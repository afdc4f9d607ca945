"""What staging and canonical make of Pipedrive's items: histories of deals, renamed stages, moves, lines, and increments."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot

from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import Load, at

TOOLS = (
    {"name": "pipedrive", "vendor": "pipedrive", "staging": "pipedrive", "base_url": "https://hikari.pipedrive.com"},
)

DOMAIN = "5f1c2a90d37b48e6a1c04be2d98f73610ab4c7e9"


def item(number: int, updated: str, **fields: Any) -> Mapping[str, Any]:
    return {
        "id": str(number), "add_time": at("2026-03-01T00:00:00Z"), "update_time": at(updated), "is_deleted": False, **fields
    }  # fmt: skip


def deal(number: int, updated: str, stage: int, status: str = "open", **fields: Any) -> Mapping[str, Any]:
    known = {
        "pipeline_id": "1",
        "stage_id": str(stage),
        "status": status,
        "value": 1000,
        "currency": "JPY",
        "owner_id": "7",
    }
    moved = {
        "stage_change_time": at("2026-03-01T00:00:00Z"),
        "title": f"Deal {number}",
        "org_id": "1",
        "person_id": "1",
    }
    return item(number, updated, **{**known, **moved, **fields})


FIRST = Load(
    "pipedrive",
    "2026-04-01T00:00:00Z",
    {
        "users": [{"id": "7", "name": "坂本 結衣", "email": "yui@hikari.example", "active_flag": True, "is_deleted": False}],
        "pipelines": [item(1, "2026-01-01T00:00:00Z", name="Pipeline")],
        "stages": [
            item(11, "2026-01-01T00:00:00Z", name="Qualified", pipeline_id="1", order_nr=1),
            item(12, "2026-01-01T00:00:00Z", name="Proposal Made", pipeline_id="1", order_nr=2),
            item(13, "2026-01-01T00:00:00Z", name="Our own word", pipeline_id="1", order_nr=3),
        ],
        "organizations": [item(n, "2026-03-02T00:00:00Z", name=f"会社{n}", country="JP", owner_id="7",
                               custom_fields=f'{{"{DOMAIN}":"kaisha{n}.example"}}') for n in (1, 2)],
        "persons": [
            item(1, "2026-03-02T00:00:00Z", name="山田 太郎", last_name="山田", first_name="太郎", org_id="1",
                 emails='[{"value":"old@yamada.example","primary":false},{"value":"taro@yamada.example","primary":true}]',
                 phones='[{"value":"090-1","label":"mobile"},{"value":"03-1","label":"work"}]'),
            item(2, "2026-03-02T00:00:00Z", name="名無し", emails="[]", phones="[]"),
        ],
        "deals": [
            deal(1, "2026-03-01T00:00:00Z", 11, custom_fields="{}"),
            deal(2, "2026-03-20T00:00:00Z", 12, "won", won_time=at("2026-03-20T00:00:00Z"),
                 stage_change_time=at("2026-03-10T00:00:00Z")),
            deal(3, "2026-03-05T00:00:00Z", 13, stage_change_time=at("2026-03-05T00:00:00Z")),
            deal(4, "2026-03-05T00:00:00Z", 11, person_id=None),
        ],
        "products": [item(5, "2026-03-01T00:00:00Z", name="Platform", category="Software", code="P",
                          prices='[{"price":500,"currency":"JPY"}]', billing_frequency="monthly")],
        "deal_products": [
            item(50, "2026-03-01T00:00:00Z", deal_id="2", product_id="5", name="Platform", quantity=2.0, sum=1000,
                 currency="JPY", billing_frequency="monthly"),
            item(51, "2026-03-01T00:00:00Z", deal_id="1", product_id="5", name="Platform", quantity=1.0, sum=500,
                 currency="JPY", billing_frequency="one-time"),
        ],
        "activities": [
            item(1, "2026-03-06T00:00:00Z", type="call", done=True, due_date="2026-03-05", due_time="23:30", person_id="1",
                 org_id="1", deal_id="1", owner_id="7", duration="00:45", subject="Call"),
            item(2, "2026-03-06T00:00:00Z", type="lunch", done=True, due_date="2026-03-07", due_time="",
                 marked_as_done_time=at("2026-03-07T05:00:00Z"), person_id="1"),
            item(3, "2026-03-06T00:00:00Z", type="call", done=False, due_date="2026-05-07", person_id="1"),
        ],
    },
)  # fmt: skip
SECOND = Load(
    "pipedrive",
    "2026-04-08T00:00:00Z",
    {
        "stages": [item(13, "2026-04-02T00:00:00Z", name="Contract Sent", pipeline_id="1", order_nr=3)],
        "persons": [item(1, "2026-04-03T00:00:00Z", name="山田 太郎", org_id="2", emails="[]", phones="[]")],
        "deals": [
            deal(1, "2026-04-04T00:00:00Z", 12, stage_change_time=at("2026-04-03T00:00:00Z")),
            deal(1, "2026-04-06T00:00:00Z", 12, "lost", stage_change_time=at("2026-04-03T00:00:00Z"),
                 lost_time=at("2026-04-05T00:00:00Z"), lost_reason="Price"),
            {**deal(4, "2026-04-07T00:00:00Z", 11, "deleted"), "is_deleted": True, "_deleted": True},
        ],
        "deal_products": [{"id": "51", "_deleted": True}],
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Built once after both loads."""
    folder = tmp_path_factory.mktemp("pipedrive")
    files = Files(folder / "whole", folder / "raw.duckdb", TOOLS)
    files.land(FIRST)
    files.land(SECOND)
    files.build()
    return files


@pytest.mark.soak
def test_increments_give_what_a_full_refresh_gives(built: Files, tmp_path: Path) -> None:
    steps = Files(tmp_path, tmp_path / "raw.duckdb", TOOLS)
    steps.land(FIRST)
    steps.build()
    steps.land(SECOND)
    steps.build()
    assert steps.differences(built) == {}


def test_a_deal_is_told_from_its_making_through_its_moves_to_its_end(built: Files) -> None:
    found = built.rows(
        """
        select o.source_id, v.stage, strftime(v.valid_from, '%m-%d'), strftime(v.valid_to, '%m-%d'), v.history_basis
        from canonical.canonical_opportunity_version v join canonical.canonical_opportunity o using (record_key)
        order by o.source_id, v.valid_from
        """
    )
    assert found == [
        ("1", "inquiry", "03-01", "04-03", "assumed"),
        ("1", "proposal", "04-03", "04-05", "observed"),
        ("1", "lost", "04-05", None, "observed"),
        ("2", "inquiry", "03-01", "03-10", "assumed"),
        ("2", "proposal", "03-10", "03-20", "observed"),
        ("2", "won", "03-20", None, "observed"),
        ("3", "inquiry", "03-01", "03-05", "assumed"),
        ("3", "contract", "03-05", None, "observed"),  # the stage was named anew
        ("4", "inquiry", "03-01", "04-08", "assumed"),
    ]


def test_a_deleted_deal_and_a_removed_line_are_gone(built: Files) -> None:
    rows = built.rows
    assert rows("select source_id from canonical.canonical_opportunity where is_deleted") == [("4",)]
    lines = rows("select source_id, is_deleted, is_recurring from canonical.canonical_opportunity_line order by 1")
    assert lines == [("50", False, True), ("51", True, False)]
    people = rows("select source_id from canonical.canonical_opportunity_person where not is_deleted order by 1")
    assert people == [("1",), ("2",), ("3",)]


def test_a_person_has_the_primary_address_and_every_organization_in_turn(built: Files) -> None:
    rows = built.rows
    assert rows("select source_id, full_name, email, phone, mobile from canonical.canonical_person order by 1") == [
        ("1", "山田 太郎", None, None, None),
        ("2", "名無し", None, None, None),
    ]
    stays = rows(
        "select source_id, is_primary, strftime(valid_to, '%m-%d') from canonical.canonical_person_account order by 1"
    )
    assert stays == [("1/1", False, "04-03"), ("1/2", True, None)]


def test_a_custom_field_is_told_by_its_key_so_that_a_company_can_map_it(built: Files) -> None:
    told = f"json_extract_string(extra_columns, '$.\"{DOMAIN}\"')"
    found = built.rows(f"select source_id, {told} from canonical.canonical_account order by 1")
    assert found == [("1", "kaisha1.example"), ("2", "kaisha2.example")]
    assert built.rows("select count(*) from canonical.canonical_opportunity where not json_valid(extra_columns)") == [
        (0,)
    ]


def test_an_activity_happens_when_it_was_due_and_is_a_task_until_it_is_done(built: Files) -> None:
    found = built.rows(
        "select source_id, touch_type, channel, occurred_at::varchar, minutes"
        " from canonical.canonical_interaction order by source_id"
    )
    assert [row[:3] for row in found] == [("1", "call", "phone"), ("2", "lunch", "meeting"), ("3", "task", "none")]
    assert found[0][3].startswith("2026-03-05 23:30:00") and found[0][4] == 45
    assert found[1][3].startswith("2026-03-07 05:00:00")


def test_every_compiled_model_is_sql_that_spark_reads_too(built: Files) -> None:
    compiled = sorted((built.compiled / "staging" / "pipedrive").glob("*.sql"))
    assert len(compiled) > 15
    for path in compiled:
        sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")
