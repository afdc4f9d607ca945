"""Builds the world from a seed and a scale, then the tools' copies of it. The order matters: truth first."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from sources.demo.accounts import make_accounts
from sources.demo.book import Book
from sources.demo.copy_accounts import write_accounts
from sources.demo.copy_deals import write_deals
from sources.demo.copy_kintone import write_kintone
from sources.demo.copy_marketo import write_leads
from sources.demo.copy_people import write_people
from sources.demo.copy_programs import write_members, write_programs
from sources.demo.copy_relations import write_relations
from sources.demo.copy_staff import write_staff
from sources.demo.copy_touches import write_touches
from sources.demo.deals import make_deals
from sources.demo.engagement import place_later
from sources.demo.people import make_people
from sources.demo.presence import decide
from sources.demo.presence_later import decide_later
from sources.demo.quotes import quote_follow_ups
from sources.demo.rows import typed
from sources.demo.staff import PRODUCTS, make_campaigns, make_targets, make_users
from sources.demo.tables import TABLES, TARGET
from sources.demo.touches import make_touches
from sources.demo.truth_tables import truth_tables
from sources.demo.truth_types import World


@dataclass(slots=True)
class Simulation:
    """`tools`: the tool tables; `truth`: what is true, with the instants at which it became so."""

    tools: dict[str, pa.Table]
    truth: dict[str, pa.Table]


def make_world(seed: int, scale: str) -> World:
    users = make_users(seed, scale)
    campaigns = make_campaigns(seed, scale)
    accounts = make_accounts(seed, scale, users)
    people = make_people(seed, scale, users, accounts, campaigns)
    world = World(seed, scale, users, list(PRODUCTS), campaigns, accounts, people)
    world.deals = make_deals(world)
    quote_follow_ups(world)
    return world


def simulate(seed: int, scale: str) -> Simulation:
    """A pure function of its arguments."""
    world = make_world(seed, scale)
    presence = decide(world)
    decide_later(world, presence)
    touches = place_later(world, presence, make_touches(world, presence))
    truth = truth_tables(world, touches)
    book = Book(world, presence)
    write_staff(book)
    write_accounts(book)
    write_people(book)
    write_relations(book)
    write_leads(book)
    write_kintone(book)
    write_deals(book)
    write_programs(book)
    write_members(book, touches)
    for name in TABLES:
        book.log.settle(name)
    write_touches(book, touches)
    tools = book.log.tables()
    targets = make_targets(seed, world.users, scale)
    tools["target"] = pa.Table.from_arrays(
        [typed([row[field.name] for row in targets], field.type) for field in TARGET], schema=TARGET
    )
    truth["difficulty"] = _difficulty(book)
    return Simulation(tools, truth)


def _difficulty(book: Book) -> pa.Table:
    keys = list(book.difficulty)
    return pa.table(
        {
            "instance": pa.array([key[0] for key in keys], pa.string()),
            "object": pa.array([key[1] for key in keys], pa.string()),
            "source_id": pa.array([key[2] for key in keys], pa.string()),
            "difficulty": pa.array(list(book.difficulty.values()), pa.string()),
        }
    )
