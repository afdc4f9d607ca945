"""Writes the tools' copies of people: leads and contacts, conversions, job changes, odd copies and deletes.

Decides how a copy differs, never what is true of the person. Duplicates and relations are in `copy_relations.py`.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sources.demo.book import Book
from sources.demo.hours import DAY, later
from sources.demo.names import respelled_phone, wide
from sources.demo.presence import PersonCopies
from sources.demo.presence_later import LATER_TOOLS
from sources.demo.rows import Record
from sources.demo.truth_types import Account, Person
from sources.demo.words import DEPARTMENTS, TITLES

_RANK = {"lead": 0, "engaged": 1, "mql": 2, "sql": 3, "customer": 4}


def write_people(book: Book) -> None:
    rng = Random(f"{book.world.seed}:person copies")
    for person in book.world.people:
        copies = book.presence.people[person.index]
        places = [(place, at) for place, at in copies.since.items() if place[0] not in LATER_TOOLS]
        order = sorted(places, key=lambda item: (item[1], item[0] != (copies.born, "Lead")))
        for (instance, kind), at in order:
            first = instance == copies.born
            odd = "" if first else copies.odd
            record = copy_person(rng, book, person, (instance, kind), at, first, odd)
            book.people[instance, kind, person.index] = record
            _stages(rng, person, copies, kind, record)
            _opt_out(rng, person, record, first)
        _convert(book, person, copies)
        _link(rng, book, person, copies)
        if person.moved is not None:
            _move(book, person)
        if person.junk:
            _delete(rng, book, person)


def person_fields(rng: Random, person: Person, account: Account, odd: str, western: bool) -> dict[str, Any]:
    """Name and addresses as this copy has them; `odd` says what differs."""
    name = person.name
    title, department = TITLES[person.title][1 if western else 0], DEPARTMENTS[person.department][1 if western else 0]
    fields: dict[str, Any] = {
        "family_name": name.family,
        "given_name": name.given,
        "family_kana": name.family_kana,
        "given_kana": name.given_kana,
        "email": person.email,
        "phone": person.phone,
        "mobile": person.mobile,
        "job_title": title,
        "department": department,
        "company_name": account.display,
    }
    if odd == "private_mail":
        fields["email"] = person.private_mail
    elif odd == "shared_mail" and account.domain is not None:
        fields["email"] = f"info@{account.domain}"
    elif odd == "romaji":
        fields |= {"family_name": name.latin[1], "given_name": name.latin[0], "family_kana": None, "given_kana": None}
    elif odd == "spelling":
        fields["email"] = person.email.replace(person.email[0], person.email[0].upper(), 1)
        fields["family_name"] = name.family if western else f"{name.family}　"
        fields["mobile"] = person.mobile if western else respelled_phone(rng, person.mobile)
        fields["job_title"] = title if western else wide(str(title))
    return fields


def copy_person(
    rng: Random, book: Book, person: Person, place: tuple[str, str], at: int, first: bool, odd: str
) -> Record:
    """A tool's record of the person in `place` (instance, object), without stages; `odd` says what differs in it."""
    instance, kind = place
    account = book.world.accounts[person.account]
    if odd == "shared_mail" and (instance.startswith("hubspot") or account.domain is None):
        odd = ""  # HubSpot lets an address stand for one contact only
    fields = person_fields(rng, person, account, odd, account.country != "JP")
    if instance.startswith("hubspot") or rng.random() < 0.35:
        fields["family_kana"] = fields["given_kana"] = None
    if kind != "Lead":
        known = book.presence.accounts[account.index].since.get(instance)
        source = book.accounts.get((instance, account.index)) if known is not None and known <= at else None
        fields["account_source_id"] = source
    fields["lead_source"] = person.source
    fields["owner_source_id"] = book.owner(instance, person.owner)
    fields["is_email_opted_out"] = False
    fields["is_call_opted_out"] = person.call_opt_out and first
    fields["is_converted"] = False if kind == "Lead" else None
    record = book.record("person_versions", instance, kind, person.entity_id, at, fields)
    if odd:
        book.hard(record, odd)
    if kind == "contacts":
        _late_account(book, account, instance, record)
    return record


def _opt_out(rng: Random, person: Person, record: Record, first: bool) -> None:
    """Not every tool hears of it."""
    if person.email_opt_out is not None and (first or record.head[0].startswith("hubspot") or rng.random() < 0.5):
        record.change(person.email_opt_out + (0 if first else 300), is_email_opted_out=True)


