"""The lead database of the sandbox: describe, leads, activities, paging tokens, lists, members of programs.

Written from https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads and the pages beside it
(activities, paging-tokens, static lists, program-members). Handlers take a `Call` and give the answer without its envelope.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sources.marketo.sandbox import words
from sources.marketo.sandbox.store import Row, Store, instant, plain
from sources.marketo.sandbox.wire import Answer, Call, Limits, Refused

PAGE: Final = 300
MOST_FOUND: Final = 1_000
# Activities are looked through in stretches and filtered by type afterwards: pages may be short, or empty, with more to come.
STRETCH: Final = 1_000
TYPES_A_CALL: Final = 10
_LEAD_FIELDS: Final = {one.name: one for one in (*words.SYSTEM_FIELDS, *words.FIELDS)}


class Rest:
    """The endpoints under /rest/v1."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits

    # what there is -----------------------------------------------------------------------------------------------
    def describe(self, _call: Call) -> Answer:
        """All fields of the lead."""
        found: list[Row] = []
        for one in _LEAD_FIELDS.values():
            length = {"length": 255} if one.type in ("string", "email", "phone", "url") else {}
            rest = {"name": one.name, "readOnly": one.read_only}
            found.append({"id": one.id, "displayName": one.label, "dataType": one.type, **length, "rest": rest})
        # a field that only SOAP has
        found.append(
            {
                "id": 90,
                "displayName": "Person Type",
                "dataType": "string",
                "soap": {"name": "ContactType", "readOnly": True},
            }
        )
        return {"result": found}

    def describe2(self, _call: Call) -> Answer:
        """The same, with what can be searched by."""
        fields = [
            {
                "name": one.name,
                "displayName": one.label,
                "dataType": one.type,
                "updateable": not one.read_only,
                "crmManaged": False,
            }
            for one in _LEAD_FIELDS.values()
        ]
        searchable = [[one.name] for one in _LEAD_FIELDS.values() if one.searchable]
        return {"result": [{"name": "API Lead", "searchableFields": searchable, "fields": fields}]}

    def describe_members(self, _call: Call) -> Answer:
        """Fields of a membership."""
        fields = [
            {"name": name, "displayName": name, "dataType": kind, "updateable": False, "crmManaged": False}
            for name, kind in words.MEMBER_FIELDS.items()
        ]
        answer = {
            "name": "API Program Membership",
            "description": "Map for API program membership fields",
            "createdAt": "2023-10-01T00:00:00Z",
            "updatedAt": "2023-10-01T00:00:00Z",
            "dedupeFields": ["leadId", "programId"],
            "searchableFields": [[name] for name in words.MEMBER_SEARCHABLE],
            "fields": fields,
        }
        return {"result": [answer]}

    def types(self, _call: Call) -> Answer:
        """Types of activities."""
        return {
            "result": [
                {
                    "id": one.id,
                    "name": one.name,
                    "description": one.name,
                    "primaryAttribute": {"name": one.primary, "dataType": "string"},
                    "attributes": [{"name": name, "dataType": kind} for name, kind in one.attributes.items()],
                }
                for one in words.TYPES
            ]
        }

    # leads -------------------------------------------------------------------------------------------------------
    def lead(self, call: Call, number: str) -> Answer:
        """Get Lead by Id."""
        found = self._store.leads(_fields(call), "id = ?", [_whole(number)])
        if not found:
            raise Refused(1004, f"Lead '{number}' not found")
        return {"result": [plain(row) for row in found]}

    def leads(self, call: Call) -> Answer:
        """Get Leads by Filter Type."""
        name, values = call.needed("filterType"), call.listed("filterValues")
        call.needed("filterValues")
        if name not in _LEAD_FIELDS or not _LEAD_FIELDS[name].searchable:
            raise Refused(1011, f"Field '{name}' not supported")
        if len(values) > PAGE:
            raise Refused(1003, f"Number of filter values is more than {PAGE}")
        typed: list[Any] = [_whole(one) for one in values] if name == "id" else values
        marks = ", ".join("?" * len(typed))
        where = f'"{name}" in ({marks})'
        if self._store.one(f"select count(*) from {self._store.table('leads')} where {where}", typed) > MOST_FOUND:
            raise Refused(1003, "Too many results match the filter")
        return self._lead_page(call, where, typed)

    def list_leads(self, call: Call, number: str) -> Answer:
        """Get Leads by List Id."""
        if _whole(number) not in {one for one, _, _ in words.LISTS}:
            raise Refused(1013, f"List '{number}' not found")
        return self._lead_page(call, f"id in ({self._store.members_of(_whole(number))})", [])

    def program_leads(self, call: Call, number: str) -> Answer:
        """Get Leads by Program Id: the lead with its membership."""
        members = self._store.table("members")
        where = f'id in (select "leadId" from {members} where "programId" = {_whole(number)})'
        answer = self._lead_page(call, where, [], ("id",))
        ids = [row["id"] for row in answer["result"]]
        marks = ", ".join("?" * len(ids)) or "null"
        sql = f'select * from {members} where "programId" = {_whole(number)} and "leadId" in ({marks})'
        found = {row["leadId"]: plain(row) for row in self._store.rows(sql, ids)}
        for row in answer["result"]:
            one = found[row["id"]]
            row["membership"] = {
                "acquiredBy": one["acquiredBy"],
                "isExhausted": one["isExhausted"],
                "membershipDate": one["membershipDate"],
                "nurtureCadence": one["nurtureCadence"],
                "progressionStatus": one["statusName"],
                "reachedSuccess": one["reachedSuccess"],
                "stream": one["trackName"],
            }
        return answer

    def _lead_page(self, call: Call, where: str, values: Sequence[Any], also: Sequence[str] = ()) -> Answer:
        size, after = call.number("batchSize", PAGE, PAGE), _position(call.query.get("nextPageToken"), "leads")
        fields = list(dict.fromkeys([*_fields(call), *also]))
        asked = ["id", *(name for name in fields if name != "id")]
        found = self._store.leads(asked, f"{where} and id > {after}", values, size + 1)
        token = {"nextPageToken": _token("leads", found[size - 1]["id"])} if len(found) > size else {}
        shown = [{name: row[name] for name in fields} for row in found[:size]]
        return {"result": [plain(row) for row in shown], **token}

    # activities --------------------------------------------------------------------------------------------------
    def paging_token(self, call: Call) -> Answer:
        """A token for what happened after an instant."""
        return {"nextPageToken": _token("after", [moment_of(call.needed("sinceDatetime")), "\uffff"])}

    def activities(self, call: Call) -> Answer:
        """Get Lead Activities."""
        kinds = [_whole(one) for one in call.listed("activityTypeIds")]
        call.needed("activityTypeIds")
        if len(kinds) > TYPES_A_CALL:
            raise Refused(1003, f"Maximum number of activity type ids is {TYPES_A_CALL}")
        known = {one.id for one in words.TYPES}
        unknown = [kind for kind in kinds if kind not in known]
        if unknown:
            raise Refused(1003, f"Invalid activity type ids: {unknown}")
        leads = [_whole(one) for one in call.listed("leadIds")]
        return self._activity_page(call, kinds, leads, lambda row: _activity(row))

    def lead_changes(self, call: Call) -> Answer:
        """Get Lead Changes: new leads, and changes of the named fields."""
        ids = {one.name: one.id for one in _LEAD_FIELDS.values()}
        wanted = {ids.get(name) for name in call.listed("fields")}
        call.needed("fields")
        if None in wanted:
            raise Refused(1006, "Field not found")
        names = {one.id: one.name for one in _LEAD_FIELDS.values()}

        def change(row: Row) -> Row | None:
            attributes = json.loads(row["attributes"])
            shown = _activity(row) | {"fields": []}
            if row["type"] == 12:
                return shown
            number = int(row["value_id"])
            if number not in wanted:
                return None
            field = {"id": number, "name": names[number]}
            field |= {"newValue": attributes.get("New Value"), "oldValue": attributes.get("Old Value")}
            return shown | {"fields": [field]}

        return self._activity_page(call, [12, 13], [], change)

    def deleted_leads(self, call: Call) -> Answer:
        """Get Deleted Leads."""
        at, guid = _place(call)
        size = call.number("batchSize", PAGE, PAGE)
        sql = (
            f'select * from {self._store.table("deleted")} where ("at", guid) > (?::timestamp, ?)'
            f' order by "at", guid limit {size + 1}'
        )
        found = self._store.rows(sql, [at, guid])
        rows = found[:size]
        token = _token("after", [str(rows[-1]["at"]), rows[-1]["guid"]] if rows else [at, guid])
        result = [
            {
                "marketoGUID": row["guid"],
                "leadId": row["lead"],
                "activityDate": instant(row["at"]),
                "activityTypeId": 37,
                "primaryAttributeValueId": row["lead"],
                "primaryAttributeValue": row["name"],
                "attributes": [],
            }
            for row in rows
        ]
        shown = {"result": result} if result else {}
        return {**shown, "nextPageToken": token, "moreResult": len(found) > size}

    def _activity_page(self, call: Call, kinds: Sequence[int], leads: Sequence[int], show: Any) -> Answer:
        """One stretch after the token's place, cut where the page is full."""
        at, guid = _place(call)
        size = call.number("batchSize", PAGE, PAGE)
        only = f" and lead in ({', '.join(map(str, leads))})" if leads else ""
        sql = (
            f"select *, type in ({', '.join(map(str, kinds))}){only} as chosen from {self._store.table('activities')}"
            f' where ("at", guid) > (?::timestamp, ?) order by "at", guid limit {STRETCH + 1}'
        )
        found = self._store.rows(sql, [at, guid])
        result: list[Row] = []
        place, read = [at, guid], 0
        for row in found[:STRETCH]:
            shown = show(row) if row["chosen"] else None
            if shown is not None:
                result.append(shown)
            place, read = [str(row["at"]), row["guid"]], read + 1
            if len(result) == size:
                break
        body = {"result": result} if result else {}  # a page without rows has no `result`
        return {**body, "nextPageToken": _token("after", place), "moreResult": read < len(found)}

    # lists and members -------------------------------------------------------------------------------------------
    def lists(self, call: Call) -> Answer:
        """Get Lists."""
        ids, names = call.listed("id"), call.listed("name")
        size, after = call.number("batchSize", PAGE, PAGE), _position(call.query.get("nextPageToken"), "lists")
        every = [
            {
                "id": number,
                "name": name,
                "workspaceName": "Default",
                "createdAt": "2023-10-01T00:00:00Z",
                "updatedAt": "2023-10-01T00:00:00Z",
            }
            for number, name, _ in words.LISTS
            if (not ids or str(number) in ids) and (not names or name in names) and number > after
        ]
        token = {"nextPageToken": _token("lists", every[size - 1]["id"])} if len(every) > size else {}
        return {"result": every[:size], **token}

    def members(self, call: Call, number: str) -> Answer:
        """Get Program Members."""
        program, kind = _whole(number), call.needed("filterType")
        if not self._store.one(f"select count(*) from {self._store.table('programs')} where id = {program}"):
            raise Refused(1013, f"Program with id '{number}' not found")
        fields = call.listed("fields") or list(words.MEMBER_DEFAULT)
        wrong = [name for name in fields if name not in words.MEMBER_FIELDS]
        if wrong:
            raise Refused(1006, f"Field '{wrong[0]}' not found")
        if kind == "updatedAt":
            start, end = moment_of(call.needed("startAt")), moment_of(call.needed("endAt"))
            if datetime.fromisoformat(end) - datetime.fromisoformat(start) > timedelta(days=7):
                raise Refused(1003, "The date range must be 7 days or fewer")
            where, values = '"updatedAt" between ?::timestamp and ?::timestamp', [start, end]
        elif kind in words.MEMBER_SEARCHABLE:
            call.needed("filterValues")
            values = call.listed("filterValues")
            if len(values) > PAGE:
                raise Refused(1003, f"Number of filter values is more than {PAGE}")
            where = f'"{kind}"::varchar in ({", ".join("?" * len(values))})'
        else:
            raise Refused(1003, f"Invalid filter type '{kind}'")
        size, after = call.number("batchSize", PAGE, PAGE), _position(call.query.get("nextPageToken"), "members")
        sql = (
            f'select * from {self._store.table("members")} where "programId" = {program} and {where} and "leadId" > {after}'
            f' order by "leadId" limit {size + 1}'
        )
        found = self._store.rows(sql, values)
        rows = [
            {"seq": place, **{name: row[name] for name in ["leadId", *fields]}}
            for place, row in enumerate(found[:size])
        ]
        more = len(found) > size
        token = {"nextPageToken": _token("members", found[size - 1]["leadId"])} if more else {}
        return {"result": [plain(row) for row in rows], **token, "moreResult": more}

    # usage -------------------------------------------------------------------------------------------------------
    def usage(self, _call: Call) -> Answer:
        """Calls of today."""
        users = [{"userId": words.USER, "count": self._limits.calls}]
        return {"result": [{"date": f"{self._store.now:%Y-%m-%d}", "total": self._limits.calls, "users": users}]}

    def errors(self, _call: Call) -> Answer:
        """Errors of today."""
        listed = [{"errorCode": code, "count": number} for code, number in sorted(self._limits.errors.items())]
        total = sum(self._limits.errors.values())
        return {"result": [{"date": f"{self._store.now:%Y-%m-%d}", "total": total, "errors": listed}]}


