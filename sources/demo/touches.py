"""The touches that really happened between the company and people: when, what kind, about which deal. Drawn with numpy.

A touch is noted in one tool only; which one follows from who sells and where the person is known at that time. `engagement.py`
then moves some into Marketo and kintone.
"""

from __future__ import annotations

import numpy as np

from sources.demo import distributions as d
from sources.demo.hours import DAY, END, FIRST_NOW, HOUR, Ints, many_at_work
from sources.demo.presence import Presence
from sources.demo.truth_types import Touches, World

TOOLS = ("salesforce", "hubspot", "hubspot_emea", "esales", "marketo", "kintone")
KINDS = ("form", "email", "call", "meeting", "visit", "web_visit", "email_open", "email_click", "seminar")
NEVER = np.iinfo(np.int64).max // 4
_FORM, _EMAIL, _CALL, _MEETING, _VISIT = range(5)


def known_since(world: World, presence: Presence) -> Ints:
    """people × tools: since when the person has a record there, NEVER if not."""
    since = np.full((len(world.people), len(TOOLS)), NEVER, dtype=np.int64)
    for index, copies in enumerate(presence.people):
        for (instance, _), at in copies.since.items():
            column = TOOLS.index(instance)
            since[index, column] = min(since[index, column], at)
    return since


def make_touches(world: World, presence: Presence) -> Touches:
    """Exactly as many visible live ones as the scale says, and the share of the half year ahead."""
    gen = np.random.default_rng([world.seed, 5])
    wanted = d.SCALES[world.scale]["touches"]
    since = known_since(world, presence)
    drawn = [
        _about_deals(gen, world, round(wanted * d.DEAL_TOUCH_SHARE * 1.6)),
        _first_forms(gen, world, presence),
        _others(gen, world, round(wanted * (1 - d.DEAL_TOUCH_SHARE) * 1.9)),
    ]
    person, deal, occurred, kind = (np.concatenate([part[place] for part in drawn]) for place in range(4))
    tool, occurred, kind = _place(gen, world, presence, since, person, occurred, kind)
    recorded = _recorded(gen, occurred, kind, since[person, tool])
    deleted = np.where(gen.random(len(person)) < d.TOUCH_DELETED_RATE, recorded + 2 * DAY, NEVER)
    known = np.maximum(occurred, recorded)
    keep = _exactly(gen, wanted, known, deleted, len(drawn[0][0]) + len(drawn[1][0]))
    order = keep[np.argsort(known[keep], kind="stable")]
    inbound_rate = np.array([1.0, 0.45, 0.15, 0.1, 0.0])[kind]
    return Touches(
        person=person[order],
        account=account_of_day(world, person, occurred)[order],
        deal=deal[order],
        owner=_owner(world, person, deal, occurred)[order],
        occurred=occurred[order],
        recorded=recorded[order],
        kind=kind[order],
        inbound=(gen.random(len(person)) < inbound_rate)[order],
        deleted=deleted[order],
        tool=tool[order],
    )


def _exactly(gen: np.random.Generator, wanted: int, known: Ints, deleted: Ints, preferred: int) -> Ints:
    """All visible ones that are kept come first from the deals and forms, the rest by lot."""
    visible = np.flatnonzero((known <= FIRST_NOW) & (deleted > FIRST_NOW))
    gone = np.flatnonzero((known <= FIRST_NOW) & (deleted <= FIRST_NOW))
    first, rest = visible[visible < preferred], visible[visible >= preferred]
    if len(first) > wanted * 0.8:
        first = gen.permutation(first)[: int(wanted * 0.8)]
    if len(first) + len(rest) < wanted:
        raise RuntimeError(f"only {len(first) + len(rest)} touches were drawn before now, {wanted} are needed")
    chosen = np.concatenate([first, gen.permutation(rest)[: wanted - len(first)]])
    ahead = gen.permutation(np.flatnonzero((known > FIRST_NOW) & (known < END)))
    gone = gen.permutation(gone)[: int(len(gone) * 0.6)]
    return np.concatenate([chosen, gone, ahead[: int(wanted * d.FUTURE_SHARE * 1.3)]])


def _kinds(gen: np.random.Generator, name: str, size: int) -> Ints:
    shares = d.KIND_SHARE[name]
    return gen.choice([KINDS.index(kind) for kind in shares], size=size, p=list(shares.values()))


def _about_deals(gen: np.random.Generator, world: World, size: int) -> tuple[Ints, Ints, Ints, Ints]:
    deals = [deal for deal in world.deals if deal.deleted is None]
    start = np.array([deal.created for deal in deals])
    end = np.array([min(deal.closed or END, deal.created + 500 * DAY) for deal in deals])
    emea = np.array([deal.division == "emea" for deal in deals])
    weight = np.sqrt((end - start) / DAY + 5) * np.array([1.5 if deal.is_won else 1.0 for deal in deals])
    chosen = gen.choice(len(deals), size=size, p=weight / weight.sum())
    days = (start[chosen] + ((end - start)[chosen] * gen.random(size)).astype(np.int64)) // DAY
    occurred = np.clip(many_at_work(gen, days, emea[chosen]), start[chosen] + 600, None)
    committee = np.array([[*(index for index, _ in deal.people), -1, -1, -1][:3] for deal in deals])
    member = committee[chosen, gen.choice(3, size=size, p=[0.65, 0.2, 0.15])]
    person = np.where(member < 0, committee[chosen, 0], member)
    return person, np.array([deal.index for deal in deals])[chosen], occurred, _kinds(gen, "deal", size)


