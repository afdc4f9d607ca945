"""Writes the tools' copies of accounts: spellings, former names, duplicates, merges, parents, deletes.

Decides how a copy differs, never what is true of the account.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sources.demo import distributions as d
from sources.demo.book import Book
from sources.demo.hours import DAY, HOUR, later
from sources.demo.names import respelled, respelled_phone
from sources.demo.presence import merge_time
from sources.demo.presence_later import LATER_TOOLS
from sources.demo.rows import Record
from sources.demo.staff import owner_at
from sources.demo.truth_types import Account

ACCOUNT_OBJECT = {
    "salesforce": "Account", "hubspot": "companies", "hubspot_emea": "companies", "esales": "customer",
    "kintone": "customers",
}  # fmt: skip
_NUMBER_KNOWN = {"salesforce": 0.7, "hubspot": 0.1, "hubspot_emea": 0.0, "esales": 0.5, "kintone": 0.8}


def write_accounts(book: Book) -> None:
    rng = Random(f"{book.world.seed}:account copies")
    types = account_types(book)
    for account in book.world.accounts:
        since = book.presence.accounts[account.index].since
        since = {instance: at for instance, at in since.items() if instance not in LATER_TOOLS}
        first = min(since, key=lambda instance: (since[instance], instance)) if since else ""
        records = {
            instance: copy_account(rng, book, account, instance, at, instance == first)
            for instance, at in sorted(since.items(), key=lambda item: item[0] == "hubspot")
        }
        for instance, record in records.items():
            for at, kind in types.get(account.index, []):
                record.change(at + HOUR // 2, account_type=kind)
            name_parent(book, account, instance, record)
        _link(book, account, records)
        if account.junk:
            for record in records.values():
                record.delete(later(rng, record.created, rng.randrange(1, 20)))
        elif records and not account.branch and rng.random() < d.ACCOUNT_DUPLICATE_RATE:
            _duplicate(rng, book, account, records)


def account_types(book: Book) -> dict[int, list[tuple[int, str]]]:
    """prospect → customer at the first win → former when a renewal is lost and nothing was won since."""
    won: dict[int, list[int]] = {}
    lost: dict[int, list[int]] = {}
    for deal in book.world.deals:
        if deal.closed is None or deal.deleted is not None:
            continue
        if deal.is_won:
            won.setdefault(deal.account, []).append(deal.closed)
        elif deal.deal_type == "renewal":
            lost.setdefault(deal.account, []).append(deal.closed)
    found: dict[int, list[tuple[int, str]]] = {}
    for account, wins in won.items():
        found[account] = [(min(wins), "customer")]
        for at in lost.get(account, []):
            if max(wins) < at:
                found[account].append((at, "former"))
    return found


def copy_account(rng: Random, book: Book, account: Account, instance: str, at: int, first: bool) -> Record:
    """One tool's record of the account; `first`: spelled as the truth has it."""
    suffix = f" {account.branch}" if account.branch else ""
    odd = "" if first or rng.random() < 0.6 else "spelling"
    current = account.display if not odd else respelled(rng, account.name, suffix)
    fields = account_fields(rng, book, account, instance, at, first)
    fields["name"] = current
    if account.renamed is not None:
        fields["name"] = account.renamed[1].full
        odd = "former_name"
    record = book.record("account_versions", instance, ACCOUNT_OBJECT[instance], account.entity_id, at, fields)
    if account.renamed is not None and (first or account.domain is None):
        record.change(account.renamed[0], name=account.display)
    if account.branch:
        odd = "branch"
    if odd:
        book.hard(record, odd)
    book.accounts[instance, account.index] = record.source_id
    left = book.world.users[account.owner].left
    if left is not None and left > at:
        taken = owner_at(book.world.users, account.owner, left)
        record.change(left + 2 * HOUR, owner_source_id=book.owner(instance, taken))
    if rng.random() < 0.12:
        grown = max(5, int(account.employees * rng.uniform(0.8, 1.4)))
        record.change(later(rng, at, rng.randrange(90, 600)), employee_count=grown)
    return record


def account_fields(rng: Random, book: Book, account: Account, instance: str, at: int, first: bool) -> dict[str, Any]:
    """All but the name, as this tool knows it."""
    domain = account.domain
    knows_number = account.corporate_number is not None and rng.random() < _NUMBER_KNOWN[instance]
    shows_domain = domain is not None and (instance.startswith("hubspot") or rng.random() < 0.93)
    website = rng.choice((f"https://www.{domain}/", f"http://{domain}", f"www.{domain}")) if shows_domain else None
    japanese = account.country == "JP"
    return {
        "domain": domain if shows_domain else None,
        "website": website,
        "corporate_number": account.corporate_number if knows_number else None,
        "industry": account.industry,
        "employee_count": account.employees if first or rng.random() < 0.7 else None,
        "country": account.country,
        "region": account.region,
        "city": account.city,
        "postal_code": account.postal_code,
        "street": account.street,
        "phone": account.phone if first or not japanese else respelled_phone(rng, account.phone),
        "owner_source_id": book.owner(instance, owner_at(book.world.users, account.owner, at)),
        "account_type": "prospect",
    }


def name_parent(book: Book, account: Account, instance: str, record: Record) -> None:
    """Salesforce, HubSpot and kintone show the parent; the parent is an earlier account."""
    if account.parent is None or instance == "esales":
        return
    parent = book.accounts.get((instance, account.parent))
    if parent is not None:
        known = book.presence.accounts[account.parent].since[instance]
        record.change(max(known + HOUR if known > record.created else 0, record.created), parent_source_id=parent)


def _link(book: Book, account: Account, records: dict[str, Record]) -> None:
    if not book.presence.accounts[account.index].linked:
        return
    company, source = records["hubspot"], records["salesforce"]
    company.change(source.created + 180 if source.created > company.created else 0, crm_source_id=source.source_id)


def _duplicate(rng: Random, book: Book, account: Account, records: dict[str, Record]) -> None:
    """A second record of one tool, sometimes a third; the noticed ones are merged, a chain in two steps."""
    instance = rng.choice(sorted(records))
    winner = records[instance]
    merged = merge_time(rng, winner.created + 30 * DAY)
    if instance == "esales":
        merged = None
    chain = 2 if merged is not None and rng.random() < d.CHAIN_SHARE_OF_MERGES else 1
    records_of = [winner]
    for _ in range(chain):
        created = later(rng, records_of[-1].created, rng.randrange(3, 25))
        fields = account_fields(rng, book, account, instance, created, False)
        fields["name"] = respelled(rng, account.name)
        if fields["domain"] is None and account.domain is not None and rng.random() < 0.9:
            fields["domain"] = account.domain
        record = book.record("account_versions", instance, ACCOUNT_OBJECT[instance], account.entity_id, created, fields)
        book.hard(record, "duplicate")
        records_of.append(record)
    merge_chain(records_of, merged)


def merge_chain(records: list[Record], merged: int | None) -> None:
    """Merges the last record into the one before it, then that one further, two days apart; None leaves them alive."""
    if merged is None:
        return
    at = max(merged, records[-1].created + DAY)
    for loser, winner in zip(records[:0:-1], records[-2::-1], strict=True):
        loser.merge_into(at, winner.source_id)
        at += 2 * DAY
