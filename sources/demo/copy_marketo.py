"""Writes Marketo's leads: born there or copied, with stages and scores, duplicates that are merged, and deleted ones.

Lead ids follow the order of creation. Companies are fields of the lead only. Programs and their members are in
`copy_programs.py`, activities in `copy_touches.py`. Decides how a copy differs, never what is true of the person.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sources.demo import distributions as d
from sources.demo.book import Alias, Book
from sources.demo.copy_accounts import merge_chain
from sources.demo.copy_people import copy_person, person_fields
from sources.demo.hours import DAY, later
from sources.demo.presence import PersonCopies, merge_time
from sources.demo.rows import Record
from sources.demo.truth_types import Person

_TOOL, _LEADS = "marketo", "leads"
_RANK = {"lead": 0, "engaged": 1, "mql": 2, "sql": 3, "customer": 4}


def write_leads(book: Book) -> None:
    rng = Random(f"{book.world.seed}:marketo copies")
    entries: list[tuple[int, int, int]] = []  # created, person, 0 for the lead itself, 1 and 2 for duplicates
    merges: dict[int, int | None] = {}
    for person in book.world.people:
        at = book.presence.people[person.index].since.get((_TOOL, _LEADS))
        if at is not None:
            entries.append((at, person.index, 0))
            entries += _duplicates(rng, book, person, at, merges)
    records: dict[int, list[Record]] = {}
    for at, index, step in sorted(entries):
        person = book.world.people[index]
        record = _lead(rng, book, person, at) if step == 0 else _duplicate(book, rng, person, at, step)
        records.setdefault(index, []).append(record)
    for index, chain in records.items():
        person, copies = book.world.people[index], book.presence.people[index]
        _finish(rng, book, person, copies, chain[0])
        if len(chain) > 1:
            merge_chain(chain, merges[index])
            until = None if merges[index] is None else chain[1].changes[-1][0]
            book.aliases[_TOOL, index] = Alias(chain[1].source_id, chain[1].created, until, index)


def _duplicates(
    rng: Random, book: Book, person: Person, at: int, merges: dict[int, int | None]
) -> list[tuple[int, int, int]]:
    """A second lead under a private address, sometimes a third; noticed ones are merged, a chain in two steps."""
    gone = _TOOL in book.presence.people[person.index].gone
    if person.junk or gone or person.moved is not None or rng.random() > d.MARKETO_DUPLICATE_RATE:
        return []
    merged = merges[person.index] = merge_time(rng, at + 40 * DAY)
    found: list[tuple[int, int, int]] = []
    for step in (1, 2) if merged is not None and rng.random() < d.CHAIN_SHARE_OF_MERGES else (1,):
        at = later(rng, at, rng.randrange(2, 40))
        found.append((at, person.index, step))
    return found


def _lead(rng: Random, book: Book, person: Person, at: int) -> Record:
    copies = book.presence.people[person.index]
    first = copies.born == _TOOL
    odd = "" if first else copies.odd_in[_TOOL]
    record = copy_person(rng, book, person, (_TOOL, _LEADS), at, first, odd)
    record.fields |= {"family_kana": None, "given_kana": None, "stage": "lead", "score": float(rng.randrange(0, 15))}
    book.people[_TOOL, _LEADS, person.index] = record
    return record


def _duplicate(book: Book, rng: Random, person: Person, at: int, step: int) -> Record:
    account = book.world.accounts[person.account]
    odd = "private_mail" if step == 1 else "spelling"
    fields = person_fields(rng, person, account, odd, account.country != "JP")
    if step == 2:
        fields["email"] = f"{person.index:x}.{person.private_mail}"
    fields |= {"family_kana": None, "given_kana": None, "lead_source": "Newsletter", "stage": "lead", "score": 5.0}
    fields |= {"is_email_opted_out": False, "is_call_opted_out": False}
    record = book.record("person_versions", _TOOL, _LEADS, person.entity_id, at, fields)
    book.hard(record, "duplicate")
    return record


def _finish(rng: Random, book: Book, person: Person, copies: PersonCopies, record: Record) -> None:
    """All that happens to a lead after its creation."""
    _stages(rng, person, copies, record)
    _link(rng, book, person, copies, record)
    if person.email_opt_out is not None:
        record.change(person.email_opt_out + (0 if copies.born == _TOOL else 300), is_email_opted_out=True)
    if person.moved is not None:
        at, index, email = person.moved
        account = book.world.accounts[index]
        record.change(at + 1_200, email=email, phone=account.phone, company_name=account.display)
        book.hard(record, "changed_employer")
    if _TOOL in copies.gone:
        record.delete(copies.gone[_TOOL])


def _stages(rng: Random, person: Person, copies: PersonCopies, record: Record) -> None:
    """A lead is created as `lead`; later stages are changes of the field and never go back, but for a disqualification.

    Stages that were reached before a copy came are one change, some minutes after the creation.
    """
    lag, born, known_after = rng.randrange(60, 600), copies.born == _TOOL, record.created + rng.randrange(60, 300)
    reached = {"engaged": person.engaged, "mql": person.mql, "sql": person.sql, "customer": person.customer}
    due = sorted(
        (
            max(at + (0 if born and stage in ("engaged", "mql") else lag), known_after if at <= record.created else 0),
            rank,
        )
        for stage, rank in _RANK.items()
        if (at := reached.get(stage)) is not None
    )
    names, highest, score = list(_RANK), 0, float(record.fields["score"])
    changes: dict[int, dict[str, Any]] = {}
    for at, rank in due:
        if rank > highest:
            highest, score = rank, min(100.0, score + rng.randrange(5, 25))
            changes[at] = {"stage": names[rank], "score": score}
    if person.disqualified is not None and not (person.sql or person.customer):
        changes[max(person.disqualified + lag, known_after + 60)] = {"stage": "disqualified"}
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        at = later(rng, record.created, 1 + rng.expovariate(1 / 60))
        passed = [fields["score"] for due_at, fields in sorted(changes.items()) if due_at < at and "score" in fields]
        before = passed[-1] if passed else float(record.fields["score"])
        if at not in changes and not any(due_at > at for due_at in changes):
            changes[at] = {"score": max(0.0, min(100.0, before + rng.choice((5, 5, 10, 15, -10))))}
    for at, fields in changes.items():
        record.change(at, **fields)


def _link(rng: Random, book: Book, person: Person, copies: PersonCopies, record: Record) -> None:
    """Marketo carries the id of the Salesforce lead, then of its contact."""
    if not copies.linked_marketo:
        return
    for kind in ("Lead", "Contact"):
        other = book.people.get(("salesforce", kind, person.index))
        if other is not None:
            synced = other.created + rng.randrange(60, 300)
            record.change(record.created if synced <= record.created else synced, crm_source_id=other.source_id)
