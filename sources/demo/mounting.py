"""The joint between the demo company and a vendor's sandbox: what a sandbox gets, and what it gives back.

A vendor folder with a `sandbox.py` exposes `mount(company, instances, options) -> Mount`. This file holds types only;
it must not import a vendor, a web framework or the generator at run time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sources.demo.company import Company

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


def _nothing() -> None:
    """A vendor without files has nothing to renew when the clock moves."""


@dataclass(frozen=True)
class SandboxOptions:
    """Switches of one serving.

    `now` gives the company's clock (aware, UTC). `folder` is where a vendor of files writes its drops (`folder/<instance>`);
    it exists when `mount` is called. Requests are counted by the server, a sandbox need not count them.
    """

    now: Callable[[], datetime]
    folder: Path
    token_life_seconds: float = 7200.0
    rate_limit: bool = False


@dataclass(frozen=True)
class Refusal:
    """An answer with which a vendor refuses a request."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Mount:
    """What a vendor adds to the server.

    `apps`: one ASGI app per instance, served at the root of a port of its own; empty for a vendor of files.
    `describe`: called with {instance: base_url} (only of this mount's apps) after every port is bound; gives this vendor's
    part of the sandbox's JSON line, e.g. `{"hubspot": {...}, "expected": {"hubspot": {...}}}`. Parts are merged deeply.
    `refresh`: called once at the start (before `describe`) and after each advance of the company's clock.
    `refusals`: the vendor's own words for a fault of `chaos.py`: `quota` (the allowance is used up), and what differs.
    """

    describe: Callable[[Mapping[str, str]], dict[str, Any]]
    apps: Mapping[str, AsgiApp] = field(default_factory=dict[str, AsgiApp])
    refresh: Callable[[], None] = _nothing
    refusals: Mapping[str, Refusal] = field(default_factory=dict[str, Refusal])


class MountFunction(Protocol):
    """The signature of `mount` in `sources/<vendor>/sandbox.py`."""

    def __call__(self, company: Company, instances: Sequence[str], options: SandboxOptions) -> Mount: ...
