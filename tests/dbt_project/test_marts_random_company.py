"""Marts of a random company against the same numbers computed the long way: day by day, deal by deal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.dbt_project.marts_fixture import Marts, copy, entity_id
from tests.dbt_project.random_company import OPEN, TOKYO, Company, Deal, closing, converted


def _cells(company: Company, day: date) -> Iterator[tuple[str, str, str, Deal, Decimal]]:
    """(level, unit, stage, deal, amount) of each open deal of a day, at the levels team and company."""
    for deal in company.deals:
        state = deal.at(day)
        if state is None or state[0] in ("won", "lost"):
            continue
        stage = "unmapped" if state[0] == "mystery" else state[0]
        team = company.team(state[2], day) if state[2] else None
        for level, unit in (("company", "company"), ("team", team or "none")):
            for shown in (stage, "all"):
                yield level, unit, shown, deal, converted(deal, state[1], day)


def test_the_pipeline_of_sampled_days_is_what_the_deals_of_those_days_add_up_to(
    random_built: tuple[Company, Marts],
) -> None:
    company, marts = random_built
    days = [date(2022, 5, 1) + timedelta(days=number) for number in range(0, 1157, 23)]
    days += [date(2023, 3, 31), date(2023, 4, 1), date(2025, 6, 30)]
    for day in days:
        expected: dict[tuple[str, str, str], list[object]] = {}
        accounts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for level, unit, stage, deal, amount in _cells(company, day):
            cell = expected.setdefault((level, unit, stage), [0, Decimal(0)])
            cell[0] += 1  # type: ignore[operator]
            cell[1] += amount  # type: ignore[operator]
            if deal.account:
                accounts[level, unit, stage].add(company.canonical.entities.get(deal.account, deal.account))
        found = marts.rows(
            """select level, unit_id, stage, opportunity_count, amount, account_count from marts.pipeline_daily
               where snapshot_date = ? and level in ('team', 'company') and opportunity_count <> 0""",
            [day],
        )
        measured = {row[:3]: (row[3], row[4], row[5]) for row in found}
        assert measured == {cell: (n, amount, len(accounts[cell])) for cell, (n, amount) in expected.items()}, day


def test_each_deal_stands_once_with_the_amount_of_the_closure_that_counts(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    found = {row[0]: row[1:] for row in marts.rows("select opportunity_id, stage, amount from marts.opportunities")}
    assert set(found) == {entity_id("opportunity", deal.key) for deal in company.deals if deal.is_live}
    for deal in company.deals:
        final = closing(deal)
        if final:
            assert found[entity_id("opportunity", deal.key)] == final, deal


def test_won_and_lost_flows_add_up_to_the_deals_closed(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    finals = [final for deal in company.deals if (final := closing(deal))]
    expected = {
        outcome: sum((amount for stage, amount in finals if stage == outcome), Decimal(0))
        for outcome in ("won", "lost")
    }
    [(won, lost)] = marts.rows(
        "select -sum(won_amount), -sum(lost_amount) from marts.pipeline_daily where level = 'owner' and stage = 'all'"
    )
    assert {"won": won, "lost": lost} == expected


def test_a_team_wins_what_its_people_close_while_they_are_in_it(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for deal in company.deals:
        final = closing(deal)
        if final and final[0] == "won":
            # A later change of hands leaves the win where it was.
            closure = max(n for n, v in enumerate(deal.versions) if n == 0 or deal.versions[n - 1][1] != v[1])
            closed_day = (deal.versions[closure][0] + TOKYO).date()
            state = deal.at(closed_day)
            assert state is not None
            expected[(company.team(state[2], closed_day) if state[2] else None) or "none"] += final[1]
    found = marts.rows(
        """select unit_id, -sum(won_amount) from marts.pipeline_daily
           where level = 'team' and stage = 'all' group by 1 having sum(won_amount) <> 0"""
    )
    assert dict(found) == {team: amount for team, amount in expected.items() if amount}


def test_the_cohort_funnel_counts_what_each_deal_reached(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    expected: dict[str, int] = defaultdict(int)
    for deal in company.deals:
        if not deal.is_live:
            continue
        final = closing(deal)
        reached = [v[1] for v in deal.versions if v[1] in OPEN] + (["won"] if final and final[0] == "won" else [])
        orders = [[*OPEN, "won"].index(stage) for stage in reached]
        for stage in [*OPEN, "won"][: max(orders) + 1]:
            expected[stage] += 1
    found = marts.rows(
        """select stage, sum(entered_count) from marts.funnel_monthly
           where unit = 'opportunity' and basis = 'cohort' group by stage"""
    )
    assert dict(found) == expected


def test_skipped_stages_are_zero_length_and_inferred(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    for deal in [deal for deal in company.deals if deal.is_live][:60]:
        found = marts.rows(
            """select stage, is_inferred, days_in_stage from marts.opportunity_stage_history
               where opportunity_id = ? order by entered_at, stage_order""",
            [entity_id("opportunity", deal.key)],
        )
        visits = ["unmapped" if v[1] == "mystery" else v[1] for v in deal.versions]
        visits = [stage for number, stage in enumerate(visits) if number == 0 or visits[number - 1] != stage]
        assert [row[0] for row in found if not row[1]] == visits
        assert all(row[2] == 0 for row in found if row[1])


def test_the_order_of_canonical_rows_changes_no_mart(
    random_built: tuple[Company, Marts], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a full refresh stores in another order must give the same rows: no choice among equals is left to chance."""
    _, marts = random_built
    other = copy(marts, tmp_path_factory.mktemp("shuffled") / "home")
    tables = [row[0] for row in marts.rows("select table_name from duckdb_tables() where schema_name = 'canonical'")]
    other.execute(
        *(
            statement
            for table in [*(f"canonical.{table}" for table in tables), "identity.clusters"]
            for statement in (
                f"create table shuffled as select * from {table} order by random()",
                f"delete from {table}",
                f"insert into {table} select * from shuffled",
                "drop table shuffled",
            )
        )
    )
    assert set(other.dbt("run", "--select", "path:models/marts").values()) == {"success"}
    for (table,) in marts.rows("select table_name from duckdb_tables() where schema_name in ('marts', 'work')"):
        schema = marts.rows("select schema_name from duckdb_tables() where table_name = ?", [table])[0][0]
        content = f"select * from {schema}.{table}"
        assert sorted(marts.rows(content), key=repr) == sorted(other.rows(content), key=repr), table
