"""The truth agrees with what the tools show, at the first now and later, and its scales are those that are promised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sources.demo import truth
from sources.demo.company import Company, build
from sources.demo.distributions import SCALES

Rows = Callable[[str], list[tuple[object, ...]]]

_EVENTS_DIFFER = """
with native as (
    select *, lag(stage) over (partition by instance, object, source_id order by "at") as before
    from visible.deal_versions where crm_source_id is null
),
shown as (
    select n.entity_id, n.stage, n."at", n.amount, u.entity_id as owner from native as n
    semi join (select instance, object, source_id from current.deals where not is_deleted)
        using (instance, object, source_id)
    join (select distinct instance, source_id, entity_id from company.user_versions) as u
        on u.instance = n.instance and u.source_id = n.owner_source_id
    where n.stage is distinct from n.before
)
select (select count(*) from shown) - (select count(*) from '{truth}/stage_events.parquet'),
    (select count(*) from (select * from shown except select * from '{truth}/stage_events.parquet'))
"""
_AMOUNTS_DIFFER = """
with shown as (
    select entity_id, amount, currency, expected_close_date, case stage when 'won' then true when 'lost' then false end as won
    from current.deals where not is_deleted and crm_source_id is null
),
told as (
    select opportunity_entity_id, sum(amount)::decimal(18, 2), any_value(currency), any_value(close_date), any_value(is_won)
    from '{truth}/amounts.parquet' group by 1
)
select (select count(*) from shown) - (select count(*) from told),
    (select count(*) from (select * from shown except select * from told))
"""


def test_scales_count_what_lives(rows: Rows) -> None:
    scale = SCALES["small"]
    assert rows("select count(*) from '{truth}/people.parquet'") == [(scale["people"],)]
    assert rows("select count(distinct account_entity_id) from '{truth}/accounts.parquet'") == [(scale["accounts"],)]
    assert rows("select count(distinct opportunity_entity_id) from '{truth}/amounts.parquet'") == [(scale["deals"],)]
    assert rows("select count(*) from '{truth}/touches.parquet'") == [(scale["touches"],)]


def test_every_record_of_every_tool_is_in_the_truth_once(rows: Rows) -> None:
    shown = " union all ".join(
        f"select instance, object, source_id, entity_id from current.{view}" for view in truth.ENTITY_TABLES.values()
    )
    told = "select source_system, source_object, source_id, entity_id from '{truth}/records.parquet'"
    assert rows(f"select count(*) from (({shown}) except all {told})") == [(0,)]
    assert rows(f"select count(*) from ({told} except all ({shown}))") == [(0,)]


def test_stage_events_are_those_that_the_deals_own_tool_shows(rows: Rows) -> None:
    assert rows(_EVENTS_DIFFER) == [(0, 0)]


def test_amounts_sum_up_to_the_deals_amount_in_its_tool(rows: Rows) -> None:
    assert rows(_AMOUNTS_DIFFER) == [(0, 0)]


def test_line_items_sum_up_to_the_deal(rows: Rows) -> None:
    wrong = rows(
        "with sums as (select instance, deal_source_id as source_id, sum(amount) as total from current.deal_lines"
        " where not is_deleted group by all)"
        " select count(*), count(*) filter (where total <> amount) from current.deals join sums using (instance, source_id)"
    )
    assert wrong[0][0] != 0 and wrong[0][1] == 0


def test_touches_are_the_live_activities_that_have_happened(rows: Rows) -> None:
    shown = rows(
        "select kind, count(*) from current.activities where not is_deleted and kind not in ('task', 'note')"
        " and occurred_at <= (select now from company.clock) group by kind order by kind"
    )
    assert shown == rows("select kind, count(*) from '{truth}/touches.parquet' group by kind order by kind")


def test_yen_has_no_fractions_and_only_the_subsidiary_sells_in_euro(rows: Rows) -> None:
    assert rows(
        "select count(*) from '{truth}/amounts.parquet' where currency = 'JPY' and amount <> trunc(amount)"
    ) == [(0,)]
    assert rows("select distinct instance from current.deals where currency = 'EUR'") == [("hubspot_emea",)]


def test_the_close_date_is_the_day_of_the_closing_in_tokyo_for_nearly_all(rows: Rows) -> None:
    share = rows(
        "select avg((close_date = (entered_at + interval 9 hour)::date)::int) from '{truth}/stage_events.parquet'"
        " join (select distinct opportunity_entity_id, close_date, is_won from '{truth}/amounts.parquet')"
        " using (opportunity_entity_id) where stage in ('won', 'lost') and is_won = (stage = 'won')"
    )[0][0]
    assert isinstance(share, float) and 0.85 < share < 1.0


def test_at_most_one_pair_in_a_hundred_cannot_be_joined_by_anyone(rows: Rows) -> None:
    found = rows(
        "with r as (select * from '{truth}/records.parquet' where entity_type <> 'activity')"
        " select count(*), count(*) filter (where not (a.is_decidable and b.is_decidable)) from r as a join r as b"
        " on a.entity_type = b.entity_type and a.entity_id = b.entity_id and a.source_system || a.source_object"
        " || a.source_id < b.source_system || b.source_object || b.source_id"
    )[0]
    pairs, undecidable = found
    assert isinstance(pairs, int) and isinstance(undecidable, int)
    assert pairs > 1_000 and undecidable <= 0.01 * pairs


def test_no_duplicate_of_a_deal_is_alive_on_any_day() -> None:
    moved = build(19, "small")
    for _ in range(30):
        doubled = (
            moved.cursor()
            .execute(
                "select count(*) from (select entity_id from current.deals where not is_deleted and crm_source_id is null"
                " group by entity_id having count(*) > 1)"
            )
            .fetchone()
        )
        assert doubled == (0,)
        moved.advance(1)


@pytest.mark.parametrize("days", [1, 7, 90])
def test_truth_and_tools_still_agree_after_the_clock_moved(tmp_path: Path, days: int) -> None:
    moved = build(23, "small")
    moved.advance(days)
    truth.write(moved, tmp_path)
    for sql in (_EVENTS_DIFFER, _AMOUNTS_DIFFER):
        assert moved.cursor().execute(sql.replace("{truth}", str(tmp_path))).fetchone() == (0, 0)


def test_company_json_states_the_distributions(company: Company, truth_folder: Path) -> None:
    told = json.loads((truth_folder / "company.json").read_text(encoding="utf-8"))
    assert told["seed"] == company.seed and told["now"] == "2026-10-30T09:00:00Z"
    assert told["history"]["esales"].startswith("observed")
    assert told["distributions"]["PROBABILITY"]["won"] == 1.0


def test_the_truth_can_be_written_twice_and_is_the_same(company: Company, truth_folder: Path, tmp_path: Path) -> None:
    truth.write(company, tmp_path)
    for name in ("records", "stage_events", "amounts", "touches", "people", "accounts"):
        differs = (
            company.cursor()
            .execute(
                f"select count(*) from (select * from '{tmp_path}/{name}.parquet'"
                f" except all select * from '{truth_folder}/{name}.parquet')"
            )
            .fetchone()
        )
        assert differs == (0,), name
