"""Marketo's API over the demo company: one subscription, served to our source, to the tests and to anyone's client.

This file routes and speaks HTTP; what is answered is in the files beside it. It must not read anything of the truth.
Endpoints: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/endpoint-reference
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from sources.demo.mounting import AsgiApp, Mount, Refusal, SandboxOptions
from sources.marketo.sandbox.assets import Assets
from sources.marketo.sandbox.exports import Exports
from sources.marketo.sandbox.rest import Rest
from sources.marketo.sandbox.store import Store
from sources.marketo.sandbox.wire import (
    MAX_URL,
    Answer,
    Call,
    Handler,
    Limits,
    Plain,
    Refused,
    Tokens,
    refusal,
    success,
)

if TYPE_CHECKING:
    from sources.demo.company import Company

SINCE: Final = "2023-11-01T00:00:00Z"
# https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
DAY_IS_OVER: Final = Refusal(
    200,
    b'{"requestId":"e0ad#sandbox","success":false,"errors":[{"code":"607","message":"Daily API Request limit reached"}]}',
)
Fault = Callable[[Call], None]
"""Raises `Refused` or `Plain` to answer a call otherwise."""


class Subscription:
    """One subscription: a route table over the handlers. `faults` are asked, and used up, before a call is answered."""

    def __init__(self, company: Company, instance: str, options: SandboxOptions) -> None:
        self.company, self.instance = company, instance
        self.store = Store(company, instance)
        self.tokens = Tokens(instance, company.seed, options.token_life_seconds)
        self.limits = Limits(options.rate_limit)
        self.exports = Exports(self.store)
        self.faults: deque[tuple[re.Pattern[str], Fault]] = deque()
        self._numbers = count(1)
        rest, assets, exports = Rest(self.store, self.limits), Assets(self.store), self.exports
        kind, one = "(leads|activities|program/members)", "([^/]+)"
        routes: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/rest/v1/leads/describe", rest.describe),
            ("GET", "/rest/v1/leads/describe2", rest.describe2),
            ("GET", "/rest/v1/programs?/members/describe", rest.describe_members),
            ("GET", f"/rest/v1/lead/{one}", rest.lead),
            ("GET", "/rest/v1/leads", rest.leads),
            ("GET", f"/rest/v1/leads/programs/{one}", rest.program_leads),
            ("GET", f"/rest/v1/lists?/{one}/leads", rest.list_leads),
            ("GET", "/rest/v1/lists", rest.lists),
            ("GET", f"/rest/v1/programs/{one}/members", rest.members),
            ("GET", "/rest/v1/activities/types", rest.types),
            ("GET", "/rest/v1/activities/pagingtoken", rest.paging_token),
            ("GET", "/rest/v1/activities", rest.activities),
            ("GET", "/rest/v1/activities/leadchanges", rest.lead_changes),
            ("GET", "/rest/v1/activities/deletedleads", rest.deleted_leads),
            ("GET", "/rest/v1/stats/usage", rest.usage),
            ("GET", "/rest/v1/stats/errors", rest.errors),
            ("GET", "/rest/asset/v1/programs", assets.programs),
            ("GET", "/rest/asset/v1/program/byName", assets.program_by_name),
            ("GET", f"/rest/asset/v1/program/{one}", assets.program),
            ("GET", "/rest/asset/v1/staticLists", assets.static_lists),
            ("GET", f"/rest/asset/v1/staticList/{one}", assets.static_list),
            ("GET", "/rest/asset/v1/channels", assets.channels),
            ("GET", f"/bulk/v1/{kind}/export", exports.listed),
            ("POST", f"/bulk/v1/{kind}/export/create", exports.create),
            ("POST", f"/bulk/v1/{kind}/export/{one}/enqueue", exports.enqueue),
            ("POST", f"/bulk/v1/{kind}/export/{one}/cancel", exports.cancel),
            ("GET", f"/bulk/v1/{kind}/export/{one}/status", exports.status),
            ("GET", f"/bulk/v1/{kind}/export/{one}/file", exports.file),
        )
        self._routes = [(method, re.compile(rf"{path}\.json"), handler) for method, path, handler in routes]

    def answer(self, call: Call) -> Answer:
        """The whole answer to one call; errors as Marketo words them. Raises `Plain` for what is no JSON."""
        request_id = f"{next(self._numbers):x}#sandbox"
        try:
            self.tokens.check(call.headers.get("authorization", ""))
            self.limits.enter()
            try:
                self._fail(call)
                return success(request_id, self._handle(call))
            finally:
                self.limits.leave()
        except Refused as problem:
            self.limits.errors[str(problem.code)] += 1
            return refusal(request_id, problem)

    def fail(self, path: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls whose path matches are answered by the fault."""
        self.faults.extend([(re.compile(path), fault)] * times)

    def _fail(self, call: Call) -> None:
        for planned in list(self.faults):
            if planned[0].search(call.path):
                self.faults.remove(planned)
                planned[1](call)
                return

    def _handle(self, call: Call) -> Answer:
        seen = False
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(call.path)
            seen = seen or found is not None
            if found and method == call.method:
                return handler(call, *found.groups())
        raise (
            Refused(605, f"HTTP Method '{call.method}' not supported")
            if seen
            else Refused(610, "Requested resource not found")
        )


