"""Account Engagement's API as an ASGI app over one business unit: queries, page tokens, refusals in the vendor's shapes.

https://developer.salesforce.com/docs/marketing/pardot/guide/version5overview.html
https://developer.salesforce.com/docs/marketing/pardot/guide/error-codes.html
The token endpoint, at Salesforce in truth, is on the same address. This file must not hold SQL beyond conditions of a query.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sources.account_engagement.columns import OBJECTS, Object
from sources.account_engagement.sandbox.store import Row, Store, told
from sources.account_engagement.sandbox.words import ALSO, TAKE_DELETED
from sources.salesforce.sandbox.auth import Refused, Sessions

ROOT: Final = "/api/v5/objects"
_FILTER: Final = re.compile(
    r"(createdAt|updatedAt|sentAt|id)(AfterOrEqualTo|BeforeOrEqualTo|After|Before|GreaterThan|LessThan)"
)
_SIGN: Final = {
    "AfterOrEqualTo": ">=", "BeforeOrEqualTo": "<=", "After": ">", "Before": "<", "GreaterThan": ">", "LessThan": "<",
}  # fmt: skip
_OF: Final = {each.path: name for name, each in OBJECTS.items()}
_WARNING: Final = "203;Record count for nextPageToken sequence has been exceeded. No page token returned."


@dataclass
class UnitOptions:
    """Switches of this sandbox alone. `forbidden` are objects that the user may not view."""

    business_unit_id: str = "0Uv5i000000demoAAA"
    default_page: int = 200
    largest_page: int = 1000
    records_per_sequence: int = 100_000
    token_seconds: float = 4 * 3600
    daily_calls: int = 50_000
    at_once: int = 5
    forbidden: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    """For the age of page tokens."""
    refusals: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    """Answers (status, body) that come instead of the next ones."""


class ApiError(Exception):
    """An answer of `{"code", "message"}` with its status."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Unit:
    """The API of one business unit."""

    def __init__(self, store: Store, sessions: Sessions, options: UnitOptions, limited: bool = False) -> None:
        self.store, self.sessions, self.options, self.limited = store, sessions, options, limited
        self.calls, self._running, self._lock = 0, 0, threading.Lock()

    def answer(self, path: str, params: Mapping[str, str], headers: Mapping[str, str], base_url: str) -> Response:
        """The answer to a GET below `/api/v5/objects`."""
        try:
            with self._lock:
                self._running += 1
            self._admit(headers)
            if path == "account":
                return _json({"id": 1, "maximumDailyApiCalls": self.options.daily_calls, "apiCallsUsed": self.calls})
            collection, _, number = path.partition("/")
            name = self._named(collection)
            if number:
                return self.read(name, number, params)
            return self.query(name, params, base_url)
        except ApiError as refused:
            return _json({"code": refused.code, "message": refused.message}, refused.status)
        finally:
            with self._lock:
                self._running -= 1

    def _admit(self, headers: Mapping[str, str]) -> None:
        if not self.sessions.admit(headers.get("authorization", "")):
            raise ApiError(401, 184, "access_token is invalid, unknown, or malformed")
        if headers.get("pardot-business-unit-id") != self.options.business_unit_id:
            text = "Business Unit specified in Pardot-Business-Unit-Id header not found or inactive."
            raise ApiError(400, 201, text)
        if self.limited and self._running > self.options.at_once:
            raise ApiError(429, 66, "You have exceeded your concurrent request limit. Please wait, before trying again")
        if self.calls >= self.options.daily_calls:
            raise ApiError(429, 122, "Daily API rate limit met")
        self.calls += 1

    # queries -----------------------------------------------------------------------------------------------------
    def _named(self, collection: str) -> str:
        name = _OF.get(collection)
        if name is None:
            raise ApiError(404, 198, "Endpoint not found")
        if collection in self.options.forbidden:
            raise ApiError(403, 49, "Access Denied")
        return name

    def read(self, name: str, number: str, params: Mapping[str, str]) -> Response:
        """One record by its id; `deleted` as for a query."""
        fields = self._fields(name, params)
        rows = self.store.rows(name, "id = ?", [int(number)], "id", 1) if number.isdigit() else []
        if not rows or (rows[0].get("isDeleted") and params.get("deleted") not in ("all", "true")):
            raise ApiError(404, 192, "Object specified does not exist")
        return _json({each: told(rows[0].get(each)) for each in fields})

    def query(self, name: str, params: Mapping[str, str], base_url: str) -> Response:
        """One page of an object."""
        fields = self._fields(name, params)
        asked = self._resumed(name, params) if "nextPageToken" in params else self._asked(name, params)
        rows = self.store.rows(name, *_where(OBJECTS[name], asked), asked["limit"] + 1)
        page, more = rows[: asked["limit"]], len(rows) > asked["limit"]
        served = asked["served"] + len(page)
        spent = served >= self.options.records_per_sequence
        token = None
        if more and not spent:
            last = page[-1]
            at = {"after": [_plain(last[asked["by"]]), last["id"]], "served": served, "made": self.options.clock()}
            token = base64.urlsafe_b64encode(orjson.dumps({**asked, **at, "of": name})).decode()
        more_fields = {"fields": params["fields"], "nextPageToken": token}
        following = f"{base_url}{ROOT}/{OBJECTS[name].path}?{urlencode(more_fields)}" if token else None
        values = [{each: told(row.get(each)) for each in fields} for row in page]
        body = {"nextPageToken": token, "nextPageUrl": following, "values": values}
        return _json(body, headers={"Pardot-Warning": _WARNING} if more and spent else None)

    def _fields(self, name: str, params: Mapping[str, str]) -> list[str]:
        if not params.get("fields"):
            raise ApiError(400, 13, "One or more required parameters are missing: fields")
        fields = params["fields"].split(",")
        unknown = set(fields) - {"id", *OBJECTS[name].fields, *ALSO.get(name, ())} - self.store.columns(name)
        if unknown:
            raise ApiError(400, 224, f"Invalid fields for request type: {', '.join(sorted(unknown))}")
        return fields

    def _resumed(self, name: str, params: Mapping[str, str]) -> dict[str, Any]:
        if set(params) - {"fields", "nextPageToken"}:
            raise ApiError(400, 5, "Only fields may be specified with nextPageToken")
        try:
            asked: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(params["nextPageToken"]))
        except ValueError:
            raise ApiError(400, 211, "Page token is invalid.") from None
        if asked.get("of") != name:
            raise ApiError(400, 211, "Page token is invalid.")
        if self.options.clock() - asked["made"] > self.options.token_seconds:
            raise ApiError(400, 210, "Page token has expired.")
        return asked

    def _asked(self, name: str, params: Mapping[str, str]) -> dict[str, Any]:
        each = OBJECTS[name]
        stamps = {"id"} | ({"createdAt", "updatedAt", "sentAt"} & set(each.fields) if each.order else set())
        filters: list[tuple[str, str, Any]] = []
        for key, value in params.items():
            if key in ("fields", "limit", "orderBy", "deleted"):
                continue
            found = _FILTER.fullmatch(key)
            if found is None or found[1] not in stamps:
                raise ApiError(400, 5, f"Invalid query parameters: {key}")
            filters.append((found[1], _SIGN[found[2]], int(value) if found[1] == "id" else _moment(value)))
        by, _, way = params.get("orderBy", "id ASC").partition(" ")
        if by not in stamps or way.upper() not in ("", "ASC", "DESC"):
            raise ApiError(400, 19, "Invalid value specified for orderBy")
        deleted = params.get("deleted", "false")
        takes = each.recycled or name in TAKE_DELETED
        if deleted not in ("all", "true", "false") or (deleted != "false" and not takes):
            raise ApiError(400, 27, "Parameter deleted must be all, true or false")
        limit = params.get("limit", str(self.options.default_page))
        if not limit.isdigit() or not 1 <= int(limit) <= 1000:
            raise ApiError(400, 23, "Invalid value specified for limit")
        size = min(int(limit), self.options.largest_page)
        return {
            "filters": filters,
            "by": by,
            "down": way.upper() == "DESC",
            "deleted": deleted,
            "limit": size,
            "after": None,
            "served": 0,
        }


