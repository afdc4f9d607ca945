"""What every answer of the sandbox goes through: tokens, limits, the envelope of answers and of errors.

Errors come in HTTP 200 with a code as text: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
Limits: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices
This file must not know leads.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from threading import Lock
from time import monotonic
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

CALLS, SECONDS, AT_ONCE, DAILY_CALLS = 100, 20.0, 10, 50_000
MAX_URL: Final = 8_192

Answer = dict[str, Any]


class Refused(Exception):
    """An error of the response level."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Plain(Exception):
    """An answer that is no JSON: status, headers, body."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str], media_type: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers, self.media_type = status, body, headers, media_type


@dataclass(frozen=True)
class Call:
    """One request that was let in. `query` holds what came in the address and, for a POST with `_method=GET`, in the form."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    def listed(self, name: str) -> list[str]:
        """The values of a comma-separated parameter."""
        return [one.strip() for one in self.query.get(name, "").split(",") if one.strip()]

    def needed(self, name: str) -> str:
        """The value of a parameter that must be there."""
        if not self.query.get(name):
            raise Refused(1002, f"Missing value for required parameter '{name}'")
        return self.query[name]

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number, at most `most`."""
        text = self.query.get(name) or str(default)
        if not text.isdecimal():
            raise Refused(1001, f"Invalid value '{text}'. Required of type 'Integer'")
        return min(int(text), most)


class Tokens:
    """One custom service: `expires_in` is the remaining life, an early call gives the same token."""

    def __init__(self, instance: str, seed: int, life_seconds: float) -> None:
        self.client_id = str(uuid5(NAMESPACE_URL, f"marketo/{instance}/{seed}/id"))
        self.client_secret = uuid5(NAMESPACE_URL, f"marketo/{instance}/{seed}/secret").hex
        self._base, self._life = f"{instance}/{seed}", min(life_seconds, 3_600.0)
        self._number = count(1)
        self._token, self._ends, self._old = "", 0.0, set[str]()
        self._lock = Lock()

    def issue(self, asked: Mapping[str, str]) -> tuple[int, Answer]:
        """The answer of the identity endpoint."""
        if asked.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"}
        if asked.get("client_id") != self.client_id:
            given = asked.get("client_id")
            return 401, {"error": "invalid_client", "error_description": f"No client with requested id: {given}"}
        if asked.get("client_secret") != self.client_secret:
            return 401, {"error": "unauthorized", "error_description": "Bad client credentials"}
        with self._lock:
            now = monotonic()
            if now >= self._ends:
                self._old.add(self._token)
                self._token = f"{uuid5(NAMESPACE_URL, f'{self._base}/{next(self._number)}')}:sj"
                self._ends = now + self._life
            left = max(0, int(self._ends - now))
            return 200, {
                "access_token": self._token,
                "token_type": "bearer",
                "expires_in": left,
                "scope": "api@hikari-works.example",
            }

    def check(self, authorization: str) -> None:
        """Refuses what is no token, and one whose life is over."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused(600, "Access token not specified")
        with self._lock:
            if token in self._old or (token == self._token and monotonic() >= self._ends):
                raise Refused(602, "Access token expired")
            if token != self._token:
                raise Refused(601, "Access token invalid")


@dataclass
class Limits:
    """The shared limits of a subscription; off, calls are only counted."""

    on: bool
    daily_calls: int = DAILY_CALLS
    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])
    _recent: deque[float] = field(default_factory=deque[float])
    _running: int = 0
    _lock: Lock = field(default_factory=Lock)

    def enter(self) -> None:
        """Lets a call in, or refuses it; a refused one does not count."""
        with self._lock:
            now = monotonic()
            while self._recent and now - self._recent[0] >= SECONDS:
                self._recent.popleft()
            if self.calls >= self.daily_calls:
                raise Refused(607, f"Daily API call quota {self.daily_calls} reached")
            if self.on and len(self._recent) >= CALLS:
                raise Refused(606, f"Max rate limit '{CALLS}' exceeded with in '{SECONDS:g}' secs")
            if self.on and self._running >= AT_ONCE:
                raise Refused(615, "Concurrent access limit reached")
            self._recent.append(now)
            self.calls += 1
            self._running += 1

    def leave(self) -> None:
        """The call was answered."""
        with self._lock:
            self._running -= 1


Handler = Callable[..., Answer]


def success(request_id: str, answer: Answer) -> Answer:
    """The envelope of what worked."""
    return {"requestId": request_id, **answer, "success": True}


def refusal(request_id: str, problem: Refused) -> Answer:
    """The envelope of an error."""
    error = {"code": str(problem.code), "message": problem.message}
    return {"requestId": request_id, "success": False, "errors": [error]}
