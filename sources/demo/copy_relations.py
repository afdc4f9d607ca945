"""Writes duplicates of people, relations of people with accounts, and campaign members. Decides nothing about the truth."""

from __future__ import annotations

from random import Random

from sources.demo import distributions as d
from sources.demo.book import Alias, Book
from sources.demo.copy_accounts import merge_chain
from sources.demo.copy_people import person_fields
from sources.demo.hours import DAY, HOUR, JAPAN, day_of, later
from sources.demo.presence import merge_time
from sources.demo.rows import Record
from sources.demo.truth_types import Person
from sources.demo.words import TITLES


def write_relations(book: Book) -> None:
    rng = Random(f"{book.world.seed}:relations")
    for person in book.world.people:
        if not person.junk and rng.random() < d.PERSON_DUPLICATE_RATE:
            _duplicate(rng, book, person)
        for instance, kind in (("salesforce", "Contact"), ("hubspot", "contacts"), ("hubspot_emea", "contacts")):
            record = book.people.get((instance, kind, person.index))
            if record is not None:
                _relation(book, person, instance, record)
        if person.moved is not None and person.index in book.moved:
            _relate_move(book, person, book.moved[person.index])
        if person.extra_account is not None:
            _extra(book, person, person.extra_account)
        _members(rng, book, person)


def _duplicate(rng: Random, book: Book, person: Person) -> None:
    """A second record in the tool, mostly under a private address; touches may hang on it until it is merged."""
    choices = [key for key in (("salesforce", "Contact"), ("hubspot", "contacts"), ("hubspot_emea", "contacts"))
               if (*key, person.index) in book.people]  # fmt: skip
    if not choices or person.moved is not None:
        return
    instance, kind = rng.choice(choices)
    winner = book.people[instance, kind, person.index]
    account = book.world.accounts[person.account]
    merged = merge_time(rng, winner.created + 40 * DAY)
    chain = 2 if merged is not None and rng.random() < d.CHAIN_SHARE_OF_MERGES else 1
    records = [winner]
    for step in range(chain):
        created = later(rng, records[-1].created, rng.randrange(2, 40), account.division == "emea")
        odd = "private_mail" if step == 0 else "spelling"
        fields = person_fields(rng, person, account, odd, account.country != "JP")
        if step == 1:
            fields["email"] = f"{person.index:x}.{person.private_mail}"
        fields |= {"lead_source": person.source, "owner_source_id": book.owner(instance, person.owner)}
        fields |= {"is_email_opted_out": False, "is_call_opted_out": False}
        fields |= {"stage": "lead" if kind == "contacts" else None, "score": 5.0 if kind == "contacts" else None}
        fields["account_source_id"] = winner.fields["account_source_id"]
        record = book.record("person_versions", instance, kind, person.entity_id, created, fields)
        book.hard(record, "duplicate")
        records.append(record)
        if fields["account_source_id"] is not None:
            _write_relation(book, person, instance, record, record.created, fields["account_source_id"])
    merge_chain(records, merged)
    until = None if merged is None else records[1].changes[-1][0]
    book.aliases[instance, person.index] = Alias(records[1].source_id, records[1].created, until, person.index)


def _write_relation(
    book: Book, person: Person, instance: str, record: Record, at: int, account: str, primary: bool = True
) -> Record:
    role = "Decision Maker" if TITLES[person.title][2] else "Business User"
    fields = {
        "person_source_id": record.source_id,
        "account_source_id": account,
        "role": role if primary else "Advisor",
        "is_primary": primary,
        "is_active": True,
        "start_date": day_of(at),
    }
    if instance == "salesforce":
        relation = book.record(
            "person_account_versions", instance, "AccountContactRelation", person.entity_id, at, fields
        )
    else:
        source_id = f"{record.source_id}:{account}"
        relation = book.log.add(
            Record("person_account_versions", instance, "contacts_companies", source_id, person.entity_id, at, **fields)
        )
    for due, changes in record.changes:
        if changes.get("is_deleted"):
            relation.delete(due)
    return relation


def _relation(book: Book, person: Person, instance: str, record: Record) -> None:
    """The record's own account; HubSpot drops the association when the person changes the employer."""
    known = [(record.created, record.fields.get("account_source_id"))]
    known += [(at, fields["account_source_id"]) for at, fields in record.changes if "account_source_id" in fields]
    current: Record | None = None
    for at, account in sorted(known, key=lambda item: item[0]):
        if current is not None and (account is None or current.fields["account_source_id"] != account):
            current.delete(at + 1)
            current = None
        if account is not None and current is None:
            current = _write_relation(book, person, instance, record, max(at, record.created), account)


def _relate_move(book: Book, person: Person, record: Record) -> None:
    assert person.moved is not None
    at = person.moved[0]
    old = book.people["salesforce", "Contact", person.index]
    _write_relation(book, person, "salesforce", record, record.created, record.fields["account_source_id"])
    if old.fields["account_source_id"] is None:
        return
    book.record(
        "person_account_versions", "salesforce", "AccountContactRelation", person.entity_id, at + 120,
        {
            "person_source_id": record.source_id, "account_source_id": old.fields["account_source_id"],
            "role": "Former Employee", "is_primary": False, "is_active": False, "start_date": day_of(old.created),
            "end_date": day_of(at),
        },
    )  # fmt: skip


def _extra(book: Book, person: Person, account: int) -> None:
    """Works for the parent too."""
    for instance, kind in (("salesforce", "Contact"), ("hubspot", "contacts")):
        record = book.people.get((instance, kind, person.index))
        source = book.accounts.get((instance, account))
        if record is None or source is None or source == record.fields.get("account_source_id"):
            continue
        at = max(record.created, book.presence.accounts[account].since[instance]) + HOUR
        _write_relation(book, person, instance, record, at, source, primary=False)


def _members(rng: Random, book: Book, person: Person) -> None:
    """Salesforce campaigns: the one that brought the person, and later invitations."""
    first = book.people.get(("salesforce", "Lead", person.index)) or book.people.get(
        ("salesforce", "Contact", person.index)
    )
    if first is None or person.junk:
        return
    if person.campaign is not None:
        _member(book, person, person.campaign, first, first.created + 120, person.created)
    later_ones = [
        index
        for index, campaign in enumerate(book.world.campaigns)
        if campaign.parent is not None and (campaign.start - 10) * DAY > first.created and index != person.campaign
    ]
    for index in rng.sample(later_ones, min(len(later_ones), rng.choice((0, 1, 1, 2)))):
        invited = book.world.campaigns[index].start * DAY - JAPAN + 10 * HOUR
        answered = later(rng, invited, rng.randrange(1, 20)) if rng.random() < 0.3 else None
        _member(book, person, index, first, invited, answered)


def _member(book: Book, person: Person, campaign: int, first: Record, at: int, answered: int | None) -> None:
    lead = first.head[1] == "Lead"
    contact = book.people.get(("salesforce", "Contact", person.index)) if lead else None
    current = contact if contact is not None and contact.created <= at else first
    known = answered is not None and answered <= at
    record = book.record(
        "campaign_member_versions",
        "salesforce",
        "CampaignMember",
        f"{person.entity_id}:{campaign}",
        at,
        {
            "campaign_source_id": book.campaigns[campaign],
            "person_object": current.head[1],
            "person_source_id": current.source_id,
            "status": "Responded" if known else "Sent",
            "responded_at": answered if known else None,
        },
    )
    if answered is not None and not known:
        record.change(answered, status="Responded", responded_at=answered)
    if contact is not None and contact is not current:
        record.change(contact.created + 1, person_object="Contact", person_source_id=contact.source_id)
