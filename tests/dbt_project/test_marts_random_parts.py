"""Lines, products, journeys, activities and campaigns of a random company against what its records say one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt_project.marts_fixture import Marts, entity_id
from tests.dbt_project.random_company import AS_OF, BUDGET, DAILY_RATE, TOKYO, Company, Deal, closing, converted
from tests.dbt_project.random_parts import MAPPED_FAMILY, days_of, lines_of

pytestmark = pytest.mark.soak


def _lines(company: Company, deal: Deal) -> dict[str, tuple[str, Decimal]]:
    final = closing(deal)
    header = final[1] if final else converted(deal, deal.versions[-1][2], AS_OF.date())
    return lines_of(company.parts, deal.key, header, DAILY_RATE if final else BUDGET[2025])


def test_the_lines_of_a_deal_are_its_products_and_the_difference_to_its_header(
    random_built: tuple[Company, Marts],
) -> None:
    company, marts = random_built
    found = marts.rows("select line_id, product_family, amount, opportunity_id from marts.opportunity_lines")
    expected = {
        (line, *rest, entity_id("opportunity", deal.key))
        for deal in company.deals
        if deal.is_live
        for line, rest in _lines(company, deal).items()
    }
    assert set(found) == expected and len(found) == len(expected)
    assert any(row[1] == MAPPED_FAMILY for row in found) and any(row[2] < 0 for row in found)


def _wins(company: Company) -> Iterator[tuple[str, Deal, datetime]]:
    """(account entity, deal, instant of the closing that counts) of every won deal that has an account."""
    for deal in company.deals:
        final = closing(deal)
        if final and final[0] == "won" and deal.account:
            closure = max(n for n, v in enumerate(deal.versions) if n == 0 or deal.versions[n - 1][1] != v[1])
            key = company.canonical.entities.get(deal.account, deal.account)
            yield entity_id("account", key), deal, deal.versions[closure][0]


def test_an_account_owns_the_families_of_its_won_deals(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    expected: dict[tuple[str, str], list[Any]] = {}
    for account, deal, _ in _wins(company):
        bought_on = (deal.versions[-1][0] + TOKYO).date()
        lines = [row for row in _lines(company, deal).values() if row[0] != "unallocated"]
        for family in {family for family, _ in lines}:
            cell = expected.setdefault((account, family), [bought_on, bought_on, 0, Decimal(0)])
            cell[:2] = min(cell[0], bought_on), max(cell[1], bought_on)
            cell[2] += 1
            cell[3] += sum(amount for of, amount in lines if of == family)
    found = marts.rows(
        """select account_id, product_family, first_bought_date, last_bought_date, order_count, won_amount
           from marts.account_products"""
    )
    assert {row[:2]: list(row[2:]) for row in found} == expected and len(found) == len(expected) > 20


def test_the_journey_of_an_account_is_that_of_its_people_deals_and_touches(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built

    def account(key: str) -> str:
        return entity_id("account", company.canonical.entities.get(key, key))

    won: dict[str, list[datetime]] = defaultdict(list)
    deals: dict[str, list[datetime]] = defaultdict(list)
    known: dict[str, list[datetime]] = defaultdict(lambda: [datetime(2024, 1, 1)])
    for key, _, closed_at in _wins(company):
        won[key].append(closed_at)
    for deal in company.deals:
        if deal.is_live and deal.account:
            deals[account(deal.account)].append(deal.versions[0][0])
    for of, created_at in company.parts.people.values():
        known[account(of)].append(created_at)
    found = marts.rows(
        """select account_id, lead_at, sql_at, first_opportunity_at, first_won_at, second_won_at, touch_count_before_won
           from marts.journeys"""
    )
    assert len(found) == len(marts.rows("select 1 from marts.customer_360"))
    for key, *journey in found:
        closings = [*sorted(won[key]), None, None][:2]
        first_deal = min(deals[key], default=None)
        touches = [t for t in company.parts.touches if t.account and account(t.account) == key]
        before = [t for t in touches if closings[0] and t.occurred_at < closings[0] and t.direction != "internal"]
        lead_at = min(known[key] + deals[key] + won[key])
        expected = [lead_at, first_deal, first_deal, *closings, len(before) if closings[0] else None]
        assert journey == expected, key


def test_the_activities_of_each_day_are_the_touches_of_that_day(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    found = marts.rows(
        """select activity_date, owner_id, team, activity_type, activity_count, account_count, minutes
           from marts.activity_daily"""
    )
    expected = days_of(company.parts, AS_OF, company.team, company.canonical.entities)
    assert {row[:4]: row[4:] for row in found} == expected and len(found) == len(expected)


def test_each_person_of_a_deal_is_there_once_with_every_role(random_built: tuple[Company, Marts]) -> None:
    company, marts = random_built
    live = {deal.key for deal in company.deals if deal.is_live}
    found = marts.rows("select opportunity_id, person_id, role, is_decision_maker from marts.opportunity_people")
    assert sorted(found) == sorted(
        (
            entity_id("opportunity", deal),
            entity_id("person", person),
            ",".join(sorted(roles)),
            "Economic Buyer" in roles,
        )
        for (deal, person), roles in company.parts.roles.items()
        if deal in live
    )


def test_a_campaign_of_two_tools_is_one_that_keeps_what_either_knows(random_built: tuple[Company, Marts]) -> None:
    _, marts = random_built
    fair, stand = entity_id("campaign", "fair"), entity_id("campaign", "stand")
    found = marts.rows(
        "select campaign_id, channel, parent_campaign_id, start_date, end_date, source_system from marts.campaigns"
    )
    assert sorted(found) == sorted(
        [
            (fair, "event", None, date(2025, 4, 1), date(2025, 4, 3), "crm"),
            (stand, "event", fair, None, None, "crm"),
        ]
    )
    assert marts.rows("select distinct campaign_id from marts.touchpoints where campaign_id is not null") == [(fair,)]


def test_a_products_family_and_margin_are_those_of_the_map(random_built: tuple[Company, Marts]) -> None:
    _, marts = random_built
    found = marts.rows("select source_id, product_family, margin_rate, is_recurring from marts.products order by 1")
    assert found == [
        ("bare", MAPPED_FAMILY, 0.4, False),
        ("cloud", "Cloud", None, True),
        ("tool", "Tools", None, False),
    ]