def _parameters(text: bytes) -> dict[str, str]:
    """Parameters of an address or a form. One that is repeated counts as a list by comma."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(text.decode(), keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _application(here: Subscription) -> AsgiApp:
    """The ASGI app of one subscription. Paths are taken with and without a trailing slash."""
    import orjson
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response

    def work(request: Request, raw: bytes) -> Response:
        path = request.url.path.rstrip("/")
        query = _parameters(request.scope["query_string"])
        form = "json" not in request.headers.get("content-type", "json")
        sent = _parameters(raw) if form and raw else {}
        if path == "/identity/oauth/token":
            status, token = here.tokens.issue({**query, **sent})
            return Response(orjson.dumps(token), status, media_type="application/json")
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > MAX_URL:
            return Response("Request-URI Too Long", 414, media_type="text/plain")
        method = request.method
        if method == "POST" and ({**query, **sent}.get("_method") or "").upper() == "GET":
            method, query = "GET", {**query, **sent}
        try:
            body: Any = orjson.loads(raw) if raw and not form else {}
        except orjson.JSONDecodeError:
            return Response(
                orjson.dumps(refusal("sandbox", Refused(609, "Invalid JSON"))), media_type="application/json"
            )
        given = body if isinstance(body, dict) else {}
        try:
            answer = here.answer(Call(method, path, query, given, dict(request.headers)))
        except Plain as other:
            return Response(other.body, other.status, dict(other.headers), media_type=other.media_type)
        return Response(orjson.dumps(answer), media_type="application/json;charset=UTF-8")

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await run_in_threadpool(work, request, await request.body())
        await response(scope, receive, send)

    return app


def mount(company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount:
    """Serves the given subscriptions; `describe` gives their part of the JSON line with the expected counts."""
    return mount_all({name: Subscription(company, name, options) for name in instances}, options)


def mount_all(here: Mapping[str, Subscription], options: SandboxOptions) -> Mount:
    """The same for subscriptions that someone holds already, to give them faults."""

    def describe(base_urls: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        for name, one in here.items():
            until = one.company.now + timedelta(minutes=1)
            line[name] = {
                "base_url": base_urls[name],
                "client_id": one.tokens.client_id,
                "client_secret": one.tokens.client_secret,
                "since": SINCE,
                "until": f"{until:%Y-%m-%dT%H:%M:%SZ}",
                "poll_seconds": 0,
                **({} if options.rate_limit else {"calls_per_20_seconds": 0}),
            }
            line["expected"][name] = one.store.counts()
        return line

    apps = {name: _application(one) for name, one in here.items()}
    return Mount(describe=describe, apps=apps, refusals={"quota": DAY_IS_OVER})
