"""A random company in canonical tables: what its deals were like on each day is known without the product's SQL.

It has mirrored, deleted, reopened and foreign deals, owners who change, owners who change team, merged accounts and
accounts known to two tools; with lines, people and touches (`random_parts`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.dbt_project.marts_fixture import Canonical
from tests.dbt_project.random_parts import Parts, add_parts

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
    parts: Parts = field(default_factory=Parts)

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
    deals = {deal.key: (deal.account, deal.currency) for deal in company.deals}
    company.parts = add_parts(canonical, deals, list(company.seats), AS_OF, seed)
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


def converted(deal: Deal, amount: Decimal, day: date) -> Decimal:
    if deal.currency == "JPY":
        return amount
    fiscal_year = day.year if day.month >= 4 else day.year - 1
    return (amount * BUDGET[fiscal_year]).quantize(Decimal("0.01"))


def closing(deal: Deal) -> tuple[str, Decimal] | None:
    """Stage and converted amount of the closure that counts; a lost deal's is its last non-zero amount while open."""
    stage, amount = deal.versions[-1][1:3]
    if not deal.is_live or stage not in ("won", "lost"):
        return None
    if stage == "lost":
        while_open = [v[2] for v in deal.versions if v[1] not in ("won", "lost") and v[2]]
        amount = while_open[-1] if while_open else amount
    return stage, amount if deal.currency == "JPY" else (amount * DAILY_RATE).quantize(Decimal("0.01"))
