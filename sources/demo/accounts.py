"""The customers and prospects that really exist. Truth only; no tool's copies."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from sources.demo import distributions as d
from sources.demo.hours import DAY, END, FIRST_NOW, START, at_work, day_of, later
from sources.demo.names import CompanyName, corporate_number, japanese_company, western_company
from sources.demo.staff import sellers
from sources.demo.truth_types import Account, User
from sources.demo.words import BRANCHES, CITIES, STREETS


def make_accounts(seed: int, scale: str, users: list[User]) -> list[Account]:
    """In time order: as many visible ones as the scale says, some junk beside them, and those of the half year ahead."""
    rng = Random(f"{seed}:accounts")
    visible = d.SCALES[scale]["accounts"]
    span = day_of(FIRST_NOW) - day_of(START) - 2
    real = [at_work(rng, day_of(START) + 1 + int(span * rng.random() ** 1.25)) for _ in range(visible)]
    times = [(min(at, FIRST_NOW - 3 * 3_600), False) for at in real]
    junk = [
        at_work(rng, day_of(START) + 20 + rng.randrange(span - 90)) for _ in range(round(visible * d.ACCOUNT_JUNK_RATE))
    ]
    times += [(at, True) for at in junk]
    first_ahead, days_ahead = day_of(FIRST_NOW) + 1, (END - FIRST_NOW) // DAY - 1
    ahead = [at_work(rng, first_ahead + rng.randrange(days_ahead)) for _ in range(round(visible * d.FUTURE_SHARE))]
    times = sorted(times + [(at, False) for at in ahead])
    owners = {division: sellers(users, division) for division in d.DIVISION_SHARE}
    accounts: list[Account] = []
    domains: set[str] = set()
    cores: set[str] = set()
    for index, (created, is_junk) in enumerate(times):
        account = _account(rng, index, created, owners, domains, cores)
        account.junk = is_junk
        _relate(rng, account, accounts)
        _rename(rng, account)
        accounts.append(account)
    return accounts


def _fresh_name(rng: Random, country: str, cores: set[str]) -> CompanyName:
    name = japanese_company(rng) if country == "JP" else western_company(rng, country)
    tries = 0
    while name.core.lower() in cores:
        name = japanese_company(rng) if country == "JP" else western_company(rng, country)
        tries += 1
        if tries > 20:
            number = len(cores)
            name = replace(name, core=f"{name.core}{number}", full=f"{name.full}{number}", slug=f"{name.slug}{number}")
    cores.add(name.core.lower())
    return name


def _account(
    rng: Random, index: int, created: int, owners: dict[str, list[int]], domains: set[str], cores: set[str]
) -> Account:
    division = rng.choices(list(d.DIVISION_SHARE), list(d.DIVISION_SHARE.values()))[0]
    country = "JP"
    if division == "emea":
        country = rng.choices(list(d.EMEA_COUNTRIES), list(d.EMEA_COUNTRIES.values()))[0]
    elif division == "jp" and rng.random() < sum(d.FOREIGN_IN_JP.values()):
        country = rng.choices(list(d.FOREIGN_IN_JP), list(d.FOREIGN_IN_JP.values()))[0]
    name = _fresh_name(rng, country, cores)
    place = CITIES["west" if division == "west" else "east"] if country == "JP" else CITIES[country]
    region, city, postal_code = rng.choice(place)
    street = f"{rng.choice(STREETS['JP'])}{rng.randint(1, 5)}-{rng.randint(1, 20)}-{rng.randint(1, 15)}"
    if country != "JP":
        street = f"{rng.choice(STREETS[''])} {rng.randint(1, 200)}"
    return Account(
        index=index,
        entity_id=f"account-{index:07d}",
        name=name,
        display=name.full,
        branch="",
        division=division,
        country=country,
        industry=name.industry,
        employees=max(5, int(d.EMPLOYEES_MEDIAN * rng.lognormvariate(0.0, d.EMPLOYEES_SIGMA))),
        domain=None if rng.random() < d.NO_DOMAIN_RATE else _domain(rng, name, country, domains),
        corporate_number=corporate_number(rng) if country == "JP" else None,
        region=region,
        city=city,
        postal_code=postal_code,
        street=street,
        phone=_phone(rng, country),
        created=created,
        owner=rng.choice(owners[division]),
        shared_mail=rng.random() < d.SHARED_MAIL_RATE,
    )


def _domain(rng: Random, name: CompanyName, country: str, domains: set[str]) -> str:
    ending = {"JP": ".co.jp", "GB": ".co.uk", "US": ".com", "SG": ".com.sg"}.get(country, f".{country.lower()}")
    domain = name.slug + ending
    while domain in domains:
        domain = f"{name.slug}-{rng.choice(('hd', 'group', 'net', 'jp', 'one'))}{rng.randrange(1_000)}{ending}"
    domains.add(domain)
    return domain


def _phone(rng: Random, country: str) -> str:
    if country == "JP":
        return f"0{rng.choice('3645')}-{rng.randint(1000, 9999)}-{rng.randint(1000, 9999)}"
    code = {"DE": 49, "FR": 33, "GB": 44, "NL": 31, "ES": 34, "IT": 39, "SE": 46, "CH": 41, "US": 1, "SG": 65}[country]
    return f"+{code} {rng.randint(20, 99)} {rng.randint(1_000_000, 9_999_999)}"


def _relate(rng: Random, account: Account, accounts: list[Account]) -> None:
    """Some are a branch of an earlier one (same number, same domain), some a subsidiary with all of its own."""
    drawn = rng.random()
    if account.country != "JP" or account.junk or drawn > d.BRANCH_RATE + d.SUBSIDIARY_RATE or len(accounts) < 20:
        return
    parent = rng.choice(accounts[-4_000:])
    if parent.country != "JP" or parent.junk or parent.parent is not None or parent.division != account.division:
        return
    account.parent = parent.index
    if drawn < d.BRANCH_RATE:
        account.branch = rng.choice(BRANCHES)
        account.name, account.industry = parent.name, parent.industry
        account.display = f"{parent.name.full} {account.branch}"
        account.domain, account.corporate_number = parent.domain, parent.corporate_number


def _rename(rng: Random, account: Account) -> None:
    if account.country == "JP" and not account.branch and account.parent is None and rng.random() < d.FORMER_NAME_RATE:
        at = later(rng, account.created, rng.randrange(120, 700))
        account.renamed = (at, japanese_company(rng))
