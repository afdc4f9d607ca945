"""Moves one deal through its stages and writes down every change, with its instant. Truth only."""

from __future__ import annotations

from math import exp, log
from random import Random
from typing import Any

from sources.demo import distributions as d
from sources.demo.hours import DAY, HOUR, add_months, at_work, date_of, day_of, later, month_end, workday
from sources.demo.people import odds_with
from sources.demo.quotes import deliver, money, quoted
from sources.demo.truth_types import Account, Deal, World
from sources.demo.words import TITLES

_NEXT_STEP = {
    "inquiry": "ヒアリングの日程調整", "discovery": "初回訪問", "first_meeting": "決裁者との面談設定", "decision_maker": "提案書の作成",
    "proposal": "見積の回答待ち", "agreement": "契約書ドラフト送付", "contract": "押印・発注書の受領",
}  # fmt: skip


def walk(rng: Random, world: World, deal: Deal, account: Account, is_customer: bool) -> None:
    """Fills events, lines, closing and final amount of a deal that has just been opened."""
    _Walk(rng, world, deal, account, is_customer).run()


class _Walk:
    def __init__(self, rng: Random, world: World, deal: Deal, account: Account, is_customer: bool) -> None:
        self.rng, self.world, self.deal, self.account = rng, world, deal, account
        self.emea, self.euro = account.division == "emea", d.CURRENCY[account.division] == "EUR"
        self.renewal = deal.deal_type == "renewal"
        self.stay = d.RENEWAL_STAY_RATE if self.renewal else d.STAY_RATE
        self.competitor = rng.choice(d.COMPETITORS) if rng.random() < d.COMPETITOR_RATE and not self.renewal else None
        self.lift = self._quality(is_customer)
        self.pushes, self.at, self.stage = 0, deal.created, "inquiry"
        self.expected = 0

    def _quality(self, is_customer: bool) -> float:
        """What drives a win beyond the stage."""
        people = [self.world.people[index] for index, _ in self.deal.people]
        lift = d.LEAD_SOURCES[self.deal.lead_source][2] + self.rng.gauss(0.0, d.LIFTS["noise_sigma"])
        lift += d.LIFTS["decision_maker"] if any(TITLES[person.title][2] for person in people) else 0.0
        lift += d.LIFTS["industry_fit"] if self.account.industry in d.FIT_INDUSTRIES else 0.0
        lift += d.LIFTS["competitor"] if self.competitor else 0.0
        lift += d.LIFTS["existing_customer"] if is_customer else 0.0
        return lift + self.world.users[self.deal.owner].skill

    def run(self) -> None:
        place = 4 if self.renewal else 2 if self.deal.lead_source == "Referral" and self.rng.random() < 0.3 else 0
        self._start(place)
        reopened = False
        for _ in range(d.ROUTINE["max_visits"]):
            before = place
            place = self._visit(place)
            if 0 <= place < len(d.STAGES):
                self._enter(d.STAGES[place], later(self.rng, self.at, 0, self.emea) if before == place else self.at)
                continue
            self._close(place >= len(d.STAGES))
            back = d.WIN_REVERSED_RATE if self.deal.is_won else d.REOPEN_RATE
            if reopened or self.renewal or self.rng.random() > back:
                return
            reopened = True
            place = self._reopen()
        if self.deal.closed is None or self.stage in d.STAGES:
            self._close(False)

    def _start(self, place: int) -> None:
        self.stage = d.STAGES[place]
        cycle = sum(days for days, _ in d.STAGE_DAYS[place:])
        self.expected = month_end(day_of(self.at) + int(cycle * self.rng.uniform(0.7, 1.4)))
        first = {
            "stage": self.stage, "amount": self.deal.amount, "owner": self.deal.owner, "expected": self.expected,
            "loss_reason": None, "competitor": None, **self._belief(),
        }  # fmt: skip
        self.deal.events.append((self.at, first))
        if self.renewal:
            self._quote()

    def _belief(self) -> dict[str, Any]:
        """The rep's own probability, category and next step at the stage."""
        usual = d.PROBABILITY[self.stage]
        own = usual if self.rng.random() < 0.8 else min(0.95, max(0.05, usual + self.rng.choice((-0.1, 0.1))))
        category = "pipeline" if usual < 0.5 else "best_case" if usual < 0.75 else "commit"
        if usual < 0.2 and self.rng.random() < 0.1:
            category = "omitted"
        return {"probability": round(own, 2), "forecast_category": category, "next_step": _NEXT_STEP.get(self.stage)}

    def _write(self, at: int, **changes: Any) -> int:
        """Adds an event strictly after the last one."""
        self.at = max(at, self.deal.events[-1][0] + 61)
        self.deal.events.append((self.at, changes))
        return self.at

    def _visit(self, place: int) -> int:
        """Stays in the stage, is pushed meanwhile; gives the next place: -1 lost, 7 won."""
        rng = self.rng
        median, sigma = d.STAGE_DAYS[place]
        days = rng.lognormvariate(log(median), sigma) * (d.STALL_FACTOR if rng.random() < d.STALL_RATE else 1.0)
        until = later(rng, self.at, days, self.emea)
        self._hand_over(until)
        self._push(until)
        self.at = max(until, self.at + 61)
        if rng.random() > odds_with(self.stay[place], self.lift + d.LIFTS["push"] * self.pushes):
            return -1
        drawn = rng.random()
        if drawn < d.BACK_RATE and place > 0 and not self.renewal:
            return place - 1
        if drawn < d.BACK_RATE + d.SKIP_RATE and place < len(d.STAGES) - 2:
            return place + 2
        return place + 1

    def _hand_over(self, until: int) -> None:
        """The owner leaves the company, or the deal goes to a colleague."""
        user = self.world.users[self.deal.owner]
        if user.left is not None and self.at < user.left < until and user.manager is not None:
            self.deal.owner = user.manager
            self._write(user.left + HOUR, owner=self.deal.owner)
        elif self.rng.random() < d.HANDOVER_RATE / 5:
            middle = later(self.rng, self.at, (until - self.at) / DAY / 2, self.emea)
            team = [i for i, other in enumerate(self.world.users) if other.team == user.team and other.left is None]
            if self.at < middle < until and len(team) > 1:
                self.deal.owner = self.rng.choice(team)
                self._write(middle, owner=self.deal.owner)

    def _push(self, until: int) -> None:
        while self.expected < day_of(until) and self.pushes < d.ROUTINE["max_pushes"]:
            at = at_work(self.rng, max(day_of(self.at), self.expected - self.rng.randrange(0, 4)), self.emea)
            self.expected = month_end(add_months(self.expected, self.rng.choice((1, 1, 1, 2, 3))))
            self.pushes += 1
            if at < until:
                self._write(at, expected=self.expected)

    def _enter(self, stage: str, at: int) -> None:
        self.stage = stage
        self._write(at, stage=stage, **self._belief())
        if stage == "proposal" and not self.deal.lines:
            self._quote()
        if stage == "agreement" and self.deal.lines and self.rng.random() < d.DISCOUNT_RATE:
            self._discount()
        if stage == "decision_maker" and self.competitor:
            self._write(self.at + self.rng.randrange(300, 3_000), competitor=self.competitor)

    def _quote(self) -> None:
        """Product lines that come near the estimate; from now on the amount is their sum."""
        if self.deal.division == "west":
            return
        deal = self.deal
        deal.lines = quoted(self.rng, deal, self.expected, self.at + 61)
        deal.amount = money(sum(line.amount for line in deal.lines), self.euro)
        self._write(self.at + 61, amount=deal.amount)

    def _discount(self) -> None:
        rate = 1 - self.rng.uniform(*d.DISCOUNT_RANGE)
        at = self._write(self.at + self.rng.randrange(600, 6_000))
        for line in self.deal.lines:
            quoted = {"quoted_price": line.unit_price, "quoted_amount": line.amount}
            line.unit_price = money(line.unit_price * rate, self.euro)
            line.amount = money(line.unit_price * line.quantity, self.euro)
            line.changes.append((at, {"unit_price": line.unit_price, "amount": line.amount, **quoted}))
        self.deal.amount = money(sum(line.amount for line in self.deal.lines), self.euro)
        self.deal.events[-1][1]["amount"] = self.deal.amount

    def _close(self, won: bool) -> None:
        rng, at = self.rng, self.at
        if won and not self.renewal:
            at = self._pulled(at)
        at = max(at, self.deal.events[-1][0] + 61)
        day = day_of(at)
        shown = day - rng.randrange(1, 6) if rng.random() < d.OTHER_CLOSE_DATE_RATE else day
        self.stage = "won" if won else "lost"
        reason = None
        if not won:
            reason = rng.choices(list(d.LOSS_REASONS), list(d.LOSS_REASONS.values()))[0]
            reason = "Competitor" if self.competitor and rng.random() < 0.5 else reason
        self._write(
            at, stage=self.stage, expected=shown, probability=d.PROBABILITY[self.stage], next_step=None,
            forecast_category="closed" if won else "omitted", loss_reason=reason,
        )  # fmt: skip
        self.expected = shown
        self.deal.closed, self.deal.is_won = self.at, won
        if won:
            deliver(self.deal.lines, day, self.at)

    def _pulled(self, at: int) -> int:
        """Wins crowd before the end of the fiscal year, and less before a quarter's end."""
        on, drawn = date_of(day_of(at)), self.rng.random()
        if on.month in (1, 2, 3) and drawn < d.FISCAL_END_PULL:
            end = day_of(at) + (month_end(add_months(day_of(at), 3 - on.month)) - day_of(at))
        elif drawn < d.QUARTER_END_PULL and on.month not in (1, 2, 3):
            end = month_end(add_months(day_of(at), (3 - on.month % 3) % 3))
        else:
            return at
        day = end - int(self.rng.expovariate(1 / 3.0))
        pulled = at_work(self.rng, day if workday(day) <= end else end - 4, self.emea)
        return pulled if pulled > self.deal.events[-1][0] else at

    def _reopen(self) -> int:
        """Back to the proposal; what is won later is decided by the stages again, from a fresh lift."""
        at = later(self.rng, self.at, self.rng.randrange(12, 75), self.emea)
        self.lift = log(d.REOPENED_WIN_RATE / (1 - d.REOPENED_WIN_RATE)) + self.rng.gauss(0.6, 0.3)
        self.expected = month_end(day_of(at) + 30)
        self.stage = "proposal"
        self.deal.is_won, self.deal.closed = False, None
        self._write(at, stage="proposal", expected=self.expected, loss_reason=None, **self._belief())
        if not self.deal.lines:
            self._quote()
        return 4


def spread_of(lift: float) -> float:
    """The odds factor of a lift, for readers of company.json."""
    return round(exp(lift), 3)
