"""Decides which tool holds a copy of which account and person, since when and in what condition. No rows are written here.

A person is `born` in one tool; other copies come later by sync, conversion or by hand. Nothing here knows a vendor's API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from sources.demo import distributions as d
from sources.demo.hours import DAY, HOUR, later
from sources.demo.truth_types import Account, Person, World


@dataclass(slots=True)
class AccountCopies:
    """`since` per instance; `linked` = the HubSpot company carries the Salesforce id."""

    since: dict[str, int] = field(default_factory=dict[str, int])
    linked: bool = False


@dataclass(slots=True)
class PersonCopies:
    """`since` per instance and object; `odd` names what differs in the copies that are not the first one.

    `odd_in` and `gone` are of the tools of `presence_later.py` only: what differs there, and when the copy is deleted.
    """

    born: str
    since: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    converted: int | None = None
    linked: bool = False
    odd: str = ""
    linked_marketo: bool = False
    odd_in: dict[str, str] = field(default_factory=dict[str, str])
    gone: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Presence:
    accounts: list[AccountCopies]
    people: list[PersonCopies]


def decide(world: World) -> Presence:
    rng = Random(f"{world.seed}:presence")
    need_sales = _first_sales_work(world)
    accounts = [_account(rng, account, need_sales.get(account.index)) for account in world.accounts]
    people = [_person(rng, world, person, accounts) for person in world.people]
    return Presence(accounts, people)


def _first_sales_work(world: World) -> dict[int, int]:
    """When sales first needs the account in its own tool: the first SQL, deal or arrival of a person by a job change."""
    first: dict[int, int] = {}
    for person in world.people:
        if person.sql is not None:
            first[person.account] = min(first.get(person.account, person.sql), person.sql)
        if person.moved is not None:
            first[person.moved[1]] = min(first.get(person.moved[1], person.moved[0]), person.moved[0])
    for deal in world.deals:
        first[deal.account] = min(first.get(deal.account, deal.created), deal.created)
    for account in world.accounts:
        if account.parent is not None and account.index in first:
            first[account.parent] = min(first.get(account.parent, first[account.index]), first[account.index])
    return first


def _account(rng: Random, account: Account, sales: int | None) -> AccountCopies:
    copies, shares = AccountCopies(), d.ACCOUNT_COPY[account.division]
    own = d.DIVISION_TOOL[account.division]
    if account.junk:
        copies.since["hubspot" if own == "salesforce" else own] = account.created
        return copies
    if own != "salesforce" or rng.random() < d.SALES_FIRST_RATE:
        copies.since[own] = account.created
    elif sales is not None:
        copies.since[own] = max(sales, account.created)
    for instance, share in shares.items():
        if rng.random() < share:
            copies.since[instance] = _soon(rng, account.created)
    if own == "salesforce" and copies.since.get(own) != account.created:
        copies.since["hubspot"] = account.created
    copies.linked = "salesforce" in copies.since and "hubspot" in copies.since and rng.random() < d.LINKED_RATE
    return copies


def _soon(rng: Random, at: int) -> int:
    """By a sync some minutes later, or by hand within some weeks."""
    return at + rng.randrange(60, 900) if rng.random() < 0.6 else later(rng, at, rng.randrange(1, 40))


def _person(rng: Random, world: World, person: Person, accounts: list[AccountCopies]) -> PersonCopies:
    account, copies = world.accounts[person.account], accounts[person.account]
    if person.junk:
        tool = next(iter(copies.since))
        born = "salesforce" if account.division == "jp" and rng.random() < 0.3 and not account.junk else tool
        found = PersonCopies(born)
        found.since[born, "Lead" if born == "salesforce" else _object(born)] = person.created
        return found
    found = _japanese(rng, person, copies) if account.division == "jp" else _other(rng, account, person, copies)
    found.odd = _oddness(rng, account, person, found)
    return found


def _object(instance: str) -> str:
    return {"salesforce": "Contact", "esales": "businesscard"}.get(instance, "contacts")


def _japanese(rng: Random, person: Person, account: AccountCopies) -> PersonCopies:
    """Born by a form in HubSpot, or by hand in Salesforce as a lead, or as a contact of an account that is there."""
    in_hubspot = "hubspot" in account.since
    if person.source in d.TOOL_BORN or not in_hubspot:
        found = PersonCopies("salesforce")
        direct = account.since.get("salesforce", person.created + 1) <= person.created and rng.random() < 0.5
        found.since["salesforce", "Contact" if direct else "Lead"] = person.created
        if in_hubspot and rng.random() < d.PERSON_COPY["jp"]["hubspot"]:
            found.since["hubspot", "contacts"] = max(_soon(rng, person.created), account.since["hubspot"])
            found.linked = rng.random() < d.LINKED_RATE
    else:
        found = PersonCopies("hubspot")
        found.since["hubspot", "contacts"] = person.created
        if person.mql is not None or person.sql is not None:
            found.since["salesforce", "Lead"] = _handed_over(rng, person)
            found.linked = rng.random() < d.LINKED_RATE
    if ("salesforce", "Lead") in found.since and person.sql is not None:
        found.converted = found.since["salesforce", "Contact"] = person.sql
    return found


def _handed_over(rng: Random, person: Person) -> int:
    """When the sync makes a lead of a contact: at the MQL, in any case before the conversion."""
    if person.sql is None:
        return (person.mql or person.created) + rng.randrange(60, 600)
    at = person.sql - rng.randrange(600, 4 * HOUR) if person.mql is None else person.mql + rng.randrange(60, 600)
    return min(max(person.created, min(at, person.sql - 60)), person.sql - 1)


def _other(rng: Random, account: Account, person: Person, copies: AccountCopies) -> PersonCopies:
    own = d.DIVISION_TOOL[account.division]
    found = PersonCopies(own)
    found.since[own, _object(own)] = person.created
    for instance, share in d.PERSON_COPY[account.division].items():
        if instance in copies.since and rng.random() < share:
            found.since[instance, _object(instance)] = max(_soon(rng, person.created), copies.since[instance])
    return found


def _oddness(rng: Random, account: Account, person: Person, found: PersonCopies) -> str:
    """At most one difference per person, in all copies but the first."""
    if len({instance for instance, _ in found.since}) < 2:
        return ""
    if account.shared_mail and rng.random() < 0.6:
        return "shared_mail"
    drawn, sure = rng.random(), 0.0
    rates = (
        ("private_mail", d.PRIVATE_MAIL_RATE if person.moved is None else 0.0),
        ("romaji", d.ROMAJI_RATE if account.country == "JP" else 0.0),
        ("spelling", d.SPELLING_RATE),
    )
    for name, rate in rates:
        sure += rate
        if drawn < sure:
            return name
    return ""


def merge_time(rng: Random, created: int) -> int | None:
    """When a duplicate is merged away, for those that are noticed."""
    if rng.random() > d.MERGED_SHARE_OF_DUPLICATES:
        return None
    return later(rng, created + HOUR, 1 + rng.expovariate(1 / 25)) + DAY
