"""The people who really exist and how far they came before a deal. Truth only; no tool's copies."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from math import exp, log
from random import Random

from sources.demo import distributions as d
from sources.demo.hours import DAY, END, FIRST_NOW, HOUR, at_work, day_of, later
from sources.demo.names import ascii_of, japanese_person, western_person
from sources.demo.staff import sellers
from sources.demo.truth_types import Account, Campaign, Person, User
from sources.demo.words import DEPARTMENTS, FREE_MAIL, TITLES


def odds_with(rate: float, lift: float) -> float:
    """The rate after adding a lift to its log odds."""
    return 1 / (1 + exp(-(log(rate / (1 - rate)) + lift)))


def make_people(
    seed: int, scale: str, users: list[User], accounts: list[Account], campaigns: list[Campaign]
) -> list[Person]:
    """As many visible people as the scale says, every account has at least one, then those of the half year ahead."""
    rng = Random(f"{seed}:people")
    makers = _Makers(rng, users, campaigns)
    visible_accounts = [account for account in accounts if account.created < FIRST_NOW]
    ahead_accounts = accounts[len(visible_accounts) :]
    visible = d.SCALES[scale]["people"]
    people: list[Person] = []
    for account in visible_accounts:
        people.append(makers.person(len(people), account, account.created, first=True))
    live = sum(not person.junk for person in people)
    weights = list(accumulate(0.0 if account.junk else account.employees**0.45 for account in visible_accounts))
    while live < visible:
        account = visible_accounts[bisect_right(weights, rng.random() * weights[-1])]
        people.append(makers.person(len(people), account, _joining(rng, account.created)))
        live += not people[-1].junk
    for account in ahead_accounts:
        people.append(makers.person(len(people), account, account.created, first=True))
    while len(people) < visible * (1 + d.FUTURE_SHARE):
        account = visible_accounts[bisect_right(weights, rng.random() * weights[-1])]
        day = day_of(FIRST_NOW) + 1 + rng.randrange((END - FIRST_NOW) // DAY - 1)
        people.append(makers.person(len(people), account, at_work(rng, day)))
    _change_jobs(rng, people, accounts)
    return people


def _joining(rng: Random, since: int) -> int:
    """When a further person of an account turns up: often soon after the first one."""
    span = FIRST_NOW - 4 * HOUR - since
    at = at_work(rng, day_of(since + int(span * rng.random() ** 1.7)))
    return min(max(at, since + 60), FIRST_NOW - 2 * HOUR - rng.randrange(HOUR))


class _Makers:
    """Draws one person after another from one generator."""

    def __init__(self, rng: Random, users: list[User], campaigns: list[Campaign]) -> None:
        self._rng = rng
        inside = sellers(users, "inside")
        self._owners = {"jp": inside, "online": inside}
        self._owners |= {division: sellers(users, division) for division in ("emea", "west")}
        self._mails: set[str] = set()
        self._by_source: dict[str, list[tuple[int, int, int]]] = {}
        for index, campaign in enumerate(campaigns):
            self._by_source.setdefault(campaign.source or "", []).append((campaign.start, campaign.end, index))
        self._sources = list(d.LEAD_SOURCES)
        self._source_weights = [share for share, _, _ in d.LEAD_SOURCES.values()]
        self._title_weights = [share for *_, share in TITLES]

    def person(self, index: int, account: Account, created: int, first: bool = False) -> Person:
        rng = self._rng
        name = japanese_person(rng) if account.country == "JP" else western_person(rng)
        source = rng.choices(self._sources, self._source_weights)[0]
        if source not in d.TOOL_BORN and rng.random() < 0.3 and created != account.created:
            created = min(created + rng.randrange(15 * HOUR), FIRST_NOW - 60) if created < FIRST_NOW else created
        person = Person(
            index=index,
            entity_id=f"person-{index:07d}",
            name=name,
            account=account.index,
            email=self.mail(name.latin, account, index),
            private_mail=f"{ascii_of(name.latin[1])}{index % 97}.{index:x}@{rng.choice(FREE_MAIL)}",
            phone=account.phone,
            mobile=f"0{rng.choice('789')}0-{rng.randint(1000, 9999)}-{rng.randint(1000, 9999)}"
            if account.country == "JP"
            else f"{account.phone.split()[0]} 1{rng.randint(10, 79)} {rng.randint(1_000_000, 9_999_999)}",
            title=rng.choices(range(len(TITLES)), self._title_weights)[0],
            department=rng.randrange(len(DEPARTMENTS)),
            source=source,
            campaign=self._campaign(source, day_of(created)),
            created=created,
            owner=rng.choice(self._owners[account.division]),
            junk=account.junk or (not first and rng.random() < d.PERSON_JUNK_RATE and created < FIRST_NOW - 60 * DAY),
        )
        account.people.append(index)
        if not person.junk:
            self._progress(person, account)
        return person

    def mail(self, latin: tuple[str, str], account: Account, index: int) -> str:
        given, family = ascii_of(latin[0]), ascii_of(latin[1])
        host = account.domain or f"{account.name.slug}{account.index}.example"
        local = (f"{family}.{given}", f"{given[0]}.{family}", f"{given}.{family}", family)[account.index % 4]
        mail = f"{local}@{host}"
        if mail in self._mails:
            mail = f"{local}{index}@{host}"
        self._mails.add(mail)
        return mail

    def _campaign(self, source: str, day: int) -> int | None:
        running = [index for start, end, index in self._by_source.get(source, []) if start <= day <= end]
        return self._rng.choice(running) if running and self._rng.random() < 0.9 else None

    def _progress(self, person: Person, account: Account) -> None:
        """Lead, engaged, MQL, SQL; who stops on the way may be disqualified."""
        rng = self._rng
        _, lift, _ = d.LEAD_SOURCES[person.source]
        lift += 0.3 if account.industry in d.FIT_INDUSTRIES else -0.1
        lift += 0.25 if TITLES[person.title][2] else 0.0
        at, emea = person.created, account.division == "emea"
        if rng.random() < d.OPT_OUT_RATE:
            person.email_opt_out = later(rng, at, rng.expovariate(1 / 120), emea)
        person.call_opt_out = rng.random() < d.CALL_OPT_OUT_RATE
        if rng.random() > d.ENGAGED_RATE:
            return
        at = person.engaged = later(rng, at, rng.lognormvariate(log(d.DAYS_TO_ENGAGED[0]), d.DAYS_TO_ENGAGED[1]), emea)
        skips = rng.random() < d.MQL_SKIPPED_RATE
        if not skips and rng.random() < odds_with(d.MQL_RATE, lift):
            at = person.mql = later(rng, at, rng.lognormvariate(log(d.DAYS_TO_MQL[0]), d.DAYS_TO_MQL[1]), emea)
        if (skips or person.mql) and rng.random() < odds_with(d.SQL_RATE, lift):
            person.sql = later(rng, at, rng.lognormvariate(log(d.DAYS_TO_SQL[0]), d.DAYS_TO_SQL[1]), emea)
        elif rng.random() < d.DISQUALIFIED_RATE:
            person.disqualified = later(rng, at, 20 + rng.expovariate(1 / 40), emea)


def _change_jobs(rng: Random, people: list[Person], accounts: list[Account]) -> None:
    """A few go to another Japanese customer of the same division, with a new address and the old mobile phone."""
    for person in people:
        old = accounts[person.account]
        if person.junk or old.division != "jp" or rng.random() > d.JOB_CHANGE_RATE:
            continue
        at = later(rng, person.sql or person.mql or person.created, rng.randrange(60, 400))
        new = rng.choice(accounts[: max(1, old.index)])
        if new.index == old.index or new.junk or new.division != "jp" or new.domain is None or new.created > at:
            continue
        given, family = ascii_of(person.name.latin[0]), ascii_of(person.name.latin[1])
        person.moved = (at, new.index, f"{family}-{given}{person.index % 89}@{new.domain}")
    for person in people:
        account = accounts[person.account]
        if person.moved is None and account.parent is not None and rng.random() < d.EXTRA_RELATION_RATE * 8:
            person.extra_account = account.parent
