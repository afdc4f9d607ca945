"""The leads of a window: exports for the first load and long windows, else those that the activities say have changed.

Leads cannot be asked for by their time of change: an export by `updatedAt` is not in every subscription (1035), and Get Leads
takes ids. https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract and
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
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

    from sources.stream import Batch, DataType, GoesOnBy

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
            yield from resumed(window, self._jobs("createdAt", self._since, window.end), self._export, self._exports)
            return
        yield from resumed(window, [], self._export, self._exports)
        if window.end - window.start > BULK_FROM:
            try:
                yield from resumed(
                    window, self._jobs("updatedAt", window.start, window.end), self._export, self._exports
                )
                return
            except FilterUnsupported:
                if window.end - window.start > CHANGES_KEPT:  # the activities that would name them are gone
                    yield from resumed(
                        window, self._jobs("createdAt", self._since, window.end), self._export, self._exports
                    )
                    return
        yield from self._by_id(changed())

    def _jobs(self, filter_name: str, start: datetime, end: datetime) -> list[Job]:
        return [Job("leads", self.names, {filter_name: between(*one)}) for one in spans(start, end)]

    def _export(self, jobs: Sequence[Job]) -> Iterator[Batch]:
        for _, piece in self._exports.run(with_fields(jobs, self.names)):
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


def goes_on(window: Window, *, by_exports: bool) -> GoesOnBy:
    """Windows that are read by exports may be cut: see `resumed`."""
    return "memory" if by_exports or "left" in window.memory else "nothing"


def resumed(
    window: Window, jobs: Sequence[Job], export: Callable[[Sequence[Job]], Iterator[Batch]], exports: Exports
) -> Iterator[Batch]:
    """What is left of earlier runs, then these jobs, unless an earlier part of the window has begun them.

    What is not read yet is remembered with each batch, so that a window that is cut goes on with the next job, and with the
    exports that are in Marketo's queue. What a used-up quota leaves is remembered for the next window, and said in a row: a
    first load that is larger than a day's quota goes on in the next run.
    """
    memory = window.memory
    left = [
        Job(one["kind"], tuple(one["fields"]), one["filter"], one.get("export", "")) for one in memory.get("left", ())
    ]
    if memory.get("of") == window.in_words():
        jobs = ()

    def note() -> None:
        memory["left"] = _noted(exports.left)
        if jobs:
            memory["of"] = window.in_words()

    if not left and not jobs:
        return
    try:
        for batch in export([*left, *jobs]):
            if isinstance(batch, Pages):  # they wait for more of them: see `GoesOnBy`
                yield batch
                note()
            else:
                note()
                yield batch
    except Stopped as stopped:
        if window.backfill:
            raise stopped.cause from None
        memory["left"] = _noted(stopped.left)
        yield Rejected(
            f"{len(stopped.left)} of {len(left) + len(jobs)} exports are left for the next run, because the quota is used up:"
            f" {stopped.cause}"
        )
    else:
        memory.pop("left", None)


def _noted(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [{"kind": job.kind, "fields": list(job.fields), "filter": job.filter, "export": job.export} for job in jobs]


def with_fields(jobs: Sequence[Job], names: tuple[str, ...]) -> list[Job]:
    """The jobs with the fields of today; an export that was made with others is made again."""
    return [replace(job, fields=names, export=job.export if job.fields == names else "") for job in jobs]
