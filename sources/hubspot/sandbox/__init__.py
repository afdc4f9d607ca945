"""HubSpot's API over the demo company: two portals, served to our source, to the tests and to anyone's client.

This file signs in, counts the rate and routes; what is answered is in the files beside it. It must not read
anything of the truth. Private app tokens: https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview
Errors and limits: https://developers.hubspot.com/docs/api-reference/error-handling and
https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from uuid import NAMESPACE_URL, uuid4, uuid5

from sources.demo.mounting import AsgiApp, Mount, Refusal, SandboxOptions
from sources.hubspot.sandbox import properties
from sources.hubspot.sandbox.objects import Objects, Refused, flag, object_name
from sources.hubspot.sandbox.rest import Rest
from sources.hubspot.sandbox.store import Row, Store
from sources.hubspot.sandbox.words import PORTALS

if TYPE_CHECKING:
    from sources.demo.company import Company

MAX_URL: Final = 16_384
BURST, BURST_SECONDS, SEARCHES_A_SECOND = 190, 10.0, 5
DAILY: Final = 650_000
UNLIMITED: Final = 1_000_000  # what the headers say while the limits are off
# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
DAY_IS_OVER: Final = Refusal(
    429,
    b'{"status":"error","message":"You have reached your daily limit.","errorType":"RATE_LIMIT",'
    b'"correlationId":"c033cdaa-2c40-4a64-ae48-b4cec88dad24","policyName":"DAILY","category":"RATE_LIMITS"}',
)
_DATED: Final = re.compile(
    r"^/(crm|marketing|account-info)/(?:(objects|properties|pipelines|owners|associations|forms)/)?"
    r"\d{4}-\d{2}(?:-beta)?(?=/|$)"
)

Answer = Row | tuple[int, Row]


@dataclass(frozen=True)
class Call:
    """One request that was let in."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Row

    @property
    def archived(self) -> bool:
        return flag(self.query.get("archived", [""])[0])


Handler = Callable[..., Answer]


def token_of(instance: str, seed: int) -> str:
    """The private app token of a portal: the same for the same company, in the vendor's form."""
    return f"{PORTALS[instance].token_prefix}-{uuid5(NAMESPACE_URL, f'hubspot/{instance}/{seed}')}"


class Portal:
    """One portal's endpoints: a route table over the handlers."""

    def __init__(self, store: Store, options: SandboxOptions, token: str) -> None:
        self.store, self.token, self.limits = store, token, Limits(options.rate_limit)
        self.objects, self.rest = Objects(store, options.now), Rest(store)
        part = r"([^/]+)"
        self.routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, re.compile(f"^{path}$".replace("{}", part)), handler)
            for method, path, handler in (
                ("GET", "/crm/v3/objects/{}", self._page),
                ("GET", "/crm/v3/objects/{}/{}", self._one),
                ("POST", "/crm/v3/objects/{}/search", self._search),
                ("POST", "/crm/v3/objects/{}/batch/read", self._batch_read),
                ("GET", "/crm/v3/properties/{}", self._properties),
                ("GET", "/crm/v3/properties/{}/{}", self._property),
                ("POST", "/crm/v4/associations/{}/{}/batch/read", self._association_batch),
                ("GET", "/crm/v4/associations/{}/{}/labels", self._labels),
                ("GET", "/crm/v4/objects/{}/{}/associations/{}", self._association_page),
                ("GET", "/crm/v3/owners", lambda call: self.rest.owners(call.query)),
                ("GET", "/crm/v3/owners/{}", lambda call, one: self.rest.owner(one, call.query)),
                ("GET", "/crm/v3/pipelines/{}", self._pipelines),
                ("GET", "/crm/v3/pipelines/{}/{}", self._pipeline),
                ("GET", "/marketing/v3/forms", lambda call: self.rest.forms(call.query)),
                ("GET", "/marketing/v3/forms/{}", lambda _call, one: self.rest.form(one)),
                ("GET", "/form-integrations/v1/submissions/forms/{}", self._submissions),
                ("GET", "/account-info/v3/details", lambda _call: self.rest.details()),
            )
        ]

    def answer(self, call: Call) -> Answer:
        """The answer to one request that was let in. Raises `Refused`."""
        path = _DATED.sub(_undated, call.path)
        seen = False
        for method, pattern, handler in self.routes:
            found = pattern.match(path)
            seen = seen or found is not None
            if found and method == call.method:
                return handler(call, *found.groups())
        if seen:
            raise Refused(405, f"Method {call.method} is not allowed here", "METHOD_NOT_ALLOWED")
        raise Refused(404, f"No endpoint matches {path}", "OBJECT_NOT_FOUND")

    def _name(self, given: str) -> str:
        return object_name(given, self.store)

    def _page(self, call: Call, kind: str) -> Answer:
        name = self._name(kind)
        return self.objects.page(name, call.query, f"https://api.hubapi.com/crm/v3/objects/{name}")

    def _one(self, call: Call, kind: str, record: str) -> Answer:
        return self.objects.one(self._name(kind), record, call.query)

    def _search(self, call: Call, kind: str) -> Answer:
        return self.objects.search(self._name(kind), call.body)

    def _batch_read(self, call: Call, kind: str) -> Answer:
        return self.objects.batch_read(self._name(kind), call.body, call.archived)

    def _properties(self, call: Call, kind: str) -> Answer:
        name = self._name(kind)
        return {"results": [] if call.archived else properties.definitions(name)}

    def _property(self, _call: Call, kind: str, prop: str) -> Answer:
        for one in properties.definitions(self._name(kind)):
            if one["name"] == prop:
                return one
        raise Refused(404, f"Property {prop} does not exist", "OBJECT_NOT_FOUND")

    def _association_batch(self, call: Call, kind: str, to: str) -> Answer:
        return self.objects.association_batch(self._name(kind), self._name(to), call.body)

    def _association_page(self, call: Call, kind: str, record: str, to: str) -> Answer:
        return self.objects.association_page(self._name(kind), record, self._name(to), call.query)

    def _labels(self, _call: Call, kind: str, to: str) -> Answer:
        return {"results": self.store.labels(self._name(kind), self._name(to))}

    def _pipelines(self, _call: Call, kind: str) -> Answer:
        return self.rest.pipelines(self._name(kind))

    def _pipeline(self, _call: Call, kind: str, one: str) -> Answer:
        return self.rest.pipeline(self._name(kind), one)

    def _submissions(self, call: Call, form: str) -> Answer:
        return self.rest.submissions(form, call.query)