def _first_forms(gen: np.random.Generator, world: World, presence: Presence) -> tuple[Ints, Ints, Ints, Ints]:
    """Who comes from marketing came by a form."""
    came = [
        person
        for person, copies in zip(world.people, presence.people, strict=True)
        if copies.born in ("hubspot", "hubspot_emea", "marketo")
        and person.source not in d.TOOL_BORN
        and not person.junk
    ]
    index = np.array([person.index for person in came])
    occurred = np.array([person.created for person in came]) + gen.integers(1, 30, size=len(came))
    return index, np.full(len(came), -1), occurred, np.full(len(came), _FORM)


def _others(gen: np.random.Generator, world: World, size: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Nurturing: more for those who came further, thinning out with time."""
    people = world.people
    weight = np.array(
        [0.0 if p.junk else 1.0 + 2.0 * (p.engaged is not None) + 3.0 * (p.mql is not None) for p in people]
    )
    person = gen.choice(len(people), size=size, p=weight / weight.sum())
    created = np.array([p.created for p in people])[person]
    emea = np.array([world.accounts[p.account].division == "emea" for p in people])[person]
    when = created + (gen.exponential(150.0, size=size) * DAY).astype(np.int64)
    kind = _kinds(gen, "person", size)
    at_work = many_at_work(gen, when // DAY, emea)
    free = when // DAY * DAY + gen.integers(0, DAY, size=size)
    occurred = np.where((kind == _FORM) & (gen.random(size) < 0.35), free, at_work)
    return person, np.full(size, -1), np.maximum(occurred, created + 900), kind


def _place(
    gen: np.random.Generator,
    world: World,
    presence: Presence,
    since: Ints,
    person: Ints,
    occurred: Ints,
    kind: Ints,
) -> tuple[Ints, Ints, Ints]:
    """The tool that notes it, the instant when that tool knows the person, and the kind as that tool can have it."""
    own = np.array([TOOLS.index(d.DIVISION_TOOL[world.accounts[p.account].division]) for p in world.people])[person]
    born = np.array([TOOLS.index(copies.born) for copies in presence.people])[person]
    marketing = np.where(born == 4, 4, 1)
    known = since[person, marketing] <= occurred
    by_marketing = (kind == _FORM) | ((kind == _EMAIL) & (gen.random(len(person)) < 0.5))
    tool = np.where(by_marketing & known & (own != 2), marketing, own)
    tool = np.where(since[person, tool] > occurred, born, tool)
    occurred = np.maximum(occurred, since[person, tool] + 1)
    in_hubspot = (tool == 1) | (tool == 2)
    kind = np.where((kind == _FORM) & ~in_hubspot & (tool != 4), _CALL, kind)
    kind = np.where((kind == _VISIT) & in_hubspot, _MEETING, kind)
    return tool, occurred, kind


def _recorded(gen: np.random.Generator, occurred: Ints, kind: Ints, since: Ints) -> Ints:
    """Meetings are mostly planned ahead; everything else is noted soon after, a form at once."""
    size = len(occurred)
    soon = occurred + np.where(kind == _FORM, 0, gen.integers(30, 2 * HOUR, size=size))
    planned = occurred - gen.integers(1 * DAY, 12 * DAY, size=size)
    ahead = ((kind == _MEETING) | (kind == _VISIT)) & (gen.random(size) < 0.7) & (planned > since + 60)
    return np.where(ahead, planned, soon)


def account_of_day(world: World, person: Ints, occurred: Ints) -> Ints:
    """A touch keeps the account of its day."""
    before = np.array([p.account for p in world.people])
    moved = np.array([NEVER if p.moved is None else p.moved[0] for p in world.people])
    after = np.array([-1 if p.moved is None else p.moved[1] for p in world.people])
    return np.where(moved[person] <= occurred, after[person], before[person])


def _owner(world: World, person: Ints, deal: Ints, occurred: Ints) -> Ints:
    """The deal's owner of that time (up to its first change, then the last one), else the person's."""
    of_person = np.array([p.owner for p in world.people])[person]
    first = np.array([item.events[0][1]["owner"] for item in world.deals] or [0])
    last = np.array([item.owner for item in world.deals] or [0])
    change = np.array(
        [next((at for at, event in item.events[1:] if "owner" in event), NEVER) for item in world.deals] or [NEVER]
    )
    of_deal = np.where(change[deal] <= occurred, last[deal], first[deal])
    return np.where(deal >= 0, of_deal, of_person)
