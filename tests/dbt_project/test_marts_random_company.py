"""Marts of a random company against the same numbers computed the long way: day by day, deal by deal.

The company has mirrored, merged, deleted, reopened and foreign deals, owners who change, owners who change team and
accounts known to two tools. Nothing of the product's SQL is used to compute what is expected.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt_project.marts_fixture import Canonical, Marts, copy, entity_id, template

OPEN = ["inquiry", "discovery", "first_meeting", "decision_maker", "proposal", "agreement", "contract"]
TOKYO = timedelta(hours=9)
AS_OF = datetime(2025, 6, 30, 3)
BUDGET = {2022: Decimal("110"), 2023: Decimal("120.5"), 2024: Decimal("150.25"), 2025: Decimal("145")}
DAILY_RATE = Decimal("140")


@dataclass
class Deal:
    key: str
    account: str | None
    currency: str
    versions: list[tuple[datetime, str, Decimal, str | None]]
    removed_at: datetime | None = None
    merged: bool = False
    rules: bool = True

    def at(self, day: date) -> tuple[str, Decimal, str | None] | None:
        """Stage, amount and owner with which the day ends; None before creation and after removal."""
        if self.removed_at and (self.removed_at + TOKYO).date() <= day:
            return None
        known = [version for version in self.versions if (version[0] + TOKYO).date() <= day]
        return known[-1][1:] if known else None

    @property
    def is_live(self) -> bool:
        return self.removed_at is None


@dataclass
class Company:
    canonical: Canonical = field(default_factory=Canonical)
    deals: list[Deal] = field(default_factory=list[Deal])
    seats: dict[str, list[tuple[date, str | None]]] = field(default_factory=dict[str, list[tuple[date, str | None]]])

    def team(self, owner: str, day: date) -> str | None:
        """The team that the owner ends the day in."""
        return [team for since, team in self.seats[owner] if since <= day][-1]


def make(seed: int) -> Company:
    rng = random.Random(seed)
    company = Company()
    canonical = company.canonical
    for number in range(8):
        owner = _add_owner(canonical, number, rng)
        company.seats[owner] = _seats(canonical, owner)
    accounts = _add_accounts(canonical, rng)
    for number in range(250):
        deal = _deal(f"deal{number}", rng, [*accounts, None], list(company.seats))
        company.deals.append(deal)
        _add_deal(canonical, deal, rng)
    return company


def _add_owner(canonical: Canonical, number: int, rng: random.Random) -> str:
    """A user with up to three versions: some change team, on the fiscal year's first day too."""
    moves = sorted({datetime(2022, 6, 1) + timedelta(hours=rng.randrange(26_000)) for _ in range(number % 3)})
    if number == 4:
        moves[-1] = datetime(2025, 3, 31, 20)  # 1 April in Tokyo
    for order, moved_at in enumerate([None, *moves]):
        team = None if number == 7 and order == 0 else f"team {(number + order) % 3}"
        canonical.add(
            "canonical_sales_user",
            f"user{number}",
            name=f"User {number}",
            team=team,
            department="north" if team in ("team 0", "team 1") else "south" if team else None,
            is_active=True,
            is_current=order == len(moves),
            valid_from=str(moved_at) if moved_at else "2022-01-01",
        )
    return f"user{number}"


def _seats(canonical: Canonical, key: str) -> list[tuple[date, str | None]]:
    """(first day, team) of each version of a user; the first one holds from ever."""
    versions = [row for row in canonical.rows["canonical_sales_user"] if row["record_key"] == key]
    days = [date.min, *((datetime.fromisoformat(row["valid_from"]) + TOKYO).date() for row in versions[1:])]
    return [(day, row["team"]) for day, row in zip(days, versions, strict=True)]


def _add_accounts(canonical: Canonical, rng: random.Random) -> list[str]:
    keys = [canonical.add("canonical_account", f"account{number}", name=f"Account {number}") for number in range(60)]
    # Ten accounts are known to a second tool; three were merged in a chain; the deals name any of the records.
    for number in range(10):
        key = canonical.add("canonical_account", f"copy{number}", source_system="ma", vendor="ma", name="Copy")
        canonical.entities[key] = f"account{number}"
        keys.append(key)
    for loser, winner in (("account20", "account21"), ("account21", "account22")):
        row = next(row for row in canonical.rows["canonical_account"] if row["record_key"] == loser)
        row |= {"is_deleted": True, "deleted_at": "2024-06-01", "merged_into_key": winner}
        canonical.entities[loser] = "account22"
    return rng.sample(keys, len(keys))


def _deal(key: str, rng: random.Random, accounts: list[str | None], owners: list[str]) -> Deal:
    moment = datetime(2022, 5, 1) + timedelta(minutes=rng.randrange(0, 1_500_000))
    amount = Decimal(rng.randrange(1, 900)) * 1000
    owner: str | None = rng.choice([*owners, None])
    stage = rng.choice(OPEN[:3])
    versions = [(moment, stage, amount, owner)]
    while rng.random() < 0.86:
        moment += timedelta(minutes=rng.choice([3, 200, 2_000, 40_000, 90_000]) + rng.randrange(60))
        if moment > AS_OF:
            break
        kind = rng.random()
        if kind < 0.55:
            stage = rng.choice(
                [*OPEN, "won", "lost", "mystery"] if stage not in ("won", "lost") else [stage, "proposal"]
            )
        elif kind < 0.75:
            amount = Decimal(rng.randrange(0, 900)) * 1000
        elif kind < 0.9:
            owner = rng.choice([*owners, None])
        versions.append((moment, stage, amount, owner))
    deal = Deal(key, rng.choice(accounts), rng.choice(["JPY", "JPY", "USD"]), versions)
    if rng.random() < 0.12:
        deal.removed_at = min(AS_OF, moment + timedelta(days=rng.randrange(1, 200)))
        deal.rules = False
    return deal


