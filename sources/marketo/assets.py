"""Programs and static lists: what is browsed in pages of assets or lists, and what needs a call of its own.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/programs
https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership
This file must not know exports or activities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sources.arrow import loads
from sources.marketo.columns import PROGRAMS
from sources.marketo.rows import Row, asset_instant, json_text, tables
from sources.marketo.wire import NotFound, Wire, instant
from sources.stream import Window

if TYPE_CHECKING:
    from sources.stream import Batch


class Programs:
    """The programs of one subscription in one run."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._listed: list[str] | None = None

    def read(self, window: Window) -> Iterator[Batch]:
        """Programs that were made or changed in the window. Costs and tags come only when one is asked for by its id."""
        asked: dict[str, str] = {}
        if window.start is not None:
            asked = {"earliestUpdatedAt": instant(window.start), "latestUpdatedAt": instant(window.end)}
        found = [str(row["id"]) for rows in self._wire.assets("/rest/asset/v1/programs.json", asked) for row in rows]
        if window.start is None:
            self._listed = found
        yield from tables((row for one in found for row in self._one(one)), PROGRAMS)

    def ids(self) -> list[str]:
        """Ids of all programs."""
        if self._listed is None:
            pages = self._wire.assets("/rest/asset/v1/programs.json")
            self._listed = [str(row["id"]) for rows in pages for row in rows]
        return self._listed

    def _one(self, program: str) -> Iterator[Row]:
        try:
            answer = self._wire.get(f"/rest/asset/v1/program/{program}.json")
        except NotFound:
            return  # deleted since it was listed
        for row in answer.get("result") or []:
            yield _program(row)


def _program(row: Mapping[str, Any]) -> Row:
    folder: Mapping[str, Any] = row.get("folder") or {}
    plain = ("name", "description", "type", "channel", "status", "workspace", "url")
    return {
        "id": str(row["id"]),
        **{name: row.get(name) for name in plain},
        "folder_id": str(folder["value"]) if folder.get("value") is not None else None,
        "folder_type": folder.get("type"),
        "folder_name": folder.get("folderName"),
        "start_date": asset_instant(row.get("startDate")),
        "end_date": asset_instant(row.get("endDate")),
        "sfdc_id": row.get("sfdcId"),
        "sfdc_name": row.get("sfdcName"),
        "costs": json_text(row.get("costs")),
        "tags": json_text(row.get("tags")),
        "created_at": asset_instant(row.get("createdAt")),
        "updated_at": asset_instant(row.get("updatedAt")),
    }


class StaticLists:
    """The static lists of one subscription in one run."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._read: list[Row] | None = None

    def rows(self) -> Iterator[Row]:
        """All lists."""
        for row in self._all():
            plain = ("name", "description", "programName", "workspaceName", "createdAt", "updatedAt")
            names = ("name", "description", "program_name", "workspace_name", "created_at", "updated_at")
            yield {"id": str(row["id"]), **{column: row.get(one) for one, column in zip(plain, names, strict=True)}}

    def ids(self) -> list[str]:
        """Ids of all lists."""
        return [str(row["id"]) for row in self._all()]

    def members(self) -> Iterator[Row]:
        """Every member of every list; since when it is one, the vendor tells only in its activities."""
        for one in self.ids():
            for body in self._wire.lead_pages(f"/rest/v1/lists/{one}/leads.json", {"fields": "id"}):
                for row in loads(body)["result"]:
                    yield {"list_id": one, "lead_id": str(row["id"]), "added_at": None}

    def _all(self) -> list[Row]:
        if self._read is None:
            pages = self._wire.lead_pages("/rest/v1/lists.json", {})
            self._read = [row for body in pages for row in loads(body)["result"]]
        return self._read
