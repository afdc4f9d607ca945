"""The one HTTP session of all vendors: sign-in and its renewal, retries, quotas, redaction, by a vendor's error table.

It is dlt's `requests` session underneath (timeouts, connection pool); the retry loop is ours because dlt retries by
status code only, while vendors say "renew", "wait" and "not permitted" in the body, sometimes with status 200.
This module must not know a vendor, parse data rows or decide what a missing permission means for a load.
"""

from __future__ import annotations

import email.utils
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from urllib.parse import urlsplit

from sources.errors import (
    BadAnswer,
    CredentialsRejected,
    ObjectNotPermitted,
    QuotaExhausted,
    TsunaguSourceError,
    Unreachable,
    redact,
)

if TYPE_CHECKING:
    import requests

    from sources.config import Config

Action = Literal["renew", "retry", "wait_quota", "skip", "stop"]
LONGEST_PAUSE = 60.0
"""Seconds between two attempts at most, unless the vendor asks for more (Retry-After)."""
REDIRECTS = (301, 302, 303, 307, 308)


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

    def matches(self, answer: requests.Response, path: str) -> bool:
        """True when this row is about the answer."""
        status = answer.status_code
        if self.status is None:
            if status < 400:
                return False
        elif status != self.status if isinstance(self.status, int) else status not in self.status:
            return False
        if self.path is not None and not re.search(self.path, path):
            return False
        if self.header is not None and not re.search(self.header[1], answer.headers.get(self.header[0], "")):
            return False
        if self.text is None:
            return True
        beginning = answer.content[: 2_000 if status < 400 else 4_000].decode("utf-8", "replace")
        return re.search(self.text, beginning) is not None


@dataclass(frozen=True)
class Token:
    """What a sign-in gave: headers for every request, and a new base address where the vendor names one."""

    headers: Mapping[str, str]
    base_url: str | None = None
    secret: str = ""
    """The token itself, so that it is redacted everywhere."""


class SignIn(Protocol):
    """Gets a token; called before the first request and again when a rule says renew. Use `http.send(signed=False)`."""

    def __call__(self, http: Http, /) -> Token: ...


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("renew", 401),
    Rule("skip", 403),
    Rule("wait_quota", 429),
    Rule("retry", (408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530)),
)
"""Appended after every vendor's own table."""


