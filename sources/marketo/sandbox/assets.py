"""Assets of the sandbox: programs, static lists and channels, in pages by offset.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/programs and the pages beside it. Instants have a
zone twice (`Z+0000`), and beyond the last page there is a warning instead of a `result`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sources.marketo.sandbox import words
from sources.marketo.sandbox.rest import moment_of
from sources.marketo.sandbox.store import Row, Store, instant
from sources.marketo.sandbox.wire import Answer, Call, Refused

PAGE: Final = 200
NOTHING: Final = "No assets found for the given search criteria."


class Assets:
    """The endpoints under /rest/asset/v1."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def programs(self, call: Call) -> Answer:
        """Get Programs: without tags and costs."""
        where, values = ["true"], list[Any]()
        for name, sign in (("earliestUpdatedAt", ">="), ("latestUpdatedAt", "<=")):
            if call.query.get(name):
                where.append(f"updated_at {sign} ?::timestamp")
                values.append(moment_of(call.query[name]))
        rows = [_program(row, costs=False) for row in self._programs(" and ".join(where), values)]
        return self._page(call, rows)

    def program(self, _call: Call, number: str) -> Answer:
        """Get Program by Id."""
        found = self._programs("id = ?", [int(number) if number.isdecimal() else 0])
        if not found:
            raise Refused(702, f"Program with id {number} not found")
        return _assets([_program(row, costs=True) for row in found])

    def program_by_name(self, call: Call) -> Answer:
        """Get Program by Name."""
        found = self._programs("name = ?", [call.needed("name")])
        if not found:
            raise Refused(702, "Program not found")
        return _assets([_program(row, costs=call.query.get("includeCosts") == "true") for row in found])

    def static_lists(self, call: Call) -> Answer:
        """Get Static Lists."""
        return self._page(call, [_static_list(number, name) for number, name, _ in words.LISTS])

    def static_list(self, _call: Call, number: str) -> Answer:
        """Get Static List by Id."""
        found = [_static_list(one, name) for one, name, _ in words.LISTS if str(one) == number]
        if not found:
            raise Refused(702, f"Static list with id {number} not found")
        return _assets(found)

    def channels(self, call: Call) -> Answer:
        """Get Channels."""
        rows = [
            {"id": number, "name": name, "applicableProgramType": words.PROGRAM_TYPES.get(kind, "program").lower()}
            for number, (kind, name) in enumerate(words.CHANNELS.items(), 1)
        ]
        return self._page(call, rows)

    def _programs(self, where: str, values: Sequence[Any]) -> list[Row]:
        return self._store.rows(f"select * from {self._store.table('programs')} where {where} order by id", values)

    @staticmethod
    def _page(call: Call, rows: Sequence[Row]) -> Answer:
        offset, size = call.number("offset", 0, 10**9), call.number("maxReturn", 20, PAGE)
        return _assets(rows[offset : offset + size])


def _assets(rows: Sequence[Row]) -> Answer:
    return {"errors": [], "warnings": [] if rows else [NOTHING], **({"result": list(rows)} if rows else {})}


def _stamp(value: Any) -> str | None:
    return None if value is None else f"{instant(value)}+0000"


def _program(row: Row, *, costs: bool) -> Row:
    shown: Row = {
        "id": row["id"],
        "name": row["name"],
        "description": "",
        "createdAt": _stamp(row["created_at"]),
        "updatedAt": _stamp(row["updated_at"]),
        "url": f"{words.APP}/#PG{row['id']}A1",
        "type": row["type"],
        "channel": row["channel"],
        "folder": {"type": "Folder", "value": 28, "folderName": "Marketing"},
        "status": words.PROGRAM_STATUS.get(row["type"], ""),
        "workspace": "Default",
        "headStart": False,
    }
    if row["type"] != "Default":
        shown["startDate"] = f"{row['start_date']}T00:00:00Z+0000"
        shown["endDate"] = f"{row['end_date']}T00:00:00Z+0000"
    if row["sfdc_id"]:
        shown |= {"sfdcId": row["sfdc_id"], "sfdcName": row["name"]}
    return shown | ({"costs": None, "tags": []} if costs else {})


def _static_list(number: int, name: str) -> Row:
    stamp = "2023-10-01T00:00:00Z+0000"
    folder = {"id": 13, "type": "Folder"}
    url = f"{words.APP}/#ST{number}A1"
    return {"id": number, "name": name, "createdAt": stamp, "updatedAt": stamp, "folder": folder, "computedUrl": url}
