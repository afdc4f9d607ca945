"""Marketo's connection: for each stream of the vendor's table, what is asked and how its rows are made.

Requests are in `wire.py`, exports in `exports.py`, leads in `leads.py`, shapes in `rows.py`. No dlt in here.
Retention: Delete Lead activities are kept for 14 days, changes of values and visits for 90 days, others for 25 months (37 as an
option): https://nation.marketo.com/docs/DOC-5765
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sources.errors import ConfigurationError
from sources.marketo.assets import Programs, StaticLists
from sources.marketo.columns import (
    DELETED_LEADS,
    FIRST_CUSTOM,
    LIST_MEMBERS,
    OTHERS,
    TOUCHES,
    WATCHED,
    WHOLE,
)
from sources.marketo.exports import POLL_SECONDS, Exports, Job, between, spans
from sources.marketo.leads import BULK_FROM, Leads, goes_on, resumed
from sources.marketo.members import Members
from sources.marketo.rows import Row, Watched, activity_table, exported_activities, json_text, tables, tombstones
from sources.marketo.wire import Wire
from sources.stream import Clock, Connection, GoesOnBy, Rejected, Stream, Window

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.config import Config
    from sources.stream import Batch

TYPES_A_CALL: Final = 10
DELETES_KEPT: Final = timedelta(days=14)
LONGEST_KEPT: Final = timedelta(days=37 * 31)


def connect(config: Config, clock: Clock) -> Connection:
    """A signed-in reader of one subscription."""
    return Marketo(config, Wire(config), clock)


class Marketo(Connection):
    """One run's reader."""

    def __init__(self, config: Config, wire: Wire, clock: Clock) -> None:
        self._wire, self._clock = wire, clock
        self._since = _day(config, "since")
        exports = Exports(wire, float(config.get("poll_seconds") or POLL_SECONDS))
        self._exports = exports
        wanted = [name.strip() for name in (config.get("lead_fields") or "").split(",") if name.strip()]
        self._leads = Leads(wire, exports, self._since, wanted)
        self._members = Members(wire, exports)
        self._programs = Programs(wire)
        self._lists = StaticLists(wire)
        self._seen: dict[tuple[datetime | None, datetime], Watched] = {}
        self._deleted: dict[tuple[datetime | None, datetime], list[Row]] = {}

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent so far."""
        return self._wire.requests

    def limits(self) -> Mapping[str, str]:
        """https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage"""
        days = self._wire.get("/rest/v1/stats/usage.json").get("result") or []
        used = {"API calls today, of all services": f"{int(days[0]['total']):,} used"} if days else {}
        return {**used, "calls": self._wire.pace.in_words()}

    def close(self) -> None:
        """Frees the session."""
        self._wire.close()

    def pages(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """The stream's rows of the window."""
        if stream.name == "leads":
            yield from self._lost_deletions(stream, window)
            yield from self._leads.read(window, lambda: list(self._watched(window).leads))
        elif stream.name == "activities":
            yield from self._activities(window)
        elif stream.name == "deleted_leads":
            yield from tables(self._deletions(window), DELETED_LEADS)
        elif stream.name == "programs":
            yield from self._programs.read(window)
        elif stream.name == "program_members":
            first = window.start is None
            programs = self._programs.ids() if first else ()
            yield from self._members.read(window, programs, {} if first else self._watched(window).members)
        elif stream.name == "static_list_members":
            yield from self._list_members(stream, window)
        else:
            rows = {"lead_fields": self._lead_fields, "activity_types": self._types, "static_lists": self._lists.rows}
            yield from tables(rows[stream.name](), WHOLE[stream.name][1])
        window.memory.pop("of", None)  # the window was read to its end

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:
        """What exports give is cut behind a file; pages of activities, lists and programs come in one piece: their paging
        tokens are of no stated life
        (https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens)."""
        if stream.name == "program_members":
            return goes_on(window, by_exports=window.start is None)
        if stream.name not in ("leads", "activities"):
            return "nothing"
        start = window.start or self._since
        return goes_on(window, by_exports=window.start is None or window.end - start > BULK_FROM)

    def deleted(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
        """Tombstones of leads: deleted ones, and those merged into another, which the feed of deletions does not have."""
        if stream.name != "leads" or window.start is None:
            return
        gone = {str(row["lead_id"]): str(row["activity_date"]) for row in self._deletions(window)}
        gone |= self._watched(window).merged
        yield tombstones(("id",), {(one,): at for one, at in gone.items()}).drop_columns(["_deleted"])

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """Ids of the programs or lists that are there; nothing tells of deleted ones."""
        import pyarrow as pa

        found = self._programs.ids() if stream.name == "programs" else self._lists.ids()
        yield pa.table({"id": pa.array(found, pa.string())})

    # activities --------------------------------------------------------------------------------------------------
    @cached_property
    def _known_types(self) -> list[Row]:
        return self._wire.get("/rest/v1/activities/types.json").get("result") or []

    @cached_property
    def _groups(self) -> list[tuple[int, ...]]:
        """The types that are read, at most ten together; those that other streams follow are the first group."""
        there = {int(one["id"]) for one in self._known_types}
        rest = [*TOUCHES, *OTHERS, *sorted(one for one in there if one >= FIRST_CUSTOM)]
        chosen = [one for one in rest if one in there]
        groups = [tuple(one for one in WATCHED if one in there)]
        groups += [tuple(chosen[at : at + TYPES_A_CALL]) for at in range(0, len(chosen), TYPES_A_CALL)]
        return [group for group in groups if group]

    def _activities(self, window: Window) -> Iterator[Batch]:
        watched, is_begun = Watched(), window.memory.get("of") == window.in_words()
        start = window.start or max(self._since, window.end - LONGEST_KEPT)
        jobs: list[Job] = []
        if window.end - start > BULK_FROM:
            kinds = [one for group in self._groups for one in group]
            jobs = [
                Job("activities", (), {"createdAt": between(*one), "activityTypeIds": kinds})
                for one in spans(start, window.end)
            ]

        def export(asked: Sequence[Job]) -> Iterator[Batch]:
            for _, piece in self._exports.run(asked):
                yield activity_table(exported_activities(piece), watched)

        yield from resumed(window, jobs, export, self._exports)
        if not jobs:
            for rows in self._pages_of(start, self._groups):
                yield activity_table(rows, watched)
        if "left" not in window.memory and not is_begun:
            self._seen[window.start, window.end] = watched

    def _pages_of(self, start: datetime, groups: Sequence[tuple[int, ...]]) -> Iterator[list[Row]]:
        token = self._wire.paging_token(start) if groups else ""
        for group in groups:
            asked = {"activityTypeIds": ",".join(map(str, group))}
            yield from self._wire.activity_pages("/rest/v1/activities.json", token, asked)

    def _watched(self, window: Window) -> Watched:
        """What the activities of the window say of leads, members and lists: from those of this run, else asked for."""
        key = (window.start, window.end)
        if key not in self._seen:
            watched = Watched()
            for rows in self._pages_of(window.start or self._since, self._groups[:1]):
                activity_table(rows, watched)
            self._seen[key] = watched
        return self._seen[key]

    # leads that are gone -----------------------------------------------------------------------------------------
    def _deletions(self, window: Window) -> list[Row]:
        key = (window.start, window.end)
        if key not in self._deleted:
            token = self._wire.paging_token(window.start or self._since)
            self._deleted[key] = [
                {
                    "marketo_guid": str(row.get("marketoGUID") or row.get("id")),
                    "lead_id": str(row["leadId"]),
                    "activity_date": row["activityDate"],
                    "primary_attribute_value": row.get("primaryAttributeValue"),
                }
                for rows in self._wire.activity_pages("/rest/v1/activities/deletedleads.json", token, {})
                for row in rows
            ]
        return self._deleted[key]

    def _lost_deletions(self, stream: Stream, window: Window) -> Iterator[Rejected]:
        """Deletions are kept for 14 days: a longer pause between runs loses some, and that is said."""
        if window.start is None or window.backfill:
            return
        if window.start + stream.lookback < self._clock() - DELETES_KEPT:
            yield Rejected(
                f"Leads were last read on {window.start + stream.lookback:%Y-%m-%d}; Marketo keeps deletions for 14 days, so"
                " leads deleted before that are unknown and stay."
            )

    # small things ------------------------------------------------------------------------------------------------
    def _lead_fields(self) -> Iterator[Row]:
        for one in self._leads.described:
            rest: Mapping[str, Any] = one.get("rest") or {}
            yield {
                "id": str(one["id"]),
                "name": rest.get("name"),
                "display_name": one.get("displayName"),
                "data_type": one.get("dataType"),
                "length": one.get("length"),
                "read_only": rest.get("readOnly"),
            }

    def _types(self) -> Iterator[Row]:
        for one in self._known_types:
            yield {
                "id": str(one["id"]),
                "name": one.get("name"),
                "description": one.get("description"),
                "primary_attribute": json_text(one.get("primaryAttribute")),
                "attributes": json_text(one.get("attributes")),
            }

    def _list_members(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """All members at first; later what was added and removed."""
        if window.start is None:
            yield from tables(self._lists.members(), LIST_MEMBERS)
            return
        listed = sorted(self._watched(window).listed, key=lambda one: one[2])  # exports may come in any order
        last = {(one, lead): (at, added) for one, lead, at, added in listed}
        added = ({"list_id": k[0], "lead_id": k[1], "added_at": at} for k, (at, there) in last.items() if there)
        yield from tables(added, LIST_MEMBERS)
        yield tombstones(stream.key, {k: at for k, (at, there) in last.items() if not there})


def _day(config: Config, name: str) -> datetime:
    """A setting that is a day or an instant."""
    text = config[name]
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ConfigurationError(
            f"{config.instance}: {name} is {text!r}. Set {config.setting(name)} to a day such as 2015-04-01."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
