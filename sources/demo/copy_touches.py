"""Writes activities into the tools: each touch once, with what happens to it later, and tasks and notes beside them.

Most activities never change and are written as columns; those that are planned first, follow a converted lead or a merged
duplicate, or are deleted, are written as records with versions. Decides nothing about the truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sources.demo import distributions as d
from sources.demo.book import Book
from sources.demo.copy_programs import Programs
from sources.demo.hours import DAY, HOUR
from sources.demo.presence_later import deal_tool
from sources.demo.touches import KINDS, NEVER, TOOLS
from sources.demo.truth_types import Touches

_OBJECT = {
    "salesforce": {"call": "Task", "email": "Task", "task": "Task", "meeting": "Event", "visit": "Event"},
    "hubspot": {
        "call": "calls", "email": "emails", "meeting": "meetings", "note": "notes", "task": "tasks", "form": "forms",
    },
}  # fmt: skip
_OBJECT["hubspot_emea"] = _OBJECT["hubspot"]
_ONE_OBJECT = {"esales": "activity", "marketo": "activities", "kintone": "activities"}  # whatever the kind
_SUBJECTS = {
    "call": ("状況確認の電話", "Follow-up call", "日程調整", "見積の確認"),
    "email": ("資料送付", "Re: お見積りの件", "Thank you for your time", "セミナーのご案内"),
    "meeting": ("オンライン打合せ", "Product demo", "要件定義", "Quarterly review"),
    "visit": ("訪問 定例", "工場見学", "訪問 提案", "役員訪問"),
    "form": ("資料請求", "お問い合わせ", "Webinar registration", "メルマガ登録"),
    "task": ("提案書を送る", "Call back", "見積作成", "議事録の共有"),
    "web_visit": ("/products/", "/pricing/", "/cases/factory/", "/webinar/"),
    "email_open": ("Hikari News", "導入事例のご紹介", "Webinar invitation", "新機能のお知らせ"),
    "email_click": ("Hikari News", "導入事例のご紹介", "Webinar invitation", "新機能のお知らせ"),
    "seminar": ("製造DXセミナー", "Product webinar", "IoT活用セミナー", "需要予測ウェビナー"),
    "note": ("社内メモ", "競合の情報", "Next step", "予算の時期"),
}
_SLICE = 500_000
_FORMS = ("資料請求フォーム", "お問い合わせフォーム", "Webinar registration", "メルマガ登録フォーム")


def write_touches(book: Book, touches: Touches) -> None:
    """Writes all, in slices that bound the memory."""
    gen = np.random.default_rng([book.world.seed, 6])
    size = len(touches.person)
    side = size
    for start in range(0, size, _SLICE):
        writer = _Writer(gen, book, touches, start, min(size, start + _SLICE))
        for index in range(writer.size):
            writer.write(index)
        side = _side_work(gen, writer, side)
        writer.finish()


class _Writer:
    """Turns touches into rows; plain Python per touch, columns at the end."""

    def __init__(self, gen: np.random.Generator, book: Book, touches: Touches, start: int, end: int) -> None:
        self.book, self.start, self.size = book, start, end - start
        names = ("person", "account", "deal", "owner", "occurred", "recorded", "deleted", "inbound")
        self.columns = {name: getattr(touches, name)[start:end].tolist() for name in names}
        self.columns["kind"] = [KINDS[code] for code in touches.kind[start:end].tolist()]
        self.columns["tool"] = [TOOLS[code] for code in touches.tool[start:end].tolist()]
        self.choice = gen.integers(0, 4, size=self.size).tolist()
        self.lucky = gen.random(self.size).tolist()
        self.minutes = gen.gamma(4.0, 0.25, size=self.size).tolist()
        self.rows: dict[str, list[Any]] = {}
        self.programs = Programs(book)

    def person(self, index: int, tool: str, person: int, at: int) -> tuple[str, str, list[tuple[int, str, str]]]:
        """The record the activity hangs on when it is noted, and where it goes later: (object, id, [(at, object, id)])."""
        people = self.book.people
        if tool == "salesforce":
            moved = self.book.moved.get(person)
            if moved is not None and moved.created <= at:
                return "Contact", moved.source_id, []
            lead, contact = people.get((tool, "Lead", person)), people.get((tool, "Contact", person))
            if lead is not None and (contact is None or contact.created > at):
                later = [] if contact is None else [(contact.created + 2, "Contact", contact.source_id)]
                return "Lead", lead.source_id, later
        kind = {"salesforce": "Contact", "esales": "businesscard", "marketo": "leads"}.get(tool, "contacts")
        record = people[tool, kind, person]
        alias = self.book.aliases.get((tool, person))
        if alias is not None and self.lucky[index] < 0.5 and alias.since < at and (alias.until or NEVER) > at:
            later = [] if alias.until is None or tool == "marketo" else [(alias.until + 1, kind, record.source_id)]
            return kind, alias.source_id, later
        return kind, record.source_id, []

    def fields(self, index: int) -> tuple[dict[str, Any], list[tuple[int, dict[str, Any]]]]:
        get = {name: values[index] for name, values in self.columns.items()}
        tool, kind, at, occurred = get["tool"], get["kind"], get["recorded"], get["occurred"]
        object_name, source_id, moves = self.person(index, tool, get["person"], at)
        account = self.account(tool, get["account"], at) if object_name != "Lead" else None
        planned = at < occurred
        program = self.programs.of(kind, get["person"], occurred) if tool == "marketo" else None
        lucky = self.lucky[index]
        fields: dict[str, Any] = {
            "kind": kind,
            "occurred_at": occurred,
            "direction": "inbound" if get["inbound"] else "outbound",
            "subject": _SUBJECTS[kind][self.choice[index]],
            "person_object": object_name,
            "person_source_id": source_id,
            "account_source_id": account,
            "deal_source_id": self.deal(tool, get["deal"], at),
            "owner_source_id": None if kind == "form" else self.book.owner(tool, get["owner"]),
            "minutes": None,
            "outcome": None,
            "status": "Planned" if planned else "Completed",
            "campaign_source_id": None if program is None else program[1].source_id,
            "form_name": _FORMS[self.choice[index]] if kind == "form" else None,
        }
        done: dict[str, Any] = {"status": "Completed"}
        if kind in d.MINUTES:
            done["minutes"] = float(max(1, round(d.MINUTES[kind] * self.minutes[index])))
            done["outcome"] = _outcome(kind, lucky)
        changes: list[tuple[int, dict[str, Any]]] = []
        if planned:
            changes.append((occurred + 2 * HOUR, done))
        else:
            fields |= done
        for due, kind_of, to in moves:
            to_account = self.account(tool, get["account"], due)
            changes.append(
                (max(due, at + 1), {"person_object": kind_of, "person_source_id": to, "account_source_id": to_account})
            )
        if get["deleted"] < NEVER:
            changes.append((get["deleted"], {"is_deleted": True}))
        return fields, changes

    def account(self, tool: str, account: int, at: int) -> str | None:
        since = self.book.presence.accounts[account].since.get(tool) if account >= 0 else None
        return self.book.accounts[tool, account] if since is not None and since <= at else None

    def deal(self, tool: str, deal: int, at: int) -> str | None:
        if deal < 0:
            return None
        real = self.book.world.deals[deal]
        return self.book.deals[deal] if deal_tool(real) == tool and real.created <= at else None

    def write(self, index: int) -> None:
        fields, changes = self.fields(index)
        tool, at = self.columns["tool"][index], self.columns["recorded"][index]
        object_name = _ONE_OBJECT.get(tool) or _OBJECT[tool][fields["kind"]]
        self.put(tool, object_name, f"activity-{self.start + index:08d}", at, fields, changes)

    def put(
        self,
        tool: str,
        object_name: str,
        entity: str,
        at: int,
        fields: dict[str, Any],
        changes: list[tuple[int, dict[str, Any]]],
    ) -> None:
        if changes:
            record = self.book.record("activity_versions", tool, object_name, entity, at, fields)
            record.changes.extend(changes)
            self.book.log.settle("activity_versions", over=100_000)
            return
        head = {
            "instance": tool, "object": object_name, "source_id": self.book.ids.next(tool, object_name),
            "entity_id": entity, "at": at, "created_at": at, "is_deleted": False,
        }  # fmt: skip
        rows = self.rows
        if not rows:
            rows.update({name: [] for name in (*head, *fields)})
        for name, value in (*head.items(), *fields.items()):
            rows[name].append(value)
        if len(rows["at"]) >= 100_000:
            self.finish()

    def finish(self) -> None:
        if self.rows:
            self.book.log.add_columns("activity_versions", self.rows, len(self.rows["at"]))
        self.rows = {}


def _outcome(kind: str, lucky: float) -> str:
    if kind == "call":
        return "Connected" if lucky < 0.55 else "No Answer" if lucky < 0.85 else "Left Message"
    return "Completed" if lucky < 0.93 else "No Show"


def _side_work(gen: np.random.Generator, writer: _Writer, number: int) -> int:
    """Tasks that are due later and get done, and notes; they are no touches. Gives the next activity's number."""
    book, size = writer.book, writer.size
    chosen = np.sort(gen.choice(size, size=int(size * (d.TASK_PER_TOUCH + d.NOTE_PER_TOUCH)), replace=False)).tolist()
    for place, index in enumerate(chosen):
        tool = writer.columns["tool"][index]
        kind = "note" if place % 7 < 3 and tool.startswith("hubspot") else "task"
        if tool in _ONE_OBJECT or (kind == "note" and tool == "salesforce"):
            continue
        fields, moves = writer.fields(index)
        at = writer.columns["recorded"][index] + 600
        moves = [(due, change) for due, change in moves if "person_object" in change and due > at]
        stale = [change for due, change in writer.fields(index)[1] if "person_object" in change and due <= at]
        for change in stale:
            fields |= change
        due = at + int(gen.integers(1, 20)) * DAY
        fields |= {
            "kind": kind, "subject": _SUBJECTS[kind][place % 4], "direction": "internal", "minutes": None,
            "outcome": None, "form_name": None, "occurred_at": due if kind == "task" else at,
            "status": "Not Started" if kind == "task" else "Completed",
            "owner_source_id": book.owner(tool, writer.columns["owner"][index]),
        }  # fmt: skip
        if kind == "task" and place % 5:
            moves.append((due + HOUR, {"status": "Completed"}))
        writer.put(tool, _OBJECT[tool][kind], f"activity-{number:08d}", at, fields, moves)
        number += 1
    return number