def _undated(found: re.Match[str]) -> str:
    """The v3 (associations: v4) path that a date-versioned one stands for."""
    family, kind = found.groups()
    version = "v4" if kind == "associations" else "v3"
    return f"/{family}/{version}/{kind}" if kind else f"/{family}/{version}"


class Limits:
    """HubSpot's rate limits of a private app: 190 requests in 10 seconds, searches 5 a second, counted apart."""

    def __init__(self, on: bool) -> None:
        self.on, self._lock = on, Lock()
        self._burst: deque[float] = deque()
        self._searches: deque[float] = deque()
        self.day = 0

    def admit(self, search: bool) -> tuple[dict[str, str], str | None]:
        """Headers of the answer, and the policy that refuses it (None = let in)."""
        with self._lock:
            now = monotonic()
            window, most, seconds = (
                (self._searches, SEARCHES_A_SECOND, 1.0) if search else (self._burst, BURST, BURST_SECONDS)
            )
            if not self.on:
                most = UNLIMITED
            while window and now - window[0] >= seconds:
                window.popleft()
            if len(window) >= most:
                return {}, "SECONDLY" if search else "TEN_SECONDLY_ROLLING"
            window.append(now)
            self.day += 1
            if search:  # search answers carry no rate-limit headers
                return {}, None
            return {
                "X-HubSpot-RateLimit-Daily": str(DAILY),
                "X-HubSpot-RateLimit-Daily-Remaining": str(DAILY - self.day),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(BURST_SECONDS * 1000)),
                "X-HubSpot-RateLimit-Max": str(most),
                "X-HubSpot-RateLimit-Remaining": str(max(0, most - len(window))),
            }, None


def _refusal(problem: Refused) -> Row:
    return {
        "status": "error",
        "message": str(problem),
        "correlationId": str(uuid4()),
        "category": problem.category,
        **problem.more,
    }


def _admit(portal: Portal, authorization: str, path: str, url_length: int) -> dict[str, str]:
    """The headers of an answer to a request that is let in; refusals in HubSpot's own words."""
    if url_length > MAX_URL:
        raise Refused(414, "URI Too Long", "URI_TOO_LONG")
    if authorization != f"Bearer {portal.token}":
        message = (
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
        )
        raise Refused(401, message, "INVALID_AUTHENTICATION")
    headers, policy = portal.limits.admit(path.endswith("/search"))
    if policy:
        told = "secondly" if policy == "SECONDLY" else "ten_secondly_rolling"
        message = f"You have reached your {told} limit."
        raise Refused(429, message, "RATE_LIMITS", errorType="RATE_LIMIT", policyName=policy)
    return headers


def _application(portal: Portal) -> AsgiApp:
    """The ASGI app of one portal. Paths are taken with and without a trailing slash."""
    import orjson
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response

    def work(request: Request, raw: bytes) -> Response:
        path, headers = request.url.path.rstrip("/") or "/", dict[str, str]()
        try:
            length = len(request.scope["raw_path"]) + len(request.scope["query_string"])
            headers = _admit(portal, request.headers.get("authorization", ""), path, length)
            try:
                body: Any = orjson.loads(raw) if raw else {}
            except orjson.JSONDecodeError:
                raise Refused(400, "Invalid input JSON") from None
            query = parse_qs(request.scope["query_string"].decode(), keep_blank_values=True)
            found = portal.answer(Call(request.method, path, query, body))
            status, content = found if isinstance(found, tuple) else (200, found)
        except Refused as problem:
            status, content = problem.status, _refusal(problem)
        return Response(orjson.dumps(content), status, headers, media_type="application/json;charset=utf-8")

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await run_in_threadpool(work, request, await request.body())
        await response(scope, receive, send)

    return app


def mount(company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount:
    """Serves the given portals; `describe` gives their part of the JSON line with the expected counts."""
    portals = {
        name: Portal(Store(company, name), options, token_of(name, company.seed))
        for name in instances
        if name in PORTALS
    }

    def describe(base_urls: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        for name, portal in portals.items():
            line[name] = {"base_url": base_urls[name], "token": portal.token}
            active = portal.rest.owners({"limit": ["500"]})
            line["expected"][name] = {**portal.store.counts(), "owners": len(active["results"])}
            line["expected"][f"{name}_associations"] = portal.store.association_counts()
        return line

    apps = {name: _application(portal) for name, portal in portals.items()}
    return Mount(describe=describe, apps=apps, refusals={"quota": DAY_IS_OVER})
