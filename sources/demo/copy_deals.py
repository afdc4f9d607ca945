"""Writes the tools' copies of deals: the native record with lines, people and splits, its mirror, and duplicates that go.

Each deal is native to one tool (`presence_later.deal_tool`). Decides nothing about the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from sources.demo import distributions as d
from sources.demo.book import Book
from sources.demo.hours import DAY, HOUR, day_of, workday
from sources.demo.presence_later import deal_tool
from sources.demo.rows import Record
from sources.demo.staff import PRODUCTS
from sources.demo.truth_types import Deal, Line

DEAL_OBJECT = {
    "salesforce": "Opportunity", "hubspot": "deals", "hubspot_emea": "deals", "esales": "businessplan", "kintone": "deals",
}  # fmt: skip
_LINE_OBJECT = {
    "salesforce": "OpportunityLineItem", "hubspot": "line_items", "hubspot_emea": "line_items", "kintone": "deal_lines",
}  # fmt: skip


def write_deals(book: Book) -> None:
    rng = Random(f"{book.world.seed}:deal copies")
    unmergeable = int(len(book.world.deals) * d.UNMERGEABLE_DUPLICATES_AT_MOST)
    for deal in book.world.deals:
        instance = deal_tool(deal)
        record = _native(book, deal, instance)
        book.deals.append(record.source_id)
        if deal.deleted is not None:
            record.delete(deal.deleted)
        _lines(book, deal, instance, record.source_id)
        _people(rng, book, deal, instance, record.source_id, deal.created)
        if instance == "salesforce":
            _splits(book, deal, record.source_id)
            _converted(book, deal, record)
            _mirror(rng, book, deal, record)
        twice = instance not in ("esales", "kintone") and deal.deleted is None and rng.random() < d.DEAL_DUPLICATE_RATE
        if twice and (instance != "salesforce" or unmergeable > 0):
            unmergeable -= _duplicate(rng, book, deal, instance, record)


def _changes(book: Book, instance: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """A deal's event in the columns of the tool tables."""
    fields = {key: value for key, value in event.items() if key not in ("owner", "expected")}
    if "owner" in event:
        fields["owner_source_id"] = fields["changed_by_source_id"] = book.owner(instance, event["owner"])
    if "expected" in event:
        fields["expected_close_date"] = event["expected"]
    return fields


def _native(book: Book, deal: Deal, instance: str) -> Record:
    first = {
        "name": deal.name,
        "account_source_id": book.accounts.get((instance, deal.account)),
        "deal_type": deal.deal_type,
        "pipeline": deal.pipeline,
        "currency": d.CURRENCY[deal.division],
        "lead_source": deal.lead_source if instance != "kintone" else None,
        "campaign_source_id": book.campaigns[deal.campaign]
        if deal.campaign is not None and instance == "salesforce"
        else None,
        **_changes(book, instance, deal.events[0][1]),
    }
    record = book.record("deal_versions", instance, DEAL_OBJECT[instance], deal.entity_id, deal.created, first)
    for at, event in deal.events[1:]:
        record.change(at, **_changes(book, instance, event))
    return record


def _lines(book: Book, deal: Deal, instance: str, source_id: str) -> None:
    kind = _LINE_OBJECT.get(instance)
    if kind is None:
        return
    for place, line in enumerate(deal.lines):
        if deal.deleted is not None and line.added >= deal.deleted:
            continue
        dates = {"service_start_date": line.start, "service_end_date": line.end if line.is_recurring else None}
        record = book.record(
            "deal_line_versions", instance, kind, f"{deal.entity_id}:{place + 1}", line.added,
            {
                "deal_source_id": source_id, "product_source_id": book.products[instance, line.product],
                "product_family": PRODUCTS[line.product].family, "quantity": float(line.quantity),
                "is_recurring": line.is_recurring, **_quoted(line), **dates,
            },
        )  # fmt: skip
        for at, fields in line.changes:
            moved = {"service_start_date": fields["start"]} if "start" in fields else {}
            if "end" in fields and line.is_recurring:
                moved["service_end_date"] = fields["end"]
            record.change(at, **{key: fields[key] for key in ("unit_price", "amount") if key in fields}, **moved)
        if deal.deleted is not None:
            record.delete(deal.deleted)