class _Settings(dict[str, str]):
    """`{setting[name]}` in a remedy."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config

    def __missing__(self, name: str) -> str:
        return self._config.setting(name)


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
        from dlt.sources.helpers.requests import Session

        self.config = config
        self.base_url = base_url.rstrip("/")
        self.requests = 0
        self.attempts = attempts
        self.patience = patience
        self._session: requests.Session = Session(timeout=timeout, raise_for_status=False)
        # requests looks through the whole environment for proxies at every request (half a millisecond); once is enough.
        found = self._session.merge_environment_settings(self.base_url, {}, None, None, None)
        self._session.trust_env = False
        self._session.proxies.update(found["proxies"])
        self._session.verify = found["verify"]
        self._session.headers.update({"Accept-Encoding": "gzip, deflate", **(headers or {})})
        self._sign_in = sign_in
        self._token: Token | None = None
        self._secrets: set[str] = set(config.secrets)
        self._rules = (*rules, *DEFAULT_RULES)
        self._looks_into_200 = any(_names(rule.status, 200) for rule in rules)
        self._after = after
        self._sleep = sleep or time.sleep
        self._jitter = jitter or random.random

    def get(self, path: str, params: Any = None, **more: Any) -> requests.Response:
        """`send("GET", …)`."""
        return self.send("GET", path, params=params, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """`send("POST", …)`."""
        return self.send("POST", path, **more)

    def close(self) -> None:
        """Closes the pooled connections."""
        self._session.close()

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
        failures, waited, renewed = 0, 0.0, False
        while True:
            sent = dict(headers or {})
            if signed and self._sign_in is not None:
                sent = {**self._signed().headers, **sent}
            body = {"params": params, "json": json, "data": data, "headers": sent, "stream": stream}
            answer = self._attempt(method, self._address(path), failures, body)
            if answer is None:
                failures += 1
                continue
            rule = self._rule(answer, path)
            if rule is None:
                return answer
            if rule.action == "renew" and signed and self._sign_in is not None and not renewed:
                renewed, self._token = True, None
                continue
            if rule.action == "retry" and failures + 1 < self.attempts:
                self._sleep(self._pause(failures, answer, rule.wait))
                failures += 1
                continue
            if rule.action == "wait_quota":
                pause = self._pause(failures, answer, rule.wait)
                if waited + pause <= self.patience and failures + 1 < 10 * self.attempts:
                    self._sleep(pause)
                    waited, failures = waited + pause, failures + 1
                    continue
            raise self._error(rule, method, path, answer)

    # one attempt -------------------------------------------------------------------------------------------------
    def _attempt(self, method: str, address: str, failures: int, body: dict[str, Any]) -> requests.Response | None:
        """The answer, or None when the connection broke and another attempt is due (the pause is over)."""
        import requests
        import urllib3

        self.requests += 1
        try:
            more = {name: value for name, value in body.items() if name != "stream"}
            answer: requests.Response = self._session.request(
                method, address, allow_redirects=False, stream=True, **cast(Any, more)
            )
            if not body["stream"]:
                _read(answer)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
            if failures + 1 >= self.attempts or isinstance(problem, requests.exceptions.InvalidURL):
                raise self._unreachable(address, problem) from None
            self._sleep(self._pause(failures, None, None))
            return None
        if self._after is not None:
            self._after(answer)
        return answer

    def _signed(self) -> Token:
        if self._token is None:
            assert self._sign_in is not None
            self._token = self._sign_in(self)
            if self._token.secret:
                self._secrets.add(self._token.secret)
            if self._token.base_url:
                self.base_url = self._token.base_url.rstrip("/")
        return self._token

    def _address(self, path: str) -> str:
        if "://" not in path:
            return f"{self.base_url}/{path.lstrip('/')}"
        if urlsplit(path).netloc != urlsplit(self.base_url).netloc:
            raise BadAnswer(
                f"{self.config.instance}: an answer points to another host ({urlsplit(path).netloc}); the token is not "
                "sent there."
            )
        return path

    def _rule(self, answer: requests.Response, path: str) -> Rule | None:
        status = answer.status_code
        if status in REDIRECTS:
            where = urlsplit(answer.headers.get("Location", "")).netloc
            return Rule(
                "stop", status, remedy=f"The address redirects to {where or 'another place'}: correct base_url."
            )
        if status < 400 and not self._looks_into_200:
            return None
        for rule in self._rules:
            if rule.matches(answer, path):
                return rule
        return Rule("stop") if status >= 400 else None

    def _pause(self, failures: int, answer: requests.Response | None, wait: float | None) -> float:
        """Seconds: what the vendor asks for, else growing with each failure; jittered so that clients spread out."""
        asked = _retry_after(answer) if answer is not None else None
        if asked is not None:
            return asked + self._jitter()
        if wait is not None:
            return wait * (1 + 0.2 * self._jitter())
        return min(LONGEST_PAUSE, 2.0**failures) * (0.5 + self._jitter() / 2)

    # errors ------------------------------------------------------------------------------------------------------
    def _error(self, rule: Rule, method: str, path: str, answer: requests.Response) -> TsunaguSourceError:
        kind: type[TsunaguSourceError] = {
            "renew": CredentialsRejected,
            "retry": Unreachable,
            "wait_quota": QuotaExhausted,
            "skip": ObjectNotPermitted,
            "stop": rule.raises or BadAnswer,
        }[rule.action]
        said = " ".join(answer.content[:400].decode("utf-8", "replace").split())
        remedy = rule.remedy.replace("{setting", "{0").format(_Settings(self.config)) if rule.remedy else ""
        if not remedy and kind is CredentialsRejected:
            names = self.config.secret_settings
            remedy = f"Correct {' or '.join(names)}." if names else "Correct the credentials."
        if not remedy and kind is QuotaExhausted:
            remedy = "Run again when the vendor's allowance has been renewed; nothing is lost."
        where = f"{method} {urlsplit(path).path}"
        return kind(
            f"{self.config.instance}: {where} was answered with {answer.status_code}: {said or 'nothing'} {remedy}",
            self._secrets,
        )

    def _unreachable(self, address: str, problem: Exception) -> Unreachable:
        host = urlsplit(address).netloc.rpartition("@")[2]
        cause = _short_cause(problem)
        return Unreachable(
            f"{self.config.instance}: {host} does not answer ({cause}) after {self.attempts} attempts. Check the address "
            f"in {self.config.setting('base_url')} and the network (proxy, firewall), then run again; nothing is lost.",
            self._secrets,
        )

    def redacted(self, text: str) -> str:
        """`text` without this session's secrets; for a vendor's own log lines and messages."""
        return redact(text, self._secrets)


def _read(answer: requests.Response) -> None:
    """Read the body at once: `requests` does it in pieces of 10 kB, which costs a third of the time of a big page."""
    body: Any = answer.raw.read(decode_content=True)
    vars(answer).update(_content=body, _content_consumed=True)
    answer.raw.release_conn()


def _names(status: int | tuple[int, ...] | None, wanted: int) -> bool:
    return status == wanted if isinstance(status, int) else status is not None and wanted in status


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds of a Retry-After header: a number or a date (RFC 9110, 10.2.3)."""
    value = answer.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
        now = email.utils.parsedate_to_datetime(answer.headers["Date"])
        return max(0.0, (when - now).total_seconds())
    except (ValueError, TypeError, KeyError):
        return None


def _short_cause(problem: Exception) -> str:
    text = str(problem)
    for words, short in (
        ("Name or service not known", "the host name is unknown"),
        ("nodename nor servname", "the host name is unknown"),
        ("Temporary failure in name resolution", "the host name cannot be resolved"),
        ("Connection refused", "the connection is refused"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate cannot be verified"),
        ("timed out", "it timed out"),
    ):
        if words in text:
            return short
    return type(problem).__name__
