"""The one HTTP session of all vendors: sign-in and its renewal, retries, quotas, redaction, by a vendor's error table.

It is dlt's `requests` session underneath (timeouts, connection pool); the retry loop is ours because dlt retries by
status code only, while vendors say "renew", "wait" and "not permitted" in the body, sometimes with status 200.
This module must not know a vendor, parse data rows or decide what a missing permission means for a load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sources.errors import TsunaguSourceError

if TYPE_CHECKING:
    import requests

    from sources.config import Config

Action = Literal["renew", "retry", "wait_quota", "skip", "stop"]


@dataclass(frozen=True)
class Rule:
    """One row of a vendor's error table. The first row that matches an answer decides.

    renew: sign in again and repeat once (a second refusal is `CredentialsRejected`). retry: repeat with growing,
    jittered pauses or after Retry-After. wait_quota: like retry, with `wait` seconds as the pause when there is no
    Retry-After, at most `Http.patience` seconds in total, then `QuotaExhausted`. skip: `ObjectNotPermitted`.
    stop: `raises`.
    """

    action: Action
    status: int | tuple[int, ...] | None = None
    """None = any status of 400 and above. Rows with 200 look into successful answers (the first 2,000 bytes)."""
    text: str | None = None
    """A regular expression that the body must contain (first 4,000 bytes); None = any."""
    header: tuple[str, str] | None = None
    """A header and a regular expression its value must match."""
    wait: float | None = None
    raises: type[TsunaguSourceError] | None = None
    """For stop; default `BadAnswer`."""
    remedy: str = ""
    """What a person does about it; `{setting[client_secret]}` becomes the name of that setting."""
    path: str | None = None
    """A regular expression the request's path must match (sign-in endpoints have refusals of their own)."""


@dataclass(frozen=True)
class Token:
    """What a sign-in gave: headers for every request, and a new base address where the vendor names one."""

    headers: Mapping[str, str]
    base_url: str | None = None
    secret: str = ""
    """The token itself, so that it is redacted everywhere."""


class SignIn(Protocol):
    """Gets a token; called before the first request and again when a rule says renew. Use `http.send(signed=False)`."""

    def __call__(self, http: Http) -> Token: ...


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("renew", 401),
    Rule("skip", 403),
    Rule("wait_quota", 429),
    Rule("retry", (408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530)),
)
"""Appended after every vendor's own table."""


class Http:
    """One vendor's session. Not shared between threads."""

    requests: int
    """Requests sent, retries included."""

    def __init__(
        self,
        config: Config,
        base_url: str,
        *,
        sign_in: SignIn | None = None,
        rules: Sequence[Rule] = (),
        headers: Mapping[str, str] | None = None,
        after: Callable[[requests.Response], None] | None = None,
        timeout: tuple[float, float] = (10, 120),
        attempts: int = 6,
        patience: float = 900,
        sleep: Callable[[float], None] | None = None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        """`after` sees every answer (quota headers) before the rules do. `sleep` and `jitter` are arguments for tests.

        `patience` is the longest total wait for a quota in one request, in seconds.
        """
        raise NotImplementedError

    def get(self, path: str, params: Any = None, **more: Any) -> requests.Response:
        """`send("GET", …)`."""
        return self.send("GET", path, params=params, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """`send("POST", …)`."""
        return self.send("POST", path, **more)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        stream: bool = False,
    ) -> requests.Response:
        """The successful answer to one request, after whatever the error table asked for.

        `path` is relative to the base address, or absolute (then it must be on the same host: tokens leave for
        nowhere else). Raises `CredentialsRejected`, `Unreachable`, `QuotaExhausted`, `ObjectNotPermitted` or
        `BadAnswer`, with all secrets redacted.
        """
        raise NotImplementedError