def _quoted(line: Line) -> dict[str, float]:
    """Price and amount as first quoted; a later discount is a change of the line."""
    discount = next((fields for _, fields in line.changes if "quoted_price" in fields), None)
    if discount is None:
        return {"unit_price": line.unit_price, "amount": line.amount}
    return {"unit_price": discount["quoted_price"], "amount": discount["quoted_amount"]}


def _people(rng: Random, book: Book, deal: Deal, instance: str, source_id: str, since: int) -> None:
    kind = "Contact" if instance == "salesforce" else "contacts"
    if instance == "esales":
        return
    end = deal.deleted or deal.closed
    primary = True
    for index, role in deal.people:
        person = book.people.get((instance, kind, index))
        if person is None or (end is not None and person.created + HOUR >= end):
            continue
        at = max(since, person.created)
        if instance != "kintone":  # there the rows are saved with the deal
            at += 1 if primary else rng.randrange(120, HOUR)
        fields = {"deal_source_id": source_id, "person_source_id": person.source_id, "role": role,
                  "is_primary": primary}  # fmt: skip
        entity = f"{deal.entity_id}:{index}"
        if instance == "salesforce":
            record = book.record("deal_person_versions", instance, "OpportunityContactRole", entity, at, fields)
        else:
            pair = f"{source_id}:{person.source_id}"
            record = book.log.add(
                Record("deal_person_versions", instance, "deals_contacts", pair, entity, at, **fields)
            )
        if deal.deleted is not None:
            record.delete(deal.deleted)
        primary = False


def _splits(book: Book, deal: Deal, source_id: str) -> None:
    for user, share in deal.splits:
        record = book.record(
            "deal_split_versions", "salesforce", "OpportunitySplit", f"{deal.entity_id}:{user}", deal.created + 900,
            {"deal_source_id": source_id, "user_source_id": book.owner("salesforce", user), "share": share},
        )  # fmt: skip
        if deal.deleted is not None:
            record.delete(deal.deleted)


def _converted(book: Book, deal: Deal, record: Record) -> None:
    """The conversion that opened this deal names it on the lead."""
    if not deal.from_conversion:
        return
    person = deal.people[0][0]
    lead = book.people.get(("salesforce", "Lead", person))
    if lead is not None and book.presence.people[person].converted == deal.created:
        for at, fields in lead.changes:
            if at == deal.created and fields.get("is_converted"):
                fields["converted_opportunity_source_id"] = record.source_id


def _mirror(rng: Random, book: Book, deal: Deal, record: Record) -> None:
    """HubSpot's sync copies the opportunity some minutes later, change by change."""
    since = book.presence.accounts[deal.account].since.get("hubspot")
    if since is None or since > deal.created or rng.random() > d.MIRROR_RATE:
        return
    lag = rng.randrange(60, 900)
    fields = dict(record.fields)
    fields["account_source_id"] = book.accounts["hubspot", deal.account]
    fields["campaign_source_id"] = None
    fields["crm_source_id"] = record.source_id
    fields |= _changes(book, "hubspot", deal.events[0][1])
    mirror = book.record("deal_versions", "hubspot", "deals", deal.entity_id, deal.created + lag, fields)
    book.hard(mirror, "mirror")
    for at, event in deal.events[1:]:
        mirror.change(at + lag, **_changes(book, "hubspot", event))
    if deal.deleted is not None:
        mirror.delete(deal.deleted + lag)
    else:
        _people(rng, book, deal, "hubspot", mirror.source_id, deal.created + lag)


def _duplicate(rng: Random, book: Book, deal: Deal, instance: str, record: Record) -> bool:
    """True if it stays unmergeable. Entered twice; noticed the same day before six in the evening, so that it is never alive at a day's cut.

    HubSpot merges deals; Salesforce cannot, there it is deleted and nothing names the one that stays.
    """
    created = workday(day_of(deal.created) + 1) * DAY + rng.randrange(HOUR, 5 * HOUR)
    gone = created + rng.randrange(HOUR // 2, 2 * HOUR)
    if deal.closed is not None and deal.closed < gone + DAY:
        return False
    fields = {**record.fields, "stage": "inquiry", "probability": d.PROBABILITY["inquiry"]}
    copy = book.record("deal_versions", instance, DEAL_OBJECT[instance], deal.entity_id, created, fields)
    if instance == "salesforce":
        copy.delete(gone)
        book.hard(copy, "deleted_duplicate")
        return True
    copy.merge_into(gone, record.source_id)
    book.hard(copy, "duplicate")
    return False
