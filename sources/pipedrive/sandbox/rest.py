"""Pipedrive's API as an ASGI app over one account: listings in pages, refusals in the vendor's shape, allowances.

- listings, filters, fields: https://developers.pipedrive.com/docs/api/v1
- answers: https://pipedrive.readme.io/docs/core-api-concepts-responses
- texts of 429, 403 (there of an OAuth scope) and 404 of an item:
  https://pipedrive.readme.io/docs/marketplace-oauth-and-api-proxy-status-codes
- cursors: https://pipedrive.readme.io/docs/core-api-concepts-pagination
- allowances: https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting
This file must not hold SQL beyond conditions of a listing.
"""

from __future__ import annotations

import base64
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sources.pipedrive.sandbox.sql import FIELDS
from sources.pipedrive.sandbox.store import Row, Store

_PAGE: Final = frozenset({"limit", "cursor"})
_SORT: Final = _PAGE | {"sort_by", "sort_direction"}
_TIMES: Final = _SORT | {
    "filter_id",
    "ids",
    "owner_id",
    "updated_since",
    "updated_until",
    "include_fields",
    "custom_fields",
}
TAKES: Final[Mapping[str, frozenset[str]]] = {
    "pipelines": _SORT,
    "stages": _SORT | {"pipeline_id"},
    "organizations": _TIMES,
    "persons": _TIMES | {"org_id"},
    "deals": _TIMES | {"person_id", "org_id", "pipeline_id", "stage_id", "status"},
    "activities": (_TIMES | {"deal_id", "lead_id", "person_id", "org_id", "done"}) - {"custom_fields"},
    "products": _SORT | {"filter_id", "ids", "owner_id", "custom_fields"},
    "deal_products": _SORT | {"deal_ids"},
}
"""Parameters that a listing takes; any other is refused, as v2 does."""
SORTS: Final = frozenset({"id", "add_time", "update_time"})
EQUAL: Final = ("owner_id", "person_id", "org_id", "deal_id", "pipeline_id", "stage_id")
STATUSES: Final = ("open", "won", "lost", "deleted")
TOKENS: Final = {"pipelines": 5, "stages": 5, "users": 20}
"""What a listing costs where it is not 10."""
OVER_LIMIT: Final = orjson.dumps(
    {
        "success": False, "error": "Request over limit", "error_info": "You have exceeded the rate limit.",
        "data": None, "additional_data": None,
    }
)  # fmt: skip


@dataclass
class AccountOptions:
    """Switches of this sandbox alone. `tokens` is the allowance of the day; `refused` are paths the user may not see."""

    api_token: str = "4f6b1e90c2a7d358e01b9f7ac35d2840demo7e1c"
    largest_page: int = 500
    requests_in_two_seconds: int = 20
    tokens: int = 3_000_000
    refused: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    refusals: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])
    """Answers (status, body) that come instead of the next ones."""


