"""Which accounts and people Marketo and kintone hold, since when, and in what condition. No rows are written here.

Decided after `presence.py` and from generators of its own, so that what the other tools hold hardly depends on it. Nothing
here knows a vendor's API.
"""

from __future__ import annotations

from random import Random

from sources.demo import distributions as d
from sources.demo.hours import DAY, HOUR, later, whole_minute
from sources.demo.presence import PersonCopies, Presence
from sources.demo.truth_types import Deal, Person, World

LATER_TOOLS = ("marketo", "kintone")


def deal_tool(deal: Deal) -> str:
    """The tool whose record of the deal is the native one: what some divisions sell to customers is kept in kintone."""
    own = d.DIVISION_TOOL[deal.division]
    return own if deal.deal_type == "new" else d.FOLLOW_UP_TOOL.get(deal.division, own)


def decide_later(world: World, presence: Presence) -> None:
    """Adds the copies of both tools to the presence."""
    rng = Random(f"{world.seed}:marketo presence")
    for person in world.people:
        _marketo(rng, world, person, presence.people[person.index])
    _kintone(world, presence)


def _marketo(rng: Random, world: World, person: Person, copies: PersonCopies) -> None:
    division = world.accounts[person.account].division
    could = division == "jp" and copies.born == "hubspot" and person.source in d.MARKETO_BORN_SOURCES
    if could and rng.random() < (d.MARKETO_JUNK_RATE if person.junk else d.MARKETO_BORN_RATE):
        _born_there(rng, person, copies)
        return
    if person.junk or rng.random() > d.MARKETO_COPY.get(division, 0.0):
        return
    holder = "salesforce" if division == "jp" else d.DIVISION_TOOL[division]
    known = [at for (instance, _), at in copies.since.items() if instance == holder]
    if not known:
        return
    first = min(known)
    synced = division == "jp"
    at = first + rng.randrange(60, 900) if synced else later(rng, first, rng.randrange(1, 40))
    copies.since["marketo", "leads"] = at
    copies.linked_marketo = synced and rng.random() < d.LINKED_RATE
    copies.odd_in["marketo"] = _oddness(rng, world, person)
    qualified = person.mql or person.sql or person.customer
    if qualified is None and person.moved is None and rng.random() < d.MARKETO_DELETED_RATE:
        copies.gone["marketo"] = later(rng, at, rng.randrange(30, 240)) + DAY


def _born_there(rng: Random, person: Person, copies: PersonCopies) -> None:
    """Came by a webinar or the newsletter: Marketo has the person first, HubSpot never; Salesforce from the MQL as before."""
    del copies.since["hubspot", "contacts"]
    copies.born, copies.linked = "marketo", False
    copies.since["marketo", "leads"] = person.created
    copies.linked_marketo = (
        any(instance == "salesforce" for instance, _ in copies.since) and rng.random() < d.LINKED_RATE
    )
    if person.junk:
        copies.gone["marketo"] = later(rng, person.created, rng.randrange(1, 25))


def _oddness(rng: Random, world: World, person: Person) -> str:
    drawn = rng.random()
    if drawn < d.PRIVATE_MAIL_RATE and person.moved is None:
        return "private_mail"
    if drawn < d.PRIVATE_MAIL_RATE + d.SPELLING_RATE:
        return "spelling"
    japanese = world.accounts[person.account].country == "JP"
    return "romaji" if japanese and drawn < d.PRIVATE_MAIL_RATE + d.SPELLING_RATE + d.ROMAJI_RATE else ""


def _kintone(world: World, presence: Presence) -> None:
    """Customers from their first win on, with the people of their deals as contacts; kintone keeps whole minutes."""
    rng = Random(f"{world.seed}:kintone presence")
    since: dict[int, int] = {}
    for account, won in sorted(_first_wins(world).items()):
        if rng.random() < d.KINTONE_ACCOUNTS.get(world.accounts[account].division, 0.0):
            since[account] = whole_minute(later(rng, won + HOUR, rng.randrange(0, 5)))
            presence.accounts[account].since["kintone"] = since[account]
    in_deals: set[int] = set()
    for deal in world.deals:
        native = deal_tool(deal) == "kintone"
        if deal.account not in since or deal.deleted is not None or not (native or deal.is_won):
            continue
        for index, _ in deal.people:
            _contact(rng, world.people[index], presence.people[index], since[deal.account], deal if native else None)
        if native:
            in_deals |= {index for index, _ in deal.people}
    for person in world.people:
        copies = presence.people[person.index]
        at = copies.since.get(("kintone", "contacts"))
        if at is None:
            continue
        copies.odd_in["kintone"] = _contact_oddness(rng, world, person)
        if person.index not in in_deals and rng.random() < d.KINTONE_CONTACT_DELETED_RATE:
            copies.gone["kintone"] = whole_minute(later(rng, at, rng.randrange(20, 300)) + DAY)


def _first_wins(world: World) -> dict[int, int]:
    found: dict[int, int] = {}
    for deal in world.deals:
        if deal.is_won and deal.closed is not None and deal.deleted is None and not world.accounts[deal.account].junk:
            found[deal.account] = min(found.get(deal.account, deal.closed), deal.closed)
    return found


def _contact(rng: Random, person: Person, copies: PersonCopies, account_since: int, deal: Deal | None) -> None:
    """Entered soon after the customer, or when a deal there needs the person; who had left by then is not entered."""
    at = max(later(rng, account_since + 300, rng.randrange(0, 4)), person.created + 60)
    if deal is not None:
        at = min(at, max(account_since + 120, person.created, deal.created - rng.randrange(600, 3 * HOUR)))
    known = copies.since.get(("kintone", "contacts"))
    if person.moved is None or person.moved[0] > at:
        copies.since["kintone", "contacts"] = whole_minute(at if known is None else min(at, known))


def _contact_oddness(rng: Random, world: World, person: Person) -> str:
    account = world.accounts[person.account]
    if account.shared_mail and account.domain is not None and rng.random() < 0.4:
        return "shared_mail"
    return "spelling" if rng.random() < 2 * d.SPELLING_RATE else ""
