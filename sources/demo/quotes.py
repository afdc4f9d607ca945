"""The product lines of deals: how an estimate becomes a quote, and the service days once it is won. Truth only."""

from __future__ import annotations

from random import Random

from sources.demo import distributions as d
from sources.demo.hours import add_months, day_of, whole_minute
from sources.demo.staff import EUR_RATE, PRODUCTS
from sources.demo.truth_types import Deal, Line, World


def money(amount: float, euro: bool) -> float:
    """Yen have no fractions."""
    return round(amount, 2) if euro else float(round(amount))


def quoted(rng: Random, deal: Deal, expected: int, at: int) -> list[Line]:
    """Lines that come near the deal's estimate, added at `at`, for service from the month after the expected day."""
    renewal, euro = deal.deal_type == "renewal", d.CURRENCY[deal.division] == "EUR"
    lines: list[Line] = []
    choices = [index for index, product in enumerate(PRODUCTS) if product.family == deal.family]
    picked = [rng.choice(choices)]
    if rng.random() < 0.45 and not renewal:
        picked.append(rng.choice([index for index in range(len(PRODUCTS)) if index not in picked]))
    for place, index in enumerate(picked):
        product, share = PRODUCTS[index], 1.0 if len(picked) == 1 else (0.7, 0.3)[place]
        months = 12 if product.is_recurring else 1
        price = product.price / EUR_RATE if euro else product.price
        quantity = max(1, round(deal.amount * share / (price * months)))
        unit = money(max(price * months * rng.uniform(0.9, 1.05), deal.amount * share / quantity * 0.5), euro)
        start = add_months(expected, 1)
        end = add_months(start, 12) - 1 if product.is_recurring else start
        lines.append(Line(index, quantity, unit, money(unit * quantity, euro), start, end, product.is_recurring, at))
    return lines


def deliver(lines: list[Line], day: int, at: int) -> None:
    """The service days of lines that were won that day; written down at `at`."""
    for line in lines:
        start = add_months(day, 1)
        end = add_months(start, 12) - 1 if line.is_recurring else start
        if (start, end) != (line.start, line.end):
            line.changes.append((at, {"start": start, "end": end}))
            line.final = (start, end)


def quote_follow_ups(world: World) -> None:
    """Lines for what division west sells to its customers, from a generator of its own: new business there has none.

    The instants of these deals become whole minutes, as kintone keeps them.
    """
    rng = Random(f"{world.seed}:follow-up lines")
    for deal in world.deals:
        if deal.division not in d.FOLLOW_UP_TOOL or deal.deal_type == "new":
            continue
        _to_minutes(deal)
        place, expected = _quoting(deal)
        if place is None:
            continue
        at, event = deal.events[place]
        deal.lines = quoted(rng, deal, expected, at)
        deal.amount = event["amount"] = sum(line.amount for line in deal.lines)
        if deal.is_won and deal.closed is not None:
            deliver(deal.lines, day_of(deal.closed), deal.closed)


def _to_minutes(deal: Deal) -> None:
    """Events are more than a minute apart, so they stay in order."""
    deal.events = [(whole_minute(at), event) for at, event in deal.events]
    deal.created = whole_minute(deal.created)
    deal.closed = None if deal.closed is None else whole_minute(deal.closed)


def _quoting(deal: Deal) -> tuple[int | None, int]:
    """The event with which the deal is quoted (a renewal at once, others with the proposal), and the expected day then."""
    expected = 0
    for place, (_, event) in enumerate(deal.events):
        expected = event.get("expected", expected)
        if deal.deal_type == "renewal" or event.get("stage") in ("proposal", "agreement", "contract", "won"):
            return place, expected
    return None, expected