def _late_account(book: Book, account: Account, instance: str, record: Record) -> None:
    """A HubSpot contact is associated when its company comes."""
    known = book.presence.accounts[account.index].since.get(instance)
    if known is not None and known > record.created:
        record.change(known + 60, account_source_id=book.accounts[instance, account.index])


def _stages(rng: Random, person: Person, copies: PersonCopies, kind: str, record: Record) -> None:
    """Lifecycle stages and scores; the tool where a stage is decided has its exact instant, the other one follows."""
    if kind in ("Contact", "businesscard"):
        return
    lag = rng.randrange(60, 600)
    by_sales = ("salesforce", "Lead") in copies.since
    follows = kind == "contacts" and by_sales
    exact = {
        "lead": 0,
        "engaged": person.engaged,
        "mql": person.mql,
        "sql": person.sql,
        "customer": person.customer if kind == "contacts" else None,
    }
    record.fields["stage"] = "lead"
    score = rng.randrange(0, 15)
    for stage, at in exact.items():
        if at is None or (kind == "Lead" and stage == "sql"):
            continue
        late = follows and (stage == "sql" or (stage == "mql" and copies.born == "salesforce"))
        late = late or (kind == "Lead" and stage in ("engaged", "mql") and copies.born != "salesforce")
        due = at + (lag if late or stage == "customer" else 0)
        score += rng.randrange(5, 25)
        changes: dict[str, Any] = {"stage": stage}
        if kind == "contacts":
            changes["score"] = float(min(100, score))
        record.change(due, **changes)
    if person.disqualified is not None:
        record.change(person.disqualified + (lag if follows else 0), stage="disqualified")


def _convert(book: Book, person: Person, copies: PersonCopies) -> None:
    if copies.converted is None:
        return
    lead = book.people["salesforce", "Lead", person.index]
    contact = book.people["salesforce", "Contact", person.index]
    converted = copies.converted
    lead.changes = [
        (min(at, converted - 1), fields) for at, fields in lead.changes if "stage" in fields or at < converted
    ]
    lead.change(
        converted,
        stage="sql",
        is_converted=True,
        converted_at=converted,
        converted_account_source_id=contact.fields["account_source_id"],
        converted_contact_source_id=contact.source_id,
    )
    book.hard(lead, "converted")


def _link(rng: Random, book: Book, person: Person, copies: PersonCopies) -> None:
    """HubSpot carries the id of the Salesforce lead, then of its contact."""
    hubspot = book.people.get(("hubspot", "contacts", person.index))
    if hubspot is None or not copies.linked:
        return
    for kind in ("Lead", "Contact"):
        record = book.people.get(("salesforce", kind, person.index))
        if record is not None:
            synced = record.created + rng.randrange(60, 300)
            record_known = hubspot.created if synced <= hubspot.created else synced
            hubspot.change(record_known, crm_source_id=record.source_id)


def _move(book: Book, person: Person) -> None:
    """Another employer: Salesforce gets a new contact, HubSpot keeps the contact with a new address."""
    assert person.moved is not None
    at, index, email = person.moved
    account = book.world.accounts[index]
    new = {"email": email, "phone": account.phone, "company_name": account.display}
    hubspot = book.people.get(("hubspot", "contacts", person.index))
    if hubspot is not None:
        known = book.presence.accounts[index].since.get("hubspot")
        company = book.accounts.get(("hubspot", index)) if known is not None and known <= at else None
        hubspot.change(at + 900, **new, account_source_id=company)
        book.hard(hubspot, "changed_employer")
    old = book.people.get(("salesforce", "Contact", person.index))
    if old is None or old.created >= at:
        return
    fields = {**old.fields, **new, "mobile": person.mobile}
    fields["account_source_id"] = book.accounts["salesforce", index]
    fields["owner_source_id"] = book.owner("salesforce", account.owner)
    record = book.record("person_versions", "salesforce", "Contact", person.entity_id, at, fields)
    book.hard(record, "changed_employer")
    book.moved[person.index] = record


def _delete(rng: Random, book: Book, person: Person) -> None:
    account = book.world.accounts[person.account]
    for (instance, kind), _ in book.presence.people[person.index].since.items():
        if instance in LATER_TOOLS:
            continue
        record = book.people[instance, kind, person.index]
        at = later(rng, record.created, rng.randrange(1, 25))
        if account.junk:
            at = record.created + 3_600 if at - record.created < DAY else at
        record.delete(at)
