"""The record endpoints of the sandbox: list, get, batch read, search and associations of the CRM objects.

Shapes: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide (and its siblings) and
https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide. This file knows no token and no rate limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sources.hubspot.sandbox import properties
from sources.hubspot.sandbox.search import BadSearch, parse
from sources.hubspot.sandbox.store import CREATED, ID_LIST, Row, Store, id_list, modified_property
from sources.hubspot.sandbox.words import OBJECT_TYPE_IDS

MAX_LIST, MAX_LIST_WITH_HISTORY = 100, 50
MAX_BATCH, MAX_BATCH_WITH_HISTORY = 100, 50
# https://developers.hubspot.com/changelog/bug-fix-batch-read-limit-for-hubspot-associations-api
MAX_ASSOCIATION_BATCH: Final = 1_000
ASSOCIATIONS_PAGE: Final = 500

_DEFAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
    "deals": ("dealname", "amount", "closedate", "pipeline", "dealstage"),
    "products": ("name", "price", "hs_sku"),
    "line_items": ("quantity", "amount", "price"),
}


class Refused(Exception):
    """An answer other than 200, in HubSpot's error shape."""

    def __init__(self, status: int, message: str, category: str = "VALIDATION_ERROR", **more: Any) -> None:
        super().__init__(message)
        self.status, self.category, self.more = status, category, more


def object_name(given: str, store: Store) -> str:
    """The plural name of an object type given as plural, singular or type id."""
    name = OBJECT_TYPE_IDS.get(given, given).lower()
    singular = {"company": "companies", **{plural.rstrip("s"): plural for plural in store.views}}
    name = singular.get(name, name)
    if name not in store.views:
        raise Refused(400, f"Unable to infer object type from: {given}")
    return name


def flag(value: str | None) -> bool:
    """A flag of the query in any letter case."""
    return (value or "").lower() == "true"


