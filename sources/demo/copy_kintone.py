"""Writes kintone's customers and contacts: entered by hand after the first win, duplicates that stay or are deleted.

Record numbers follow the order of entry, as an app counts, and all instants are whole minutes, as kintone answers them
(seen by the author of a client: https://github.com/icoxfog417/kintoneDotNET/wiki/kintoneAPIMemo). Deals are in
`copy_deals.py`, activities in `copy_touches.py`. Decides how a copy differs, never what is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from sources.demo import distributions as d
from sources.demo.book import Book
from sources.demo.copy_accounts import account_fields, account_types, copy_account, name_parent
from sources.demo.copy_people import copy_person, person_fields
from sources.demo.hours import DAY, HOUR, later, whole_minute
from sources.demo.names import respelled
from sources.demo.rows import Record
from sources.demo.words import TITLES

_TOOL = "kintone"


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """When a record of an account or a person is entered; `twice` for a duplicate."""

    at: int
    index: int
    twice: bool


def write_kintone(book: Book) -> None:
    rng = Random(f"{book.world.seed}:kintone copies")
    for record in [*_customers(rng, book), *_contacts(rng, book)]:
        _to_minutes(record)


def _to_minutes(record: Record) -> None:
    """What changes within one minute is one version."""
    together: dict[int, dict[str, Any]] = {}
    for at, fields in sorted(record.changes, key=lambda change: change[0]):
        together.setdefault(whole_minute(at + 59), {}).update(fields)
    record.changes = list(together.items())


def _entries(rng: Random, since: dict[int, int], duplicates: float) -> list[_Entry]:
    found = [_Entry(at, index, False) for index, at in since.items()]
    found += [
        _Entry(whole_minute(later(rng, at, rng.randrange(5, 120))), index, True)
        for index, at in since.items()
        if rng.random() < duplicates
    ]
    return sorted(found)


def _customers(rng: Random, book: Book) -> list[Record]:
    since = {index: copies.since[_TOOL] for index, copies in enumerate(book.presence.accounts) if _TOOL in copies.since}
    types = account_types(book)
    records: dict[int, Record] = {}
    written: list[Record] = []
    for entry in _entries(rng, since, d.KINTONE_DUPLICATE_RATE):
        account = book.world.accounts[entry.index]
        if not entry.twice:
            record = copy_account(rng, book, account, _TOOL, entry.at, first=False)
            records[entry.index] = record
        elif not account.branch:
            fields = account_fields(rng, book, account, _TOOL, entry.at, False)
            fields["name"] = respelled(rng, account.name)
            record = book.record("account_versions", _TOOL, "customers", account.entity_id, entry.at, fields)
            _forget(rng, book, record)
        else:
            continue
        written.append(record)
        for at, kind in types.get(entry.index, []):
            record.change(at + HOUR // 2, account_type=kind)
    for index, record in records.items():
        name_parent(book, book.world.accounts[index], _TOOL, record)
    return written


def _contacts(rng: Random, book: Book) -> list[Record]:
    place, written = (_TOOL, "contacts"), list[Record]()
    since = {index: copies.since[place] for index, copies in enumerate(book.presence.people) if place in copies.since}
    for entry in _entries(rng, since, d.KINTONE_CONTACT_DUPLICATE_RATE):
        person, copies = book.world.people[entry.index], book.presence.people[entry.index]
        account = book.world.accounts[person.account]
        if entry.twice:
            if _TOOL in copies.gone or (person.moved is not None and person.moved[0] < entry.at):
                continue
            odd = "private_mail" if rng.random() < 0.3 else "spelling"
            fields = person_fields(rng, person, account, odd, account.country != "JP")
            fields["account_source_id"] = book.accounts[_TOOL, person.account]
            record = book.record("person_versions", _TOOL, "contacts", person.entity_id, entry.at, fields)
            _forget(rng, book, record)
        else:
            record = copy_person(rng, book, person, place, entry.at, False, copies.odd_in[_TOOL])
            book.people[_TOOL, "contacts", person.index] = record
            if rng.random() < 0.1:
                promoted = TITLES[max(person.title - 1, 0)][1 if account.country != "JP" else 0]
                record.change(later(rng, entry.at, rng.randrange(60, 500)), job_title=promoted)
            if _TOOL in copies.gone:
                record.delete(copies.gone[_TOOL])
        # The app knows neither source, opt-outs nor stages of a person; who cares for the customer cares for its people.
        record.fields |= {
            "lead_source": None, "is_email_opted_out": None, "is_call_opted_out": None,
            "owner_source_id": book.owner(_TOOL, account.owner),
        }  # fmt: skip
        written.append(record)
    return written


def _forget(rng: Random, book: Book, record: Record) -> None:
    """A duplicate that somebody notices is deleted; nothing can be merged here."""
    book.hard(record, "duplicate")
    if rng.random() < d.KINTONE_DUPLICATE_DELETED_RATE:
        record.delete(later(rng, record.created, rng.randrange(3, 60)) + DAY)
