"""What is true in the demo company, apart from any tool: types only. Instants are epoch seconds, days epoch days (Japan)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sources.demo.names import CompanyName, PersonName

Ints = NDArray[np.int64]


@dataclass(slots=True)
class User:
    """`moves`: (instant, team, department)."""

    entity_id: str
    name: PersonName
    email: str
    division: str
    role: str  # head, manager, rep, inside, marketer
    team: str
    department: str
    title: str
    manager: int | None
    skill: float
    joined: int
    left: int | None = None
    moves: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])


@dataclass(slots=True)
class Account:
    index: int
    entity_id: str
    name: CompanyName
    display: str  # the full name with its branch
    branch: str
    division: str
    country: str
    industry: str
    employees: int
    domain: str | None
    corporate_number: str | None
    region: str
    city: str
    postal_code: str
    street: str
    phone: str
    created: int
    owner: int
    parent: int | None = None
    renamed: tuple[int, CompanyName] | None = None  # from then on it is called `name`; before, this name
    shared_mail: bool = False
    junk: bool = False
    people: list[int] = field(default_factory=list[int])


@dataclass(slots=True)
class Person:
    index: int
    entity_id: str
    name: PersonName
    account: int
    email: str
    private_mail: str
    phone: str
    mobile: str
    title: int
    department: int
    source: str
    campaign: int | None
    created: int
    owner: int
    engaged: int | None = None
    mql: int | None = None
    sql: int | None = None
    disqualified: int | None = None
    email_opt_out: int | None = None
    call_opt_out: bool = False
    moved: tuple[int, int, str] | None = None  # instant, new account, new e-mail
    extra_account: int | None = None
    junk: bool = False
    customer: int | None = None


@dataclass(slots=True)
class Line:
    product: int
    quantity: int
    unit_price: float
    amount: float
    start: int
    end: int
    is_recurring: bool
    added: int
    final: tuple[int, int] | None = None  # service days as of the win; `start` and `end` are those first quoted
    changes: list[tuple[int, dict[str, Any]]] = field(default_factory=list[tuple[int, dict[str, Any]]])


@dataclass(slots=True)
class Deal:
    """`events`: (instant, what changed), the first has every field; instants strictly increase."""

    index: int
    entity_id: str
    account: int
    people: list[tuple[int, str]]
    division: str
    deal_type: str
    pipeline: str
    name: str
    lead_source: str
    campaign: int | None
    created: int
    from_conversion: bool
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list[tuple[int, dict[str, Any]]])
    lines: list[Line] = field(default_factory=list[Line])
    splits: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    closed: int | None = None
    is_won: bool = False
    amount: float = 0.0
    owner: int = 0
    deleted: int | None = None
    family: str = ""


@dataclass(slots=True)
class Product:
    code: str
    name: str
    family: str
    price: float
    is_recurring: bool
    margin: float


@dataclass(slots=True)
class Campaign:
    entity_id: str
    name: str
    kind: str
    channel: str
    start: int
    end: int
    budget: float
    parent: int | None
    source: str | None


@dataclass(slots=True)
class Touches:
    """Columns of equal length; -1 stands for none."""

    person: Ints
    account: Ints
    deal: Ints
    owner: Ints
    occurred: Ints
    recorded: Ints
    kind: Ints  # places in `touches.KINDS`
    inbound: NDArray[np.bool_]
    deleted: Ints
    tool: Ints  # places in `touches.TOOLS`


@dataclass(slots=True)
class World:
    seed: int
    scale: str
    users: list[User]
    products: list[Product]
    campaigns: list[Campaign]
    accounts: list[Account]
    people: list[Person]
    deals: list[Deal] = field(default_factory=list[Deal])