class ApiError(Exception):
    """An answer of `success: false` with its status."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class Account:
    """The API of one company."""

    def __init__(self, store: Store, options: AccountOptions, limited: bool, now: Callable[[], datetime]) -> None:
        self.store, self.options, self.limited, self.now = store, options, limited, now
        self.spent, self._recent, self._lock = 0, deque[float](), threading.Lock()

    def answer(self, path: str, params: QueryParams, token: str) -> Response:
        """The answer to a GET below `/api/`."""
        headers: dict[str, str] = {}
        try:
            if not hmac.compare_digest(token.encode(), self.options.api_token.encode()):
                raise ApiError(401, "unauthorized access")
            headers = self._admit()
            if path in self.options.refused:
                raise ApiError(403, "Scope and URL mismatch")
            body = self._body(path, params)
            return Response(_dumped(body), 200, headers, "application/json")
        except ApiError as refused:
            if refused.status == 429:
                return Response(OVER_LIMIT, 429, headers, "application/json")
            info = "Please check developers.pipedrive.com for more information about Pipedrive API."
            told = {"success": False, "error": refused.error, "error_info": info, "data": None, "additional_data": None}
            return Response(orjson.dumps(told), refused.status, headers, "application/json")

    def _admit(self) -> dict[str, str]:
        """The headers of the window of two seconds; over it, or over the day's tokens, a refusal."""
        with self._lock:
            now, most = self.options.clock(), self.options.requests_in_two_seconds
            while self._recent and self._recent[0] <= now - 2:
                self._recent.popleft()
            if (self.limited and len(self._recent) >= most) or self.spent >= self.options.tokens:
                raise ApiError(429, "Request over limit")
            self._recent.append(now)
            left = most - len(self._recent) if self.limited else most
        return {"x-ratelimit-limit": str(most), "x-ratelimit-remaining": str(left), "x-ratelimit-reset": "2"}

    def _body(self, path: str, params: QueryParams) -> Row:
        version, _, rest = path.partition("/")
        if (version, rest) == ("v1", "users"):
            self.spent += TOKENS["users"]
            rows = self.store.rows("users", "true", [], "id", 100_000)
            return {"success": True, "data": [_as_v1(row) for row in rows]}
        if version == "v2" and rest.removesuffix("Fields") in FIELDS and rest.endswith("Fields"):
            self.spent += 10
            return _page([_field(*pair) for pair in FIELDS[rest.removesuffix("Fields")].items()], None)
        kind, _, item = rest.partition("/")
        if version != "v2" or kind not in TAKES or kind == "deal_products":
            raise ApiError(404, "Unknown method .")
        if item.isdigit():
            return self._item(kind, int(item))
        if item and (kind, item) not in (("deals", "archived"), ("deals", "products")):
            raise ApiError(404, "Unknown method .")
        self.spent += TOKENS.get(kind, 10)
        return self.listing("deal_products" if item == "products" else kind, params, archived=item == "archived")

    def _item(self, kind: str, number: int) -> Row:
        self.spent += 1
        rows = self.store.rows(kind, "id = ? and not is_deleted", [number], "id", 1)
        if not rows:
            raise ApiError(404, f"{kind.removesuffix('s').capitalize()} not found")
        return {"success": True, "data": rows[0]}

    def listing(self, kind: str, params: QueryParams, archived: bool = False) -> Row:
        """One page. The cursor names the first item of the next page by what the listing is sorted by."""
        unknown = sorted(set(params) - TAKES[kind])
        if unknown:
            raise ApiError(400, f"Parameter '{unknown[0]}' is not allowed")
        limit = params.get("limit", "100")
        if not limit.isdigit() or not 1 <= int(limit) <= 500:
            raise ApiError(400, "Parameter 'limit' must be between 1 and 500")
        by, way = params.get("sort_by", "id"), params.get("sort_direction", "asc")
        if by not in SORTS or way not in ("asc", "desc"):
            raise ApiError(400, "Parameter 'sort_by' or 'sort_direction' is not valid")
        parts, values = self._conditions(kind, params, archived)
        slot, sign = "?" if by == "id" else "?::timestamp", ">=" if way == "asc" else "<="
        if "cursor" in params:
            at = _opened(params["cursor"])
            if at.get("field") != by or at.get("sortDirection") != way:
                raise ApiError(400, "Parameter 'cursor' is not valid")
            parts.append(f"({by}, id) {sign} ({slot}, ?)")
            values += [at["fieldValue"], at["id"]]
        size = min(int(limit), self.options.largest_page)
        rows = self.store.rows(kind, " and ".join(parts), values, f"{by} {way}, id {way}", size + 1)
        following = None
        if len(rows) > size:
            first = rows.pop()
            mark = {"field": by, "fieldValue": first[by], "sortDirection": way, "id": first["id"]}
            following = base64.urlsafe_b64encode(_dumped(mark)).decode().rstrip("=")
        return _page(rows, following)

    def _conditions(self, kind: str, params: QueryParams, archived: bool) -> tuple[list[str], list[Any]]:
        parts, values = [f"is_archived = {archived}" if kind == "deals" else "true"], list[Any]()
        if kind == "deals" and "status" in params:
            wanted = params["status"].split(",")
            if not set(wanted) <= set(STATUSES):
                raise ApiError(400, "Parameter 'status' is not valid")
            parts.append(
                f"status in ({', '.join('?' * len(wanted))}) and (not is_deleted or update_time > ?::timestamp)"
            )
            values += [*wanted, (self.now() - timedelta(days=30)).astimezone(UTC).replace(tzinfo=None).isoformat()]
        else:
            parts.append("not is_deleted")
        for name in EQUAL:
            if name in params:
                parts.append(f"{name} = ?")
                values.append(_number(params[name]))
        if "done" in params:
            parts.append(f"done = {params['done'] == 'true'}")
        for name, column in (("ids", "id"), ("deal_ids", "deal_id")):
            if name in params:
                numbers = [_number(text) for given in params.getlist(name) for text in given.split(",")]
                if len(numbers) > 100:
                    raise ApiError(400, f"Parameter '{name}' takes 100 at most")
                parts.append(f"{column} in ({', '.join(map(str, numbers))})")
        if kind == "deal_products" and "deal_ids" not in params:
            raise ApiError(400, "Parameter 'deal_ids' is required")
        for name, sign in (("updated_since", ">="), ("updated_until", "<")):
            if name in params:
                parts.append(f"update_time {sign} ?::timestamp")
                values.append(_moment(params[name]))
        return parts, values


def _page(rows: list[Row], cursor: str | None) -> Row:
    return {"success": True, "data": rows, "additional_data": {"next_cursor": cursor}}


def _field(code: str, name: str) -> Row:
    return {
        "field_name": name, "field_code": code, "field_type": "varchar", "options": None, "subfields": None,
        "is_custom_field": len(code) == 40, "is_optional_response_field": False,
    }  # fmt: skip


def _as_v1(row: Row) -> Row:
    """v1 tells instants without a zone, in UTC."""
    return {key: f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value for key, value in row.items()}


def _dumped(body: Row) -> bytes:
    """v2 tells instants by RFC 3339, in UTC with a Z."""
    return orjson.dumps(body, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z)


def _number(text: str) -> int:
    if not text.isdigit():
        raise ApiError(400, f"'{text}' is not a number")
    return int(text)


def _opened(cursor: str) -> Row:
    try:
        return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise ApiError(400, "Parameter 'cursor' is not valid") from None


def _moment(text: str) -> str:
    """An instant of a filter, in UTC. A plus sign that was not encoded arrives as a space, and is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, "Instants must be in RFC 3339 format") from None
    if moment.tzinfo is None:
        raise ApiError(400, "Instants must be in RFC 3339 format")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def make_app(account: Account) -> Starlette:
    """The app of one company, at the root of its port."""

    async def get(request: Request) -> Response:
        if account.options.refusals:
            status, body = account.options.refusals.popleft()
            return Response(body, status, media_type="application/json")
        token = request.headers.get("x-api-token") or request.query_params.get("api_token", "")
        given = QueryParams([pair for pair in request.query_params.multi_items() if pair[0] != "api_token"])
        return await run_in_threadpool(account.answer, request.path_params["path"], given, token)

    return Starlette(routes=[Route("/api/{path:path}", get, methods=["GET"])])
