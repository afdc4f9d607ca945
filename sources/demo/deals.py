"""The deals as they really went: chains of a first deal and the renewals, upsells and cross-sells that follow a win.

Truth only; no tool's copies. `walk.py` moves one deal through its stages.
"""

from __future__ import annotations

from math import log
from random import Random

from sources.demo import distributions as d
from sources.demo.hours import DAY, END, FIRST_NOW, HOUR, add_months, at_work, day_of, later
from sources.demo.staff import EUR_RATE, PRODUCTS, owner_at, sellers
from sources.demo.truth_types import Account, Deal, Person, World
from sources.demo.walk import walk
from sources.demo.words import TITLES

_LABEL = {"new": "新規導入", "renewal": "更新", "upsell": "増設", "cross_sell": "追加提案"}


def make_deals(world: World) -> list[Deal]:
    """Chains until as many deals are visible as the scale says; the surplus of the last chain is cut off its end."""
    rng = Random(f"{world.seed}:deals")
    wanted = d.SCALES[world.scale]["deals"]
    seeds = [person for person in world.people if person.sql is not None]
    now = [person for person in seeds if person.sql is not None and person.sql < FIRST_NOW - 3 * DAY]
    ahead = [person for person in seeds if person.sql is not None and FIRST_NOW + HOUR < person.sql < END]
    rng.shuffle(now)
    deals: list[Deal] = []
    visible, turn = 0, 0
    while visible < wanted:
        person = now[turn % len(now)]
        chain = _chain(rng, world, person, turn >= len(now))
        turn += 1
        shown = [deal for deal in chain if deal.created < FIRST_NOW and deal.deleted is None]
        if visible + len(shown) > wanted:
            chain = shown = _first(shown, wanted - visible)
        visible += len(shown)
        deals.extend(chain)
    for person in ahead[: round(wanted * d.FUTURE_SHARE)]:
        deals.extend(_chain(rng, world, person, False))
    deals.sort(key=lambda deal: (deal.created, deal.name))
    for index, deal in enumerate(deals):
        deal.index, deal.entity_id = index, f"deal-{index:07d}"
        _note_customers(world, deal)
    return deals


def _first(chain: list[Deal], count: int) -> list[Deal]:
    return sorted(chain, key=lambda deal: deal.created)[:count]


def _chain(rng: Random, world: World, person: Person, again: bool) -> list[Deal]:
    """A deal and all that follows from it; `again`: the person's second project, not from the conversion."""
    account = world.accounts[person.account]
    assert person.sql is not None
    created = person.sql
    if again:
        created = later(rng, created, rng.randrange(30, 400), account.division == "emea")
        if created > FIRST_NOW - DAY:
            created = person.sql + rng.randrange(2, 20) * 120
    first = _open(rng, world, person, account, "new", created, not again)
    chain, waiting = [first], [first]
    while waiting:
        for following in _follow_ups(rng, world, person, account, waiting.pop()):
            chain.append(following)
            waiting.append(following)
    return chain


def _follow_ups(rng: Random, world: World, person: Person, account: Account, deal: Deal) -> list[Deal]:
    if not deal.is_won or deal.closed is None or deal.deleted is not None:
        return []
    emea, found = account.division == "emea", list[Deal]()
    ends = [(line.final or (line.start, line.end))[1] for line in deal.lines if line.is_recurring]
    if ends or account.division == "west":
        due = max(ends) if ends else add_months(day_of(deal.closed), 12)
        if rng.random() < d.RENEWAL_RATE:
            created = at_work(rng, due - rng.randrange(70, 100), emea)
            if deal.closed < created < END:
                found.append(_open(rng, world, person, account, "renewal", created, False, deal))
    if deal.deal_type != "renewal":
        for kind, rate in (("upsell", d.UPSELL_RATE), ("cross_sell", d.CROSS_SELL_RATE)):
            created = later(rng, deal.closed, rng.randrange(90, 330), emea)
            if rng.random() < rate and created < END:
                found.append(_open(rng, world, person, account, kind, created, False, deal))
    return found