def _add_deal(canonical: Canonical, deal: Deal, rng: random.Random) -> None:
    close_date = None
    if deal.versions[-1][1] in ("won", "lost"):
        close_date = (deal.versions[-1][0] + TOKYO).date()
    removal = {"is_deleted": True, "deleted_at": str(deal.removed_at)} if deal.removed_at else {}
    versions = [(str(at), stage, amount, owner) for at, stage, amount, owner in deal.versions]
    shared: dict[str, Any] = {
        "account_key": deal.account,
        "close_date": close_date,
        "currency": deal.currency,
        "name": deal.key,
    }
    canonical.deal(deal.key, versions, **shared, **removal)
    if rng.random() < 0.3:
        if deal.account is None:  # only the mirror knows whose deal it is
            shared["account_key"] = f"account{rng.randrange(30, 60)}"
            deal.account = shared["account_key"] if deal.is_live else None
        mirror = canonical.deal(
            f"{deal.key}-mirror", versions, **shared, **removal, source_system="ma", mirror_of_key=deal.key
        )
        canonical.entities[mirror] = deal.key


def _converted(deal: Deal, amount: Decimal, day: date) -> Decimal:
    if deal.currency == "JPY":
        return amount
    fiscal_year = day.year if day.month >= 4 else day.year - 1
    return (amount * BUDGET[fiscal_year]).quantize(Decimal("0.01"))


def _final(deal: Deal) -> tuple[str, Decimal] | None:
    """Stage and converted amount of the closure that counts; a lost deal's is its last non-zero amount while open."""
    stage, amount = deal.versions[-1][1:3]
    if not deal.is_live or stage not in ("won", "lost"):
        return None
    if stage == "lost":
        while_open = [v[2] for v in deal.versions if v[1] not in ("won", "lost") and v[2]]
        amount = while_open[-1] if while_open else amount
    return stage, amount if deal.currency == "JPY" else (amount * DAILY_RATE).quantize(Decimal("0.01"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return template(tmp_path_factory.mktemp("marts") / "empty")


@pytest.fixture(scope="module", params=[1, 2])
def built(
    request: pytest.FixtureRequest, empty: Marts, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Company, Marts]:
    company = make(request.param)
    marts = copy(empty, tmp_path_factory.mktemp("company") / "home")
    marts.execute(
        "delete from maps.budget_rates",
        *(f"insert into maps.budget_rates values ({year}, 'USD', 'JPY', {rate})" for year, rate in BUDGET.items()),
        "delete from canonical.canonical_fx_rate",
        f"""insert into canonical.canonical_fx_rate by name
            select date '2020-01-01' as rate_date, 'USD' as from_currency, 'JPY' as to_currency, {DAILY_RATE} as rate""",
    )
    marts.fill(company.canonical, str(AS_OF))
    failed = [name for name, status in marts.build().items() if status == "fail"]
    assert not failed, failed
    return company, marts


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
                yield level, unit, shown, deal, _converted(deal, state[1], day)


def test_the_pipeline_of_sampled_days_is_what_the_deals_of_those_days_add_up_to(built: tuple[Company, Marts]) -> None:
    company, marts = built
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


def test_each_deal_stands_once_with_the_amount_of_the_closure_that_counts(built: tuple[Company, Marts]) -> None:
    company, marts = built
    found = {row[0]: row[1:] for row in marts.rows("select opportunity_id, stage, amount from marts.opportunities")}
    assert set(found) == {entity_id("opportunity", deal.key) for deal in company.deals if deal.is_live}
    for deal in company.deals:
        final = _final(deal)
        if final:
            assert found[entity_id("opportunity", deal.key)] == final, deal


def test_won_and_lost_flows_add_up_to_the_deals_closed(built: tuple[Company, Marts]) -> None:
    company, marts = built
    finals = [final for deal in company.deals if (final := _final(deal))]
    expected = {
        outcome: sum((amount for stage, amount in finals if stage == outcome), Decimal(0))
        for outcome in ("won", "lost")
    }
    [(won, lost)] = marts.rows(
        "select -sum(won_amount), -sum(lost_amount) from marts.pipeline_daily where level = 'owner' and stage = 'all'"
    )
    assert {"won": won, "lost": lost} == expected


def test_a_team_wins_what_its_people_close_while_they_are_in_it(built: tuple[Company, Marts]) -> None:
    company, marts = built
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for deal in company.deals:
        final = _final(deal)
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


def test_the_cohort_funnel_counts_what_each_deal_reached(built: tuple[Company, Marts]) -> None:
    company, marts = built
    expected: dict[str, int] = defaultdict(int)
    for deal in company.deals:
        if not deal.is_live:
            continue
        final = _final(deal)
        reached = [v[1] for v in deal.versions if v[1] in OPEN] + (["won"] if final and final[0] == "won" else [])
        orders = [[*OPEN, "won"].index(stage) for stage in reached]
        for stage in [*OPEN, "won"][: max(orders) + 1]:
            expected[stage] += 1
    found = marts.rows(
        """select stage, sum(entered_count) from marts.funnel_monthly
           where unit = 'opportunity' and basis = 'cohort' group by stage"""
    )
    assert dict(found) == expected


def test_skipped_stages_are_zero_length_and_inferred(built: tuple[Company, Marts]) -> None:
    company, marts = built
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
    built: tuple[Company, Marts], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a full refresh stores in another order must give the same rows: no choice among equals is left to chance."""
    _, marts = built
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
