"""Chaos: the same seed gives the same faults at the same requests; `tsunagu sandbox --chaos` puts it in front of every tool."""

from __future__ import annotations

import asyncio
import http.client
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from orchestration import cli
from sources.demo import server
from sources.demo.chaos import PROFILES, Chaos, Fault, chaos_of
from sources.demo.company import Company
from sources.demo.mounting import Mount, SandboxOptions
from sources.errors import ConfigurationError

SIGNED = [(b"authorization", b"Bearer abc")]


def faults(chaos: Chaos, requests: int = 300, name: str = "tool", headers: Any = SIGNED) -> list[int]:
    """The status of each answer; the app's own is 200. Faults that break connections are not for this."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    front, found = chaos.in_front_of(name, app), []

    async def keep(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.append(message["status"])

    async def ask() -> None:
        for _ in range(requests):
            await front({"type": "http", "path": "/", "headers": headers}, None, keep)

    asyncio.run(ask())
    return found


@pytest.mark.parametrize("profile", ["errors", "busy"])
def test_the_same_seed_gives_the_same_faults_at_the_same_requests(profile: str) -> None:
    first = faults(chaos_of(profile, 7))
    assert set(first) > {200}
    assert first == faults(chaos_of(profile, 7))
    assert first != faults(chaos_of(profile, 8))


def test_each_instance_has_faults_of_its_own() -> None:
    chaos = chaos_of("errors", 7)
    assert faults(chaos, name="one") != faults(chaos, name="other")


def test_a_sign_in_is_let_through_and_not_counted() -> None:
    chaos = Chaos([Fault("500", at=(1,))], 1)
    assert faults(chaos, 3, headers=[(b"authorization", b"Basic abc")]) == [200, 200, 200]
    assert faults(chaos, 3) == [500, 200, 200]


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)no chaos profile 'errrors'.*errors, busy"):
        chaos_of("errrors", 7)


def _mount(_company: Company, instances: Sequence[str], _options: SandboxOptions) -> Mount:
    apps: dict[str, Any] = {
        name: Starlette(routes=[Route("/rows", lambda _: JSONResponse(list(range(1_000))))]) for name in instances
    }
    return Mount(describe=lambda urls: {name: {"base_url": url} for name, url in urls.items()}, apps=apps)


def _ask(base_url: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    try:
        connection.request("GET", "/rows", headers={"Authorization": "Bearer abc"})
        answer = connection.getresponse()
        body = answer.read()
        return f"{answer.status} {'html' if body[:1] == b'<' else 'rows' if body[:1] == b'[' else body.decode()}"
    except (http.client.HTTPException, OSError) as problem:
        return type(problem).__name__
    finally:
        connection.close()


def _served_by(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What 60 requests to each instance get from `tsunagu sandbox` with these arguments."""
    from orchestration.verbs import demo

    found: dict[str, list[str]] = {}

    def ask(line: Any) -> str:
        for name in ("hubspot", "hubspot_emea"):
            found[name] = [_ask(line[name]["base_url"]) for _ in range(60)]
        return ""

    monkeypatch.setattr(demo, "_in_words", ask)
    monkeypatch.setattr(demo, "_until_stopped", lambda _: None)
    assert cli.main(["sandbox", *arguments]) == 0
    return found


def test_the_command_serves_every_tool_behind_the_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, company: Company
) -> None:
    monkeypatch.setattr(server, "sandbox_vendors", lambda: ["hubspot"])
    monkeypatch.setattr(server, "import_module", lambda _: SimpleNamespace(mount=_mount))
    monkeypatch.setattr("sources.demo.truth.write", lambda *_: None)
    monkeypatch.setattr("sources.demo.company.build", lambda seed, _scale: SimpleNamespace(**_like(company, seed)))
    broken = ["--folder", str(tmp_path), "--chaos", "broken"]
    first = _served_by(["--seed", "3", *broken], monkeypatch)
    assert {"200 rows", "200 html"} < set(first["hubspot"] + first["hubspot_emea"])
    assert first["hubspot"] != first["hubspot_emea"]
    assert first == _served_by(["--seed", "3", *broken], monkeypatch)
    assert first != _served_by(["--seed", "4", *broken], monkeypatch)
    assert set(_served_by(["--seed", "3", "--folder", str(tmp_path)], monkeypatch)["hubspot"]) == {"200 rows"}


def _like(company: Company, seed: int) -> dict[str, Any]:
    return {"seed": seed, "now": company.now, "instances": company.instances, "scale": company.scale}


def test_every_profile_has_faults_that_a_wire_can_have() -> None:
    chance = random.Random(1)
    for profile in PROFILES:
        drawn = {chaos_of(profile, 1)._choose(chance, number) for number in range(1, 2_000)}
        assert drawn > {None}, profile
