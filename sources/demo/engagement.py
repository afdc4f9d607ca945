"""Moves some of the touches into Marketo and kintone, where those tools would note them instead, as the kinds they have.

Works on the touches that were drawn, with a generator of its own: their number, people and times stay (Marketo notes a touch
when it happens, so there it happens when it was noted; kintone keeps whole minutes), and what other tools note stays untouched. Truth only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sources.demo import distributions as d
from sources.demo.hours import END, FIRST_NOW, Ints
from sources.demo.presence import Presence
from sources.demo.presence_later import deal_tool
from sources.demo.touches import KINDS, NEVER, TOOLS, account_of_day, known_since
from sources.demo.truth_types import Touches, World

_MARKETO, _KINTONE = TOOLS.index("marketo"), TOOLS.index("kintone")


def place_later(world: World, presence: Presence, touches: Touches) -> Touches:
    """The same touches, some of them in Marketo or kintone."""
    gen = np.random.default_rng([world.seed, 7])
    since = known_since(world, presence)[touches.person]
    tool = _in_kintone(gen, world, presence, touches, since[:, _KINTONE])
    tool = _in_marketo(gen, world, presence, touches, tool, since[:, _MARKETO])
    there, cared_for = tool == _MARKETO, tool == _KINTONE
    kind = _marketo_kinds(gen, touches.kind, there, since[:, _MARKETO], touches.occurred)
    known = np.maximum(touches.occurred, touches.recorded)
    minute = np.where((known > FIRST_NOW) & (known < FIRST_NOW + 60), FIRST_NOW + 60, known // 60 * 60)
    # What was deleted by the first now elsewhere cannot be deleted in Marketo: it happens at the very end instead.
    ends = there & (touches.deleted <= FIRST_NOW)
    occurred = np.where(ends, END - 1, np.where(there, known, touches.occurred))
    occurred = np.where(cared_for, occurred // 60 * 60, occurred)
    recorded = np.where(there, occurred, np.where(cared_for, minute, touches.recorded))
    sent, stays = KINDS.index("email"), touches.deleted >= NEVER
    deleted = np.maximum(touches.deleted // 60 * 60, minute + 60)
    moved = replace(
        touches,
        tool=tool,
        kind=kind,
        occurred=occurred,
        recorded=recorded,
        deleted=np.where(there, NEVER, np.where(cared_for & ~stays, deleted, touches.deleted)),
        inbound=np.where(there, kind != sent, touches.inbound),
        account=account_of_day(world, touches.person, occurred),
    )
    order = np.argsort(np.maximum(occurred, recorded), kind="stable")
    return Touches(*(getattr(moved, name)[order] for name in Touches.__dataclass_fields__))


def _division(world: World, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([world.accounts[person.account].division == name for person in world.people])


def _gone(presence: Presence, instance: str) -> Ints:
    return np.array([copies.gone.get(instance, NEVER) for copies in presence.people])


def _in_kintone(gen: np.random.Generator, world: World, presence: Presence, touches: Touches, since: Ints) -> Ints:
    """What is about kintone's own deals, and part of what else is done for its customers of division west."""
    native = np.array([deal_tool(deal) == "kintone" for deal in world.deals] or [False])
    about = (touches.deal >= 0) & native[touches.deal]
    rate = np.array([d.KINTONE_TOUCHES.get(kind, 0.0) for kind in KINDS])[touches.kind]
    free = (touches.deal < 0) & _division(world, "west")[touches.person] & (gen.random(len(rate)) < rate)
    stays = _gone(presence, "kintone")[touches.person] == NEVER
    known = since <= np.minimum(touches.occurred, touches.recorded)
    return np.where((about | free) & known & stays & (touches.tool != _MARKETO), _KINTONE, touches.tool)


def _in_marketo(
    gen: np.random.Generator, world: World, presence: Presence, touches: Touches, tool: Ints, since: Ints
) -> Ints:
    """Part of the forms and e-mails without a deal, of people whose lead is not deleted some day."""
    rate = np.zeros(len(tool))
    for division, rates in d.MARKETO_TOUCHES.items():
        of_kind = np.array([rates.get(kind, 0.0) for kind in KINDS])[touches.kind]
        rate = np.where(_division(world, division)[touches.person], of_kind, rate)
    stays = _gone(presence, "marketo")[touches.person] == NEVER
    chosen = (touches.deal < 0) & (since <= touches.occurred) & stays & (gen.random(len(rate)) < rate)
    return np.where(chosen & (tool != _KINTONE), _MARKETO, tool)


def _marketo_kinds(gen: np.random.Generator, kind: Ints, there: np.ndarray, since: Ints, occurred: Ints) -> Ints:  # type: ignore[type-arg]
    """The form by which a person came stays a form; a call or a meeting that only Marketo could note was something else."""
    drawn, found = gen.random(len(kind)), kind.copy()
    first = (kind == KINDS.index("form")) & (occurred - since < 60)
    for place, name in enumerate(KINDS[:5]):
        shares = d.MARKETO_KINDS.get(name, d.MARKETO_KINDS["call"])
        bounds = np.cumsum(list(shares.values()))
        codes = np.array([KINDS.index(other) for other in shares])
        picked = codes[np.minimum(np.searchsorted(bounds, drawn, side="right"), len(codes) - 1)]
        found = np.where(there & ~first & (kind == place), picked, found)
    return found
