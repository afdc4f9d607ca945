"""Writes Marketo's programs and their members. A member's status follows from what the person did in the program.

Programs of the kinds that Marketo runs are synced with the Salesforce campaign of the same name and carry its id
(`sfdcId` of a program); the nurturing programs are Marketo's own. Costs stay in Salesforce.
"""

from __future__ import annotations

from collections.abc import Iterator

from sources.demo.book import Book
from sources.demo.hours import DAY, HOUR, START, add_months, date_of, day_of, month_end
from sources.demo.rows import Record
from sources.demo.touches import KINDS, TOOLS
from sources.demo.truth_types import Campaign, Touches

_TOOL = "marketo"
_SYNCED = {"Webinar", "Email", "Content", "Advertisement"}
# What a touch of this kind belongs to, and the member's status after it; a higher rank is never taken back.
_CHANNEL = {
    "form": "website", "email": "newsletter", "email_open": "newsletter", "email_click": "newsletter",
    "seminar": "seminar",
}  # fmt: skip
_STATUS = {
    "website": {"form": (1, "Downloaded")},
    "paid_search": {"form": (1, "Downloaded")},
    "newsletter": {"form": (0, "Subscribed"), "email": (1, "Sent"), "email_open": (2, "Opened"), "email_click": (3, "Clicked")},
    "seminar": {"form": (1, "Registered"), "seminar": (2, "Attended")},
}  # fmt: skip
_SUCCESS = {"Downloaded", "Clicked", "Attended"}


def write_programs(book: Book) -> None:
    """Ids follow the order of creation."""
    planned = [*_synced(book), *_nurturing()]
    for campaign, source_id in sorted(planned, key=lambda item: item[0].start):
        record = book.record(
            "campaign_versions", _TOOL, "programs", campaign.entity_id, (campaign.start - 12) * DAY + 5 * HOUR,
            {
                "name": campaign.name, "campaign_type": campaign.kind, "channel": campaign.channel, "status": "Planned",
                "start_date": campaign.start, "end_date": campaign.end, "crm_source_id": source_id,
            },
        )  # fmt: skip
        record.change(campaign.start * DAY + HOUR, status="In Progress")
        record.change((campaign.end + 6) * DAY, status="Completed")
        book.programs.append((campaign.channel, campaign.start, campaign.end, record))


def _synced(book: Book) -> Iterator[tuple[Campaign, str | None]]:
    for campaign, source_id in zip(book.world.campaigns, book.campaigns, strict=True):
        if campaign.kind in _SYNCED:
            yield campaign, source_id


def _nurturing() -> Iterator[tuple[Campaign, str | None]]:
    """One a fiscal half."""
    for number, months in enumerate(range(0, 44, 6)):
        first = add_months(day_of(START), months)
        half = f"{date_of(first).year}{'上期' if 4 <= date_of(first).month <= 9 else '下期'}"
        end = month_end(add_months(first, 5))
        name = f"{half} ナーチャリング"
        yield Campaign(f"program-{number:05d}", name, "Nurture", "newsletter", first, end, 0.0, None, None), None


class Programs:
    """Finds the program that a touch belongs to."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._running: dict[tuple[str, int], list[Record]] = {}

    def of(self, kind: str, person: int, at: int) -> tuple[str, Record] | None:
        """(channel, program): one that runs on the day; the form by which a person came belongs to what brought them."""
        channel, day = _CHANNEL.get(kind), day_of(at)
        if channel is None:
            return None
        found = self._book.world.people[person]
        if kind == "form" and found.campaign is not None and at - found.created < HOUR:
            channel = self._book.world.campaigns[found.campaign].channel
        running = self._running.get((channel, day))
        if running is None:
            running = [
                record for name, start, end, record in self._book.programs if name == channel and start <= day <= end
            ]
            self._running[channel, day] = running
        return (channel, running[person % len(running)]) if running else None


def write_members(book: Book, touches: Touches) -> None:
    """Members of programs by their touches there, in the order of time."""
    programs, tool = Programs(book), TOOLS.index(_TOOL)
    members: dict[tuple[str, int], tuple[int, Record]] = {}
    chosen = (touches.tool == tool).nonzero()[0]
    kinds = [KINDS[code] for code in touches.kind[chosen].tolist()]
    for person, kind, at in zip(touches.person[chosen].tolist(), kinds, touches.occurred[chosen].tolist(), strict=True):
        belongs = programs.of(kind, person, at)
        if belongs is None:
            continue
        channel, program = belongs
        rank, status = _STATUS[channel].get(kind, (0, "Member"))
        success = {"responded_at": at} if status in _SUCCESS else {}
        known = members.get((program.source_id, person))
        if known is None:
            members[program.source_id, person] = (rank, _member(book, program, person, kind, at, status, success))
        elif rank > known[0]:
            known[1].change(at, status=status, **success)
            members[program.source_id, person] = (rank, known[1])


def _member(
    book: Book, program: Record, person: int, kind: str, at: int, status: str, success: dict[str, int]
) -> Record:
    """Who attends has registered some time before, where Marketo knew the person by then."""
    lead = book.people[_TOOL, "leads", person]
    before = at - (1 + person % 9) * DAY
    registered = kind == "seminar" and before > max(lead.created, program.created)
    first = {"status": "Registered"} if registered else {"status": status, **success}
    record = Record(
        "campaign_member_versions", _TOOL, "program_members", f"{program.source_id}:{lead.source_id}",
        f"{book.world.people[person].entity_id}:{program.entity_id}", before if registered else at,
        campaign_source_id=program.source_id, person_object="leads", person_source_id=lead.source_id, **first,
    )  # fmt: skip
    if registered:
        record.change(at, status=status, **success)
    return book.log.add(record)
