"""What is true of deals and touches as tables with instants, so that it can be cut at any "now". Imports no tool's copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sources.demo import distributions as d
from sources.demo.rows import typed
from sources.demo.tables import DAY, INSTANT, MONEY
from sources.demo.touches import KINDS, NEVER
from sources.demo.truth_types import Touches, World

_DEAL_STATE = pa.schema(
    {
        "opportunity_entity_id": pa.string(), "at": INSTANT, "until": INSTANT, "stage": pa.string(),
        "previous_stage": pa.string(), "amount": MONEY, "owner_entity_id": pa.string(), "close_date": DAY,
        "currency": pa.string(), "deleted_at": INSTANT,
    }.items()
)  # fmt: skip
_LINE = pa.schema(
    {
        "opportunity_entity_id": pa.string(), "line": pa.int64(), "product_family": pa.string(), "amount": MONEY,
        "at": INSTANT, "until": INSTANT,
    }.items()
)  # fmt: skip
_TOUCH = pa.schema(
    {
        "person_entity_id": pa.string(), "account_entity_id": pa.string(), "occurred_at": INSTANT,
        "channel": pa.string(), "kind": pa.string(), "known_at": INSTANT, "deleted_at": INSTANT,
    }.items()
)  # fmt: skip


def truth_tables(world: World, touches: Touches) -> dict[str, pa.Table]:
    return {"deal_states": _deal_states(world), "lines": _lines(world), "touches": _touches(world, touches)}


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [typed(list(column), field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _deal_states(world: World) -> pa.Table:
    rows: list[tuple[Any, ...]] = []
    for deal in world.deals:
        state: dict[str, Any] = {}
        for place, (at, event) in enumerate(deal.events):
            until = deal.events[place + 1][0] if place + 1 < len(deal.events) else None
            before = state.get("stage")
            state |= event
            rows.append(
                (
                    deal.entity_id, at, until, state["stage"], before if "stage" in event else state["stage"],
                    state["amount"], world.users[state["owner"]].entity_id, state["expected"],
                    d.CURRENCY[deal.division], deal.deleted,
                )
            )  # fmt: skip
    return _table(rows, _DEAL_STATE)


def _lines(world: World) -> pa.Table:
    rows: list[tuple[Any, ...]] = []
    for deal in world.deals:
        for number, line in enumerate(deal.lines, start=1):
            amount, at, family = line.amount, line.added, world.products[line.product].family
            steps = [(due, fields) for due, fields in line.changes if "quoted_amount" in fields]
            for due, fields in steps:
                rows.append((deal.entity_id, number, family, fields["quoted_amount"], at, due))
                at, amount = due, fields["amount"]
            rows.append((deal.entity_id, number, family, amount, at, None))
    return _table(rows, _LINE)


def _touches(world: World, touches: Touches) -> pa.Table:
    people = pa.array([person.entity_id for person in world.people])
    accounts = pa.array([account.entity_id for account in world.accounts])
    channels = pa.array([d.KIND_CHANNEL[kind] for kind in KINDS])
    kind = pa.array(touches.kind)
    columns = (
        people.take(pa.array(touches.person)),
        accounts.take(pa.array(touches.account)),
        touches.occurred,
        channels.take(kind),
        pa.array(KINDS).take(kind),
        np.maximum(touches.occurred, touches.recorded),
        pa.array(touches.deleted, mask=touches.deleted >= NEVER).cast(pa.timestamp("s")),
    )
    return pa.Table.from_arrays(
        [typed(column, field.type) for column, field in zip(columns, _TOUCH, strict=True)], schema=_TOUCH
    )
