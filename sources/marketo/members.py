"""Members of programs: exports for the first load, later those whose status the activities say has changed.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/program-members
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-program-member-extract
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import Csv, Field, Json, Pages, loads
from sources.marketo.columns import LEAD_TYPES, MEMBERS
from sources.marketo.exports import Exports, Job
from sources.marketo.leads import resumed, with_fields
from sources.marketo.rows import NULL, check_header, columns_of, tombstones
from sources.marketo.wire import LEAD_PAGE, NotFound, Wire
from sources.stream import Window

if TYPE_CHECKING:
    from sources.stream import Batch

PROGRAMS_A_JOB: Final = 10


class Members:
    """Program members of one subscription in one run."""

    def __init__(self, wire: Wire, exports: Exports) -> None:
        self._wire, self._exports = wire, exports

    @cached_property
    def _columns(self) -> dict[str, tuple[str, Any]]:
        answer = self._wire.get("/rest/v1/programs/members/describe.json").get("result") or []
        described: list[dict[str, Any]] = answer[0].get("fields") or [] if answer else []
        found = columns_of((str(one["name"]), LEAD_TYPES.get(str(one.get("dataType")), "text")) for one in described)
        return {column: (name, MEMBERS.get(column, kind)) for column, (name, kind) in found.items()}

    @cached_property
    def _fields(self) -> dict[str, Field]:
        return {column: Field((name,), kind) for column, (name, kind) in self._columns.items()}

    @cached_property
    def _json(self) -> Json:
        return Json(("result",), self._fields)

    @cached_property
    def _csv(self) -> Csv:
        return Csv(self._fields, null=NULL)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self._columns.values())

    def read(self, window: Window, programs: Sequence[str], changed: Mapping[tuple[str, str], str]) -> Iterator[Batch]:
        """All members of `programs` by exports, then the `changed` ones: (program, lead) -> when."""
        groups = [programs[at : at + PROGRAMS_A_JOB] for at in range(0, len(programs), PROGRAMS_A_JOB)]
        jobs = [Job("program/members", (), {"programIds": [int(one) for one in group]}) for group in groups]
        yield from resumed(window, jobs, self._export, self._exports)
        leads: dict[str, list[str]] = {}
        for program, lead in changed:
            leads.setdefault(program, []).append(lead)
        for program, ids in leads.items():
            yield from self._of_program(program, ids, changed)

    def _export(self, jobs: Sequence[Job]) -> Iterator[Batch]:
        # an export of several programs has the column programId by itself, before the fields
        names = tuple(name for name in self._names if name != "programId")
        for _, piece in self._exports.run(with_fields(jobs, names)):
            check_header(piece, self._names)
            yield Pages([piece], self._csv)

    def _of_program(
        self, program: str, leads: Sequence[str], changed: Mapping[tuple[str, str], str]
    ) -> Iterator[Batch]:
        """The members as they are now; who is none any more gets a tombstone."""
        gone = set(leads)
        asked = {"filterType": "leadId", "fields": ",".join(self._names)}
        try:
            for at in range(0, len(leads), LEAD_PAGE):
                params = {**asked, "filterValues": ",".join(leads[at : at + LEAD_PAGE])}
                for body in self._wire.lead_pages(f"/rest/v1/programs/{program}/members.json", params, long=True):
                    gone -= {str(row["leadId"]) for row in loads(body)["result"]}
                    yield Pages([body], self._json)
        except NotFound:
            pass  # the program is gone, and its members with it
        yield tombstones(("program_id", "lead_id"), {(program, one): changed[program, one] for one in sorted(gone)})