def _activity(row: Row) -> Row:
    attributes = [{"name": name, "value": value} for name, value in json.loads(row["attributes"]).items()]
    shown = {
        "marketoGUID": row["guid"],
        "leadId": row["lead"],
        "activityDate": instant(row["at"]),
        "activityTypeId": row["type"],
        "campaignId": row["campaign"],
        "primaryAttributeValueId": row["value_id"],
        "primaryAttributeValue": row["value"],
    }
    # a field without a value is left out, of attributes too
    kept = [one for one in attributes if one["value"] is not None]
    return {name: value for name, value in shown.items() if value is not None} | {"attributes": kept}


def _fields(call: Call) -> list[str]:
    names = call.listed("fields") or list(words.DEFAULT_FIELDS)
    for name in names:
        if name not in _LEAD_FIELDS:
            raise Refused(1006, f"Field '{name}' not found")
    return names


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise Refused(1001, f"Invalid value '{text}'. Required of type 'Long'")
    return int(text)


def moment_of(text: str) -> str:
    """An instant as the database has it: UTC without a zone."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    except ValueError:
        raise Refused(1001, f"Invalid value '{text}'. Required of type 'Date'") from None
    return str(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment)


def _token(kind: str, place: Any) -> str:
    return base64.b32encode(json.dumps([kind, place]).encode()).decode()


def _place(call: Call) -> list[str]:
    """(instant, guid) after which the page begins."""
    place = _read(call.needed("nextPageToken"), "after")
    return [str(place[0]), str(place[1])]


def _position(token: str | None, kind: str) -> int:
    return int(_read(token, kind)) if token else 0


def _read(token: str, kind: str) -> Any:
    try:
        found, place = json.loads(base64.b32decode(token))
    except (ValueError, TypeError):
        raise Refused(1003, "Invalid paging token") from None
    if found != kind:
        raise Refused(1003, "Invalid paging token")
    return place
