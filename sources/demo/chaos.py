"""A sandbox that misbehaves on demand: the faults of a wire, in front of any vendor's app, the same for the same seed.

Which request is met is decided by a random sequence per instance and by counting, so that a client that asks the same
gets the same. Only signed requests are met; sign-in stays as it is. A vendor's own refusals come from its `Mount`; what
the vendor says of a token that is not valid, it says itself: the token is exchanged for another on the way in.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sources.demo.mounting import AsgiApp, Message, Refusal
from sources.errors import ConfigurationError

PIECES, PIECE_SECONDS = 4, 0.05
"""How a slow body comes."""
HTML: Final = (
    b"<!DOCTYPE html><html><head><title>Service</title></head><body><h1>Please come back later</h1></body></html>"
)

REFUSALS: Final[Mapping[str, Refusal]] = {
    **{str(status): Refusal(status, b"") for status in (500, 502, 503, 530)},
    "429": Refusal(429, b""),
    "429 with Retry-After": Refusal(429, b"", {"retry-after": "1"}),
    "html": Refusal(200, HTML, {"content-type": "text/html;charset=utf-8"}),
}
"""What any server or anything between may answer. `quota` has a vendor's own shape, so it is in the vendor's `Mount`."""
KINDS: Final = (*REFUSALS, "quota", "expired", "reset", "truncated", "slow")


@dataclass(frozen=True)
class Fault:
    """What happens to which requests: a share of them, chosen by the seed, or those with these numbers (from 1)."""

    kind: str
    share: float = 0.0
    at: tuple[int, ...] = ()


PROFILES: Final[Mapping[str, tuple[Fault, ...]]] = {
    "errors": tuple(Fault(kind, 0.02) for kind in ("500", "502", "503", "530")),
    "busy": (Fault("429", 0.03), Fault("429 with Retry-After", 0.03)),
    "broken": tuple(Fault(kind, 0.02) for kind in ("reset", "truncated", "html")),
    "slow": (Fault("slow", 0.2),),
    "expiring": (Fault("expired", 0.02),),
    "quota": (Fault("quota", at=(20,)),),
    "everything": tuple(
        Fault(kind, 0.01)
        for kind in ("500", "502", "530", "429", "429 with Retry-After", "reset", "truncated", "slow", "expired")
    ),
}


class Chaos:
    """The faults of one serving. `met` counts them per instance and kind."""

    def __init__(self, faults: Sequence[Fault], seed: int) -> None:
        self.faults, self.seed = tuple(faults), seed
        self.met: dict[tuple[str, str], int] = {}

    def in_front_of(self, name: str, app: AsgiApp, own: Mapping[str, Refusal] | None = None) -> AsgiApp:
        """The app of the instance `name`, behind the faults. `own`: the vendor's shapes, which come first."""
        refusals = {**REFUSALS, **(own or {})}
        chance, number = random.Random(f"{self.seed}/{name}"), 0

        async def misbehaving(scope: Any, receive: Any, send: Any) -> None:
            nonlocal number
            if scope["type"] != "http" or not _is_signed(scope):
                await app(scope, receive, send)
                return
            number += 1
            kind = self._choose(chance, number)
            if kind:
                self.met[name, kind] = self.met.get((name, kind), 0) + 1
            await _serve(kind, app, refusals, scope, receive, send)

        return misbehaving

    def _choose(self, chance: random.Random, number: int) -> str | None:
        drawn = chance.random()
        for fault in self.faults:
            if number in fault.at or drawn < fault.share:
                return fault.kind
            drawn -= fault.share
        return None


def chaos_of(profile: str, seed: int) -> Chaos:
    """The profile of that name; an unknown one is a `ConfigurationError` that lists the known ones."""
    if profile not in PROFILES:
        raise ConfigurationError(f"There is no chaos profile {profile!r}. There are: {', '.join(PROFILES)}.")
    return Chaos(PROFILES[profile], seed)


async def _serve(
    kind: str | None, app: AsgiApp, refusals: Mapping[str, Refusal], scope: Any, receive: Any, send: Any
) -> None:
    if kind is None or (kind == "quota" and kind not in refusals):
        await app(scope, receive, send)
    elif kind in refusals:
        await _refuse(refusals[kind], send)
    elif kind == "expired":
        await app(
            {**scope, "headers": [(name, _forged(name, value)) for name, value in scope["headers"]]}, receive, send
        )
    elif kind == "reset":
        _transport(send).abort()
    else:
        await _broken(kind, app, scope, receive, send)


async def _refuse(refusal: Refusal, send: Any) -> None:
    headers = {"content-type": "application/json", **refusal.headers, "content-length": str(len(refusal.body))}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": raw})
    await send({"type": "http.response.body", "body": refusal.body})


async def _broken(kind: str, app: AsgiApp, scope: Any, receive: Any, send: Any) -> None:
    """The true answer, cut in half or in pieces with pauses between them."""
    start, body = await answer_of(app, scope, receive)
    await send(start)
    if kind == "truncated":
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        _transport(send).close()
        return
    size = len(body) // PIECES + 1
    for first in range(0, len(body), size):
        await asyncio.sleep(PIECE_SECONDS)
        await send({"type": "http.response.body", "body": body[first : first + size], "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def answer_of(app: AsgiApp, scope: Any, receive: Any) -> tuple[Message, bytes]:
    """The start message and the whole body of an app's answer."""
    start: Message = {}
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return start, b"".join(parts)


def _is_signed(scope: Any) -> bool:
    """It carries a token; a sign-in carries what a token is given for."""
    return any(_is_token(name, value) for name, value in scope["headers"])


def _is_token(name: bytes, value: bytes) -> bool:
    return name.endswith(b"-token") or (name == b"authorization" and value[:7].lower() == b"bearer ")


def _forged(name: bytes, value: bytes) -> bytes:
    if not _is_token(name, value):
        return value
    scheme, space, token = value.rpartition(b" ")
    return scheme + space + token[::-1]


def _transport(send: Any) -> Any:
    """The connection under a request; uvicorn's `send` is bound to the cycle that has it."""
    with suppress(AttributeError):
        return send.__self__.transport
    raise RuntimeError("a connection can be broken only where the app in front is chaos itself (under uvicorn)")