def _open(
    rng: Random,
    world: World,
    person: Person,
    account: Account,
    kind: str,
    created: int,
    from_conversion: bool,
    before: Deal | None = None,
) -> Deal:
    currency = d.CURRENCY[account.division]
    team = sellers(world.users, account.division)
    owner = before.owner if before else account.owner if rng.random() < 0.8 else rng.choice(team)
    family = _family(rng, before, kind)
    deal = Deal(
        index=-1,
        entity_id="",
        account=account.index,
        people=_committee(rng, world, person, account, created),
        division=account.division,
        deal_type=kind,
        pipeline="renewal" if kind == "renewal" else "new_business",
        name=f"{account.display} {family} {_LABEL[kind]}",
        lead_source=person.source,
        campaign=person.campaign if kind == "new" else None,
        created=created,
        from_conversion=from_conversion,
        owner=owner_at(world.users, owner, created),
        amount=_estimate(rng, account, before, kind, currency),
        family=family,
    )
    walk(rng, world, deal, account, before is not None)
    if rng.random() < d.SPLIT_RATE and len(team) > 1:
        other = rng.choice([user for user in team if user != deal.owner])
        share = rng.choice((0.3, 0.4, 0.5))
        deal.splits = [(deal.owner, round(1 - share, 2)), (other, share)]
    if kind == "new" and not deal.is_won and rng.random() < d.DEAL_DELETED_RATE * 2:
        deleted = later(rng, created, 2 + rng.randrange(40), account.division == "emea")
        deal.deleted = deleted if created > FIRST_NOW or deleted < FIRST_NOW else None
    return deal


def _committee(rng: Random, world: World, person: Person, account: Account, created: int) -> list[tuple[int, str]]:
    """The first one is the primary contact; colleagues known by then follow."""
    known = [
        index
        for index in account.people
        if index != person.index and not world.people[index].junk and world.people[index].created < created
    ]
    colleagues = rng.sample(known, min(len(known), rng.choice((0, 0, 1, 1, 2))))
    people: list[tuple[int, str]] = []
    for index in (person.index, *colleagues):
        decides = TITLES[world.people[index].title][2]
        people.append(
            (index, "Decision Maker" if decides else rng.choice(("Evaluator", "Influencer", "Business User")))
        )
    return people


def _family(rng: Random, before: Deal | None, kind: str) -> str:
    families = sorted({product.family for product in PRODUCTS})
    owned = sorted({PRODUCTS[line.product].family for line in before.lines}) if before else []
    if kind == "cross_sell":
        return rng.choice([family for family in families if family not in owned] or families)
    if owned:
        return rng.choice(owned)
    return rng.choices(("Platform", "Analytics", "Devices", "Services", "Support"), (0.5, 0.18, 0.16, 0.1, 0.06))[0]


def _estimate(rng: Random, account: Account, before: Deal | None, kind: str, currency: str) -> float:
    """A first amount, rounded as people round."""
    if before is not None and kind == "renewal":
        kept = sum(line.amount for line in before.lines if line.is_recurring) or before.amount
        amount = kept * rng.choice((1.0, 1.0, 1.0, 1.05, 1.1, 0.9))
    else:
        size = (account.employees / d.EMPLOYEES_MEDIAN) ** d.AMOUNT_SIZE_EXPONENT
        factor = {"new": 1.0, "upsell": 0.45, "cross_sell": 0.55, "renewal": 1.0}[kind]
        amount = rng.lognormvariate(log(d.AMOUNT_MEDIAN[currency]), d.AMOUNT_SIGMA) * size * factor
    return float(max(100.0, round(amount, -2)) if currency == "EUR" else max(10_000.0, round(amount, -4)))


def _note_customers(world: World, deal: Deal) -> None:
    """People on a won deal become customers at its closing (the earliest one counts)."""
    if not deal.is_won or deal.closed is None or deal.deleted is not None:
        return
    for index, _ in deal.people:
        person = world.people[index]
        if person.customer is None or person.customer > deal.closed:
            person.customer = deal.closed


def in_yen(deal: Deal) -> float:
    return deal.amount * (EUR_RATE if d.CURRENCY[deal.division] == "EUR" else 1.0)
