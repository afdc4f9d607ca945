"""kintone's API over the demo company: one domain with the company's apps, served to our source, the tests and any client.

This file speaks HTTP; what is answered is in the files beside it. It must not read anything of the truth. Overview of
headers and addresses: https://kintone.dev/en/docs/kintone/rest-api/overview/kintone-rest-api-overview/
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from sources.demo.mounting import AsgiApp, Mount, SandboxOptions
from sources.kintone.sandbox.query import Refused
from sources.kintone.sandbox.rest import Call, Rest, Row
from sources.kintone.sandbox.store import Store

if TYPE_CHECKING:
    from sources.demo.company import Company

_PATH: Final = re.compile(r"/k/(?:guest/\d+/)?v1/(.+)")
Fault = Callable[[Call], tuple[int, str, bytes] | None]
"""Raises `Refused`, or gives status, media type and body, to answer a call otherwise; None lets it pass."""


class Domain:
    """One kintone domain. `faults` are asked, and used up, before a call is answered."""

    def __init__(self, company: Company, instance: str, options: SandboxOptions) -> None:
        self.company, self.instance = company, instance
        self.store = Store(company, instance)
        self.rest = Rest(self.store, company.seed, options.now, options.rate_limit)
        self.faults: deque[tuple[re.Pattern[str], Fault]] = deque()
        self.log: list[Call] = []

    def fail(self, path: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls whose path matches are answered by the fault."""
        self.faults.extend([(re.compile(path), fault)] * times)

    def planned(self, call: Call) -> tuple[int, str, bytes] | None:
        """What a fault answers to the call, if one was planned."""
        for fault in list(self.faults):
            if fault[0].search(call.path):
                self.faults.remove(fault)
                return fault[1](call)
        return None

    def access(self) -> dict[str, dict[str, str]]:
        """The setting `apps`."""
        return {app.name: {"id": str(app.id), "token": self.rest.tokens[app.id]} for app in self.store.apps.values()}


def _parameters(text: bytes) -> Row:
    """`fields[0]=…`, `fields[]=…` and a repeated `fields` are all a list, as clients write them."""
    found: Row = {}
    for name, value in parse_qsl(text.decode(), keep_blank_values=True):
        bare = re.sub(r"\[\d*\]$", "", name)
        if bare != name or bare in found or bare == "fields":
            earlier = found.get(bare, [])
            found[bare] = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        else:
            found[bare] = value
    return found


def _application(here: Domain) -> AsgiApp:
    """The ASGI app of one domain. Paths are taken with and without a trailing slash."""
    import orjson
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response

    numbers = count(1)

    def refused(problem: Refused) -> Response:
        body = {"code": problem.code, "id": f"sandbox{next(numbers):012d}", "message": str(problem)}
        return Response(orjson.dumps(body), problem.status, media_type="application/json")

    def work(request: Request, raw: bytes) -> Response:
        found = _PATH.fullmatch(request.url.path.rstrip("/"))
        if found is None:
            return refused(Refused(404, "CB_NF01", "Not found."))
        asked = _parameters(request.scope["query_string"])
        if raw and "json" in request.headers.get("content-type", ""):
            try:
                sent: Any = orjson.loads(raw)
            except orjson.JSONDecodeError:
                return refused(Refused(400, "CB_IJ01", "Invalid JSON string."))
            asked |= sent if isinstance(sent, dict) else {}
        method = request.headers.get("x-http-method-override", "") if request.method == "POST" else ""
        tokens = [token for value in request.headers.getlist("x-cybozu-api-token") for token in value.split(",")]
        call = Call(method or request.method, found[1], asked, tuple(token.strip() for token in tokens))
        here.log.append(call)
        try:
            other = here.planned(call)
            if other is not None:
                return Response(other[2], other[0], media_type=other[1])
            return Response(orjson.dumps(here.rest.answer(call)), media_type="application/json;charset=UTF-8")
        except Refused as problem:
            return refused(problem)

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await run_in_threadpool(work, request, await request.body())
        await response(scope, receive, send)

    return app


def mount(company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount:
    """Serves the given domains; `describe` gives their part of the JSON line with the expected counts."""
    return mount_all({name: Domain(company, name, options) for name in instances})


def mount_all(here: Mapping[str, Domain]) -> Mount:
    """The same for domains that someone holds already, to give them faults."""

    def describe(base_urls: Mapping[str, str]) -> dict[str, Any]:
        line: dict[str, Any] = {"expected": {}}
        for name, domain in here.items():
            # kintone's own client takes plain http on `localhost` only.
            address = base_urls[name].replace("127.0.0.1", "localhost")
            line[name] = {"base_url": address, "apps": domain.access()}
            line["expected"][name] = domain.store.counts()
        return line

    return Mount(describe=describe, apps={name: _application(domain) for name, domain in here.items()})
