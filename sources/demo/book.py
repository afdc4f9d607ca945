"""What the writers of copies share: the log, the ids, and which record stands for whom in which tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sources.demo.ids import Ids
from sources.demo.presence import Presence
from sources.demo.rows import Log, Record
from sources.demo.truth_types import World


@dataclass(slots=True)
class Alias:
    """A duplicate record of a person in one tool: from when, until when (merged away), and its id."""

    source_id: str
    since: int
    until: int | None
    entity_person: int


@dataclass(slots=True)
class Book:
    """`difficulty`: (instance, object, source_id) → why this copy is hard to join, where it is.

    `programs`: (channel, first day, last day, record) of Marketo's programs.
    """

    world: World
    presence: Presence
    log: Log = field(default_factory=Log)
    ids: Ids = field(default_factory=Ids)
    users: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    fallback_user: dict[str, str] = field(default_factory=dict[str, str])
    products: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    campaigns: list[str] = field(default_factory=list[str])
    programs: list[tuple[str, int, int, Record]] = field(default_factory=list[tuple[str, int, int, Record]])
    accounts: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    people: dict[tuple[str, str, int], Record] = field(default_factory=dict[tuple[str, str, int], Record])
    moved: dict[int, Record] = field(default_factory=dict[int, Record])
    aliases: dict[tuple[str, int], Alias] = field(default_factory=dict[tuple[str, int], Alias])
    deals: list[str] = field(default_factory=list[str])
    conversions: dict[int, str] = field(default_factory=dict[int, str])
    difficulty: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])

    def record(
        self, table: str, instance: str, object_name: str, entity_id: str, created: int, fields: Mapping[str, Any]
    ) -> Record:
        source_id = self.ids.next(instance, object_name)
        return self.log.add(Record(table, instance, object_name, source_id, entity_id, created, **fields))

    def owner(self, instance: str, user: int) -> str | None:
        """The user's id in the tool, or that of the tool's first user for those who have no seat; None where nobody has one."""
        return self.users.get((instance, user)) or self.fallback_user.get(instance)

    def hard(self, record: Record, why: str) -> None:
        self.difficulty[(*record.head, record.source_id)] = why
