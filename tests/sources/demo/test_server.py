"""The server: ports, the JSON line, the clock and the counting. The vendors' own answers are tested in their folders."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sources.demo import server
from sources.demo.company import Company, build
from sources.demo.mounting import Mount, SandboxOptions
from sources.errors import ConfigurationError


class _Vendor:
    """A vendor of two instances that says what it was given."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []

    def mount(self, company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount:
        def hello(request: Request) -> PlainTextResponse:
            return PlainTextResponse(f"{request.app.state.name} {company.now.date()}")

        apps: dict[str, Any] = {}
        for name in instances:
            app = Starlette(routes=[Route("/hello", hello)])
            app.state.name = name
            apps[name] = app

        def describe(urls: Any) -> dict[str, Any]:
            return {**{name: {"base_url": url} for name, url in urls.items()}, "expected": {name: {} for name in urls}}

        return Mount(describe=describe, apps=apps, refresh=lambda: self.refreshed.append(str(options.now().date())))


def _get(url: str, method: str = "GET", body: bytes | None = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method), timeout=10) as answer:
        return answer.read().decode()


def test_one_server_mounts_every_instance_counts_requests_and_moves_the_clock(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vendor = _Vendor()
    monkeypatch.setattr(server, "sandbox_vendors", lambda: ["hubspot"])
    monkeypatch.setattr(server, "import_module", lambda _: SimpleNamespace(mount=vendor.mount))
    with server.serve(build(3, "small"), folder=tmp_path) as running:
        line = running.line()
        assert line["company_now"] == "2026-10-30T09:00:00Z"
        assert sorted(line["expected"]) == ["hubspot", "hubspot_emea"]
        one, two = line["hubspot"]["base_url"], line["hubspot_emea"]["base_url"]
        assert one != two
        assert _get(f"{one}/hello") == "hubspot 2026-10-30"
        assert _get(f"{two.replace('127.0.0.1', 'localhost')}/hello") == "hubspot_emea 2026-10-30"
        _get(f"{two}/hello")
        control = line["control"]["base_url"]
        assert json.loads(_get(f"{control}/_requests")) == {"hubspot": 1, "hubspot_emea": 2}
        moved = json.loads(_get(f"{one}/_company/advance", "POST", b'{"days": 7}'))
        assert moved["company_now"] == "2026-11-06T09:00:00Z"
        assert _get(f"{one}/hello") == "hubspot 2026-11-06"
        assert vendor.refreshed == ["2026-10-30", "2026-11-06"]
        assert (tmp_path / "truth" / "records.parquet").exists()
        assert json.loads((tmp_path / "truth" / "company.json").read_text())["now"] == "2026-11-06T09:00:00Z"


def test_a_vendor_that_the_company_does_not_use_is_served_apart_and_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vendor = _Vendor()
    monkeypatch.setattr(server, "sandbox_vendors", lambda: ["another", "hubspot"])
    monkeypatch.setattr(server, "import_module", lambda _: SimpleNamespace(mount=vendor.mount))
    with server.serve(build(3, "small"), folder=tmp_path) as running:
        line = running.line()
        assert line["apart"] == ["another"]
        assert list(running.base_urls) == ["control", "hubspot", "hubspot_emea", "another"]
        assert _get(f"{line['another']['base_url']}/hello") == "another 2026-10-30"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"days": -1}', b'{"days": "7"}', b'{"days": true}'])
def test_a_wrong_advance_is_refused_with_what_to_send(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: bytes
) -> None:
    monkeypatch.setattr(server, "sandbox_vendors", list)
    with server.serve(build(3, "small"), folder=tmp_path) as running:
        url = f"{running.base_urls['control']}/_company/advance"
        with pytest.raises(urllib.error.HTTPError) as refused:
            _get(url, "POST", body)
        assert refused.value.code == 400
        assert "days" in refused.value.read().decode()
        assert running.line()["company_now"] == "2026-10-30T09:00:00Z"


def test_a_port_in_use_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server, "sandbox_vendors", list)
    company = build(3, "small")
    with server.serve(company, folder=tmp_path) as running:
        port = int(running.base_urls["control"].rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match=f"port {port} .* choose another port"):
            server.serve(company, port, folder=tmp_path)


def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_headers() -> None:
    async def options_of_an_accepted_connection(bound: socket.socket) -> int:
        seen: asyncio.Queue[int] = asyncio.Queue()

        def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            seen.put_nowait(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(connected, sock=bound):
            _, writer = await asyncio.open_connection(*bound.getsockname()[:2])
            writer.close()
            return await asyncio.wait_for(seen.get(), 5)

    for bound in server._bind(0):
        assert asyncio.run(options_of_an_accepted_connection(bound)), "40 ms a request"
