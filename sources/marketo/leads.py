"""The leads of a window: exports for the first load and long windows, else those that the activities say have changed.

Leads cannot be asked for by their time of change: an export by `updatedAt` is not in every subscription (1035), and Get Leads
takes ids. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract and
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import Csv, Field, Json, Pages
from sources.errors import BadAnswer
from sources.marketo.columns import LEAD_TYPES
from sources.marketo.exports import Exports, Job, Stopped, between, spans
from sources.marketo.rows import NULL, check_header, columns_of
from sources.marketo.wire import LEAD_PAGE, FilterUnsupported, Wire
from sources.stream import Rejected, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from sources.stream import Batch, DataType

BULK_FROM: Final = timedelta(days=7)
"""A longer window is read by exports: they cost five calls a month of data, pages one call per 300 rows."""
CHANGES_KEPT: Final = timedelta(days=89)
"""Change Data Value and Change Score are kept for 90 days: https://nation.marketo.com/docs/DOC-5765"""

NOT_EXPORTED: Final = ("formula",)
"""https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/fields/field-types"""


class Leads:
    """The leads of one subscription in one run."""

    def __init__(self, wire: Wire, exports: Exports, since: datetime, wanted: Sequence[str] = ()) -> None:
        """`wanted`: REST names of the fields to read; none = all."""
        self._wire, self._exports, self._since, self._wanted = wire, exports, since, set(wanted)

    @cached_property
    def described(self) -> list[dict[str, Any]]:
        """Describe Lead: all fields of the subscription."""
        return self._wire.get("/rest/v1/leads/describe.json").get("result") or []

    @cached_property
    def names(self) -> tuple[str, ...]:
        """REST names of the fields that are read, `id` first."""
        return tuple(name for name, _ in self._columns.values())

    @cached_property
    def _columns(self) -> dict[str, tuple[str, Any]]:
        readable = [one for one in self.described if one.get("rest") and one.get("dataType") not in NOT_EXPORTED]
        named = [(one["rest"]["name"], one.get("dataType")) for one in readable]
        always = {"id", "createdAt", "updatedAt"}
        kept: list[tuple[str, DataType]] = [
            (str(name), LEAD_TYPES.get(str(kind), "text"))
            for name, kind in sorted(named, key=lambda one: one[0] != "id")
            if not self._wanted or name in self._wanted or name in always
        ]
        missing = always - {name for name, _ in kept}
        if missing:
            raise BadAnswer(f"{self._wire.instance}: Describe Lead shows no {' and no '.join(sorted(missing))}.")
        return columns_of([(name, "text" if name == "id" else kind) for name, kind in kept])

    @cached_property
    def _fields(self) -> dict[str, Field]:
        return {column: Field((name,), kind) for column, (name, kind) in self._columns.items()}

    @cached_property
    def _json(self) -> Json:
        return Json(("result",), self._fields)

    @cached_property
    def _csv(self) -> Csv:
        return Csv(self._fields, null=NULL)

    def read(self, window: Window, changed: Callable[[], Sequence[str]]) -> Iterator[Batch]:
        """The leads of the window; `changed` gives the ids that activities name, asked for only where they are needed."""
        if window.start is None:
            yield from resumed(window, self._jobs("createdAt", self._since, window.end), self._export)
            return
        yield from resumed(window, [], self._export)
        if window.end - window.start > BULK_FROM:
            try:
                yield from resumed(window, self._jobs("updatedAt", window.start, window.end), self._export)
                return
            except FilterUnsupported:
                if window.end - window.start > CHANGES_KEPT:  # the activities that would name them are gone
                    yield from resumed(window, self._jobs("createdAt", self._since, window.end), self._export)
                    return
        yield from self._by_id(changed())

    def _jobs(self, filter_name: str, start: datetime, end: datetime) -> list[Job]:
        return [Job("leads", self.names, {filter_name: between(*one)}) for one in spans(start, end)]

    def _export(self, jobs: Sequence[Job]) -> Iterator[Batch]:
        # what is left of an earlier day is asked for with the fields of today
        asked = [Job(job.kind, self.names, job.filter) for job in jobs]
        for _, piece in self._exports.run(asked):
            check_header(piece, self.names)
            yield Pages([piece], self._csv)

    def _by_id(self, ids: Sequence[str]) -> Iterator[Batch]:
        """300 ids a call; those of leads that are gone are silently not in the answer."""
        for start in range(0, len(ids), LEAD_PAGE):
            asked = {
                "filterType": "id",
                "filterValues": ",".join(ids[start : start + LEAD_PAGE]),
                "fields": ",".join(self.names),
            }
            for body in self._wire.lead_pages("/rest/v1/leads.json", asked, long=True):
                yield Pages([body], self._json)


def resumed(window: Window, jobs: Sequence[Job], export: Callable[[Sequence[Job]], Iterator[Batch]]) -> Iterator[Batch]:
    """What is left of earlier runs, then these jobs. What a used-up quota leaves is remembered, and said in a row.

    So a first load that is larger than a day's quota goes on in the next run; nothing of it is read twice.
    """
    left = [Job(one["kind"], tuple(one["fields"]), one["filter"]) for one in window.memory.get("left", ())]
    window.memory.pop("left", None)
    if not left and not jobs:
        return
    try:
        yield from export([*left, *jobs])
    except Stopped as stopped:
        if window.backfill:
            raise stopped.cause from None
        window.memory["left"] = [
            {"kind": job.kind, "fields": list(job.fields), "filter": job.filter} for job in stopped.left
        ]
        yield Rejected(
            f"{len(stopped.left)} of {len(left) + len(jobs)} exports are left for the next run, because the quota is used up:"
            f" {stopped.cause}"
        )