def _where(each: Object, asked: Mapping[str, Any]) -> tuple[str, list[Any], str]:
    """(condition, its values, order) of a query."""
    parts, values = ["true"], list[Any]()
    for name, sign, value in asked["filters"]:
        parts.append(f'"{name}" {sign} {_slot(name)}')
        values.append(value)
    if each.recycled and asked["deleted"] != "all":
        parts.append(f'"isDeleted" = {asked["deleted"]}')
    if asked["after"] is not None:
        parts.append(f'("{asked["by"]}", id) {"<" if asked["down"] else ">"} ({_slot(asked["by"])}, ?)')
        values.extend(asked["after"])
    way = " desc" if asked["down"] else ""
    return " and ".join(parts), values, f'"{asked["by"]}"{way}, id{way}'


def _slot(name: str) -> str:
    return "?" if name == "id" else "?::timestamp"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _moment(text: str) -> str:
    """An instant of a filter, in UTC. A plus sign that was not encoded arrives as a space, and is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 7, "Invalid timestamp") from None
    if moment.tzinfo is None:
        raise ApiError(400, 7, "Invalid timestamp")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _json(body: Row, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, "application/json")


def make_app(unit: Unit) -> Starlette:
    """The app of one business unit, at the root of its port."""

    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            granted = unit.sessions.token(form, request.headers.get("authorization", ""), _base_of(request))
        except Refused as refused:
            return _json({"error": refused.error, "error_description": refused.description}, refused.status)
        return _json({**granted, "scope": "pardot_api"})

    async def objects(request: Request) -> Response:
        if unit.options.refusals:
            status, body = unit.options.refusals.popleft()
            return Response(body, status, media_type="application/json")
        params = dict(request.query_params)
        path = request.path_params["path"].rstrip("/")
        return await run_in_threadpool(unit.answer, path, params, request.headers, _base_of(request))

    return Starlette(
        routes=[
            *(Route(f"/services/oauth2/token{slash}", token, methods=["POST"]) for slash in ("", "/")),
            Route(ROOT + "/{path:path}", objects, methods=["GET"]),
        ]
    )


def _base_of(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