class Objects:
    """The endpoints over one portal's store."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self.store, self.now = store, now

    def page(self, name: str, query: Mapping[str, list[str]], url: str) -> Row:
        """GET /crm/v3/objects/{type}"""
        with_history = names(query.get("propertiesWithHistory", []))
        most = MAX_LIST_WITH_HISTORY if with_history else MAX_LIST
        limit = number(query.get("limit", ["10"])[0], "limit")
        if not 0 < limit <= most:
            raise Refused(400, f"Invalid input: limit must be between 1 and {most}, it is {limit}")
        after = number(query.get("after", ["0"])[0] or "0", "after")
        archived = "archived" if flag(query.get("archived", [""])[0]) else "not archived"
        wanted = self._wanted(name, names(query.get("properties", [])), with_history)
        found = self.store.records(
            name, wanted, f"where {archived} and id >= ? order by id limit ?", [after, limit + 1]
        )
        answer: Row = {"results": self._records(name, found[:limit], with_history)}
        self._attach(answer["results"], name, names(query.get("associations", [])))
        if len(found) > limit:
            following = found[limit]["id"]
            answer["paging"] = {"next": {"after": following, "link": f"{url}?after={following}"}}
        return answer

    def one(self, name: str, record: str, query: Mapping[str, list[str]]) -> Row:
        """GET /crm/v3/objects/{type}/{id}; the id of a merged record gives the one it lives on in."""
        with_history = names(query.get("propertiesWithHistory", []))
        wanted = self._wanted(name, names(query.get("properties", [])), with_history)
        by = query.get("idProperty", [""])[0]
        archived = "archived" if flag(query.get("archived", [""])[0]) else "not archived"
        found = self._by(name, wanted, by, [record], archived)
        if not found:
            raise Refused(404, "resource not found", "OBJECT_NOT_FOUND")
        results = self._records(name, found[:1], with_history)
        self._attach(results, name, names(query.get("associations", [])))
        return results[0]

    def batch_read(self, name: str, body: Mapping[str, Any], archived: bool) -> tuple[int, Row]:
        """POST /crm/v3/objects/{type}/batch/read; ids that are not there give 207 and an error beside the results."""
        with_history = list(body.get("propertiesWithHistory") or [])
        most = MAX_BATCH_WITH_HISTORY if with_history else MAX_BATCH
        ids = list(dict.fromkeys(str(one.get("id")) for one in body.get("inputs") or []))
        if len(ids) > most:
            raise Refused(400, f"The maximum number of inputs in a batch request is {most}, there are {len(ids)}")
        wanted = self._wanted(name, list(body.get("properties") or []), with_history)
        by = str(body.get("idProperty") or "")
        found = self._by(name, wanted, by, ids, "archived" if archived else "not archived")
        answer = self._batch(self._records(name, found, with_history))
        got = {row["properties"].get(by) if by else row["id"] for row in found}
        living = ids if by else self.store.winners(name, ids)
        missing = [i for i, alive in zip(ids, living, strict=True) if i not in got and alive not in got]
        if not missing:
            return 200, answer
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": missing},
            "errors": [],
            "links": {},
        }
        return 207, {**answer, "numErrors": 1, "errors": [error]}

    def search(self, name: str, body: Mapping[str, Any]) -> Row:
        """POST /crm/v3/objects/{type}/search"""
        types = properties.types(name)
        try:
            asked = parse(body, types)
        except BadSearch as problem:
            category = "VALIDATION_ERROR" if problem.status < 500 else "INTERNAL_ERROR"
            raise Refused(problem.status, str(problem), category) from None
        wanted = self._wanted(name, list(body.get("properties") or []), [])
        total = self.store.rows(f"select count(*) from {self.store.table(name)} {asked.where}", asked.values)[0][0]
        found = self.store.records(
            name, wanted, f"{asked.where} {asked.order} limit ? offset ?", [*asked.values, asked.limit, asked.offset]
        )
        answer: Row = {"total": total, "results": self._records(name, found, [])}
        if asked.offset + asked.limit < total:
            answer["paging"] = {"next": {"after": str(asked.offset + asked.limit)}}
        return answer

    def association_batch(self, from_type: str, to_type: str, body: Mapping[str, Any]) -> tuple[int, Row]:
        """POST /crm/v4/associations/{from}/{to}/batch/read: 1,000 ids, each result with its own paging."""
        inputs = list(body.get("inputs") or [])
        if len(inputs) > MAX_ASSOCIATION_BATCH:
            most = MAX_ASSOCIATION_BATCH
            raise Refused(400, f"The maximum number of inputs in a batch request is {most}, there are {len(inputs)}")
        starts = {str(one.get("id")): int(one.get("after") or 0) for one in inputs}
        found = self.store.associations(from_type, to_type, list(starts))
        results: list[Row] = []
        for record, start in starts.items():
            if record in found:
                results.append({"from": {"id": record}, **_cut(found[record], start, ASSOCIATIONS_PAGE)})
        missing = [record for record in starts if record not in found]
        answer = self._batch(results)
        if not missing:
            return 200, answer
        message = f"No {to_type} is associated with {from_type} "
        errors = [
            {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "message": f"{message}{record}.",
                "context": {"fromObjectId": [record], "fromObjectType": [from_type], "toObjectType": [to_type]},
            }
            for record in missing
        ]
        return 207, {**answer, "numErrors": len(errors), "errors": errors}

    def association_page(self, from_type: str, record: str, to_type: str, query: Mapping[str, list[str]]) -> Row:
        """GET /crm/v4/objects/{type}/{id}/associations/{to}"""
        limit = number(query.get("limit", [str(ASSOCIATIONS_PAGE)])[0], "limit")
        if not 0 < limit <= ASSOCIATIONS_PAGE:
            raise Refused(400, f"limit must be between 1 and {ASSOCIATIONS_PAGE}, it is {limit}")
        after = number(query.get("after", ["0"])[0] or "0", "after")
        targets = self.store.associations(from_type, to_type, [record]).get(record, [])
        cut = _cut(targets, after, limit)
        return {"results": cut.pop("to"), **cut}

    def _wanted(self, name: str, asked: Sequence[str], with_history: Sequence[str]) -> list[str]:
        """HubSpot adds its own properties to what was asked, and skips names that the portal does not have."""
        always = ["hs_object_id", CREATED[name], modified_property(name)]
        known = set(self.store.properties(name))
        chosen = asked or (() if with_history else _DEFAULTS.get(name, ()))
        return [prop for prop in dict.fromkeys([*chosen, *always]) if prop in known]

    def _by(self, name: str, wanted: Sequence[str], by: str, ids: Sequence[str], archived: str) -> list[Row]:
        if by and by not in ("hs_object_id", "id"):
            if by not in self.store.properties(name):
                raise Refused(400, f"{by} is not a unique property of {name}")
            marks = ", ".join("?" * len(ids))
            return self.store.records(name, [*wanted, by], f'where {archived} and "{by}" in ({marks})', ids)
        living = self.store.winners(name, [one for one in ids if one.isdecimal()])
        if not living:
            return []
        return self.store.records(name, wanted, f"where {archived} and id in {ID_LIST} order by id", [id_list(living)])

    def _records(self, name: str, found: Sequence[Row], with_history: Sequence[str]) -> list[Row]:
        past = self.store.history(name, [row["id"] for row in found], with_history) if with_history else {}
        out: list[Row] = []
        for row in found:
            shown: Row = {
                "id": row["id"],
                "properties": row["properties"],
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "archived": row["archived"],
            }
            if row["archived"]:
                shown["archivedAt"] = row["archived_at"]
            if with_history:
                shown["propertiesWithHistory"] = past[row["id"]]
            out.append(shown)
        return out

    def _attach(self, results: Sequence[Row], name: str, to_types: Sequence[str]) -> None:
        for to_type in (object_name(one, self.store) for one in to_types):
            found = self.store.associations(name, to_type, [row["id"] for row in results])
            for row in results:
                pairs = [
                    {"id": target["toObjectId"], "type": f"{name.rstrip('s')}_to_{to_type.rstrip('s')}"}
                    for target in found.get(row["id"], [])
                ]
                if pairs:
                    row.setdefault("associations", {})[to_type.replace("_", " ")] = {"results": pairs}

    def _batch(self, results: list[Row]) -> Row:
        stamp = self.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp}


def names(given: Sequence[str]) -> list[str]:
    """Property names of a query: the parameter repeated, or joined by commas."""
    return [name for part in given for name in part.split(",") if name]


def number(value: str, name: str) -> int:
    """A whole number of the query."""
    try:
        return int(value)
    except ValueError:
        raise Refused(400, f"Invalid input: {name} must be a whole number, not {value}") from None


def _cut(targets: Sequence[Row], start: int, size: int) -> Row:
    page: Row = {"to": list(targets[start : start + size])}
    if start + size < len(targets):
        page["paging"] = {"next": {"after": str(start + size)}}
    return page
