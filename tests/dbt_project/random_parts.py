"""Lines, people, touches, products and campaigns for the random company, and what the marts must say of them.

The expected numbers are computed record by record in Python; nothing of the product's SQL is used.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.dbt_project.marts_fixture import Canonical, entity_id

TOKYO = timedelta(hours=9)
FAMILIES = {"tool": "Tools", "cloud": "Cloud", "bare": None}
"""Product -> family as the tool says; `bare` is given one by the map product_map."""
MAPPED_FAMILY = "Extras"
TYPES = ("call", "email", "web_visit", "note")


@dataclass(frozen=True)
class Line:
    key: str
    deal: str
    family: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Touch:
    key: str
    account: str | None
    owner: str | None
    kind: str
    occurred_at: datetime
    direction: str
    minutes: float | None


@dataclass
class Parts:
    lines: list[Line] = field(default_factory=list[Line])
    touches: list[Touch] = field(default_factory=list[Touch])
    people: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    """Person -> account record and creation."""
    roles: dict[tuple[str, str], set[str]] = field(default_factory=dict[tuple[str, str], set[str]])


def add_parts(
    canonical: Canonical, deals: Mapping[str, tuple[str | None, str]], owners: list[str], now: datetime, seed: int
) -> Parts:
    """`deals`: key -> account record and currency."""
    rng = random.Random(seed + 1000)
    parts = Parts()
    for name, family in FAMILIES.items():
        canonical.add("canonical_product", name, name=name.title(), family=family, is_recurring=name == "cloud")
    _add_campaigns(canonical)
    accounts = sorted({row["record_key"] for row in canonical.rows["canonical_account"]})
    _add_people(canonical, parts, accounts, rng)
    for deal, (account, currency) in deals.items():
        _add_lines(canonical, parts, deal, currency, rng)
        if account:
            _add_roles(canonical, parts, deal, account, rng)
    _add_touches(canonical, parts, [*accounts, None], [*owners, None], now, rng)
    return parts


def _add_campaigns(canonical: Canonical) -> None:
    canonical.add("canonical_campaign", "fair", name="Fair", channel="event", start_date=date(2025, 4, 1))
    canonical.add("canonical_campaign", "stand", name="Stand", channel="event", parent_key="fair-copy")
    copied = {"source_system": "ma", "vendor": "ma", "created_at": "2023-01-01"}
    canonical.add("canonical_campaign", "fair-copy", name="FAIR", channel="none", end_date=date(2025, 4, 3), **copied)
    canonical.entities["fair-copy"] = "fair"
    canonical.add("canonical_campaign", "gone", name="Gone", channel="event", is_deleted=True)


def _add_people(canonical: Canonical, parts: Parts, accounts: list[str], rng: random.Random) -> None:
    for number in range(90):
        account = rng.choice(accounts)
        created_at = datetime(2022, 1, 1) + timedelta(minutes=rng.randrange(1_700_000))
        key = canonical.add(
            "canonical_person",
            f"person{number}",
            full_name=f"P {number}",
            account_key=account,
            created_at=str(created_at),
        )
        parts.people[key] = (account, created_at)


def _add_lines(canonical: Canonical, parts: Parts, deal: str, currency: str, rng: random.Random) -> None:
    """On the deal's own record, or on its mirror alone, or on both: then the mirror's do not count."""
    mirror = f"{deal}-mirror" if f"{deal}-mirror" in canonical.entities else None
    holders = rng.choice([[deal], [deal, mirror], [mirror]]) if mirror else [deal]
    for holder in holders:
        for number in range(rng.randrange(4)):
            product = rng.choice([*FAMILIES, None])
            amount, money = Decimal(rng.randrange(1, 400)) * 1000, rng.choice([currency, currency, "USD", None])
            key = f"{holder}-line{number}"
            canonical.add(
                "canonical_opportunity_line",
                key,
                opportunity_key=holder,
                product_key=product,
                product_name=f"Line {number}",
                amount_original=amount,
                currency=money,
                is_deleted=number == 3,
            )
            family = MAPPED_FAMILY if product == "bare" else FAMILIES.get(product or "") or f"Line {number}"
            if number < 3 and (holder == deal or not any(line.deal == deal for line in parts.lines)):
                parts.lines.append(Line(key, holder, family, amount, money or currency))
    own = {line.deal for line in parts.lines}
    if mirror in own:
        parts.lines = [
            Line(line.key, deal, line.family, line.amount, line.currency) if line.deal == mirror else line
            for line in parts.lines
            if line.deal != mirror or deal not in own
        ]


def _add_roles(canonical: Canonical, parts: Parts, deal: str, account: str, rng: random.Random) -> None:
    whose = canonical.entities.get(account, account)
    people = [key for key, (of, _) in parts.people.items() if canonical.entities.get(of, of) == whose]
    for number, person in enumerate(rng.sample(people, min(2, len(people)))):
        for role in rng.sample(["Evaluator", "Economic Buyer", "User"], 1 + number):
            key = f"{deal}-{person}-{role}"
            canonical.add("canonical_opportunity_person", key, opportunity_key=deal, person_key=person, role=role)
            parts.roles.setdefault((deal, person), set()).add(role)


def _add_touches(
    canonical: Canonical,
    parts: Parts,
    accounts: list[str | None],
    owners: list[str | None],
    now: datetime,
    rng: random.Random,
) -> None:
    for number in range(1500):
        touch = Touch(
            f"touch{number}",
            rng.choice(accounts),
            rng.choice(owners),
            rng.choice(TYPES),
            now - timedelta(minutes=rng.randrange(-20_000, 1_600_000)),
            rng.choice(["inbound", "outbound", "internal"]),
            rng.choice([None, 15.0, 30.5]),
        )
        canonical.add(
            "canonical_interaction",
            touch.key,
            account_key=touch.account,
            owner_key=touch.owner,
            touch_type=touch.kind,
            channel="direct",
            occurred_at=str(touch.occurred_at),
            direction=touch.direction,
            minutes=touch.minutes,
            campaign_key="fair-copy" if number % 7 == 0 else None,
            is_deleted=number % 50 == 0,
        )
        if number % 50:
            parts.touches.append(touch)


def lines_of(parts: Parts, deal: str, header: Decimal, rate: Decimal) -> dict[str, tuple[str, Decimal]]:
    """line_id -> family and amount, of a deal whose foreign money has this rate; the header rules."""
    found = {
        line.key: (
            line.family,
            line.amount if line.currency == "JPY" else (line.amount * rate).quantize(Decimal("0.01")),
        )
        for line in parts.lines
        if line.deal == deal
    }
    missing = header - sum((amount for _, amount in found.values()), Decimal(0))
    if missing:
        found[f"{entity_id('opportunity', deal)}-unallocated"] = ("unallocated", missing)
    return found


def days_of(parts: Parts, now: datetime, team: Callable[[str, date], str | None], entities: Mapping[str, str]) -> Any:
    """(day, owner, team, type) -> touches, distinct accounts, minutes."""
    cells: dict[tuple[date, str | None, str | None, str], list[Touch]] = defaultdict(list)
    for touch in parts.touches:
        if touch.occurred_at <= now:
            day = (touch.occurred_at + TOKYO).date()
            owner = entity_id("user", touch.owner) if touch.owner else None
            cells[day, owner, team(touch.owner, day) if touch.owner else None, touch.kind].append(touch)
    return {
        cell: (
            len(touches),
            len({entities.get(touch.account, touch.account) for touch in touches if touch.account}),
            sum(touch.minutes for touch in touches if touch.minutes) or None,
        )
        for cell, touches in cells.items()
    }
