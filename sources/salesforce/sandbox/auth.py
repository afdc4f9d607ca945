"""Sign-in to the sandbox: OAuth 2.0 client credentials and JWT bearer, tokens and their end, the day's allowance of calls.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm Must not know objects or queries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import jwt

from sources.salesforce.sandbox.ids import with_suffix

INTEGRATION_USER = with_suffix("0055g00000Intgr")
ORGANIZATION = with_suffix("00D5g0000000001")
AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
LONGEST_ASSERTION_SECONDS = 300


@dataclass(frozen=True)
class OrgOptions:
    """Switches of the Salesforce sandbox alone.

    `quota` and `token_life_requests` count calls with a token; None means no end. `page_size` is the largest page of a
    query; Salesforce's is 2,000. `public_key` (PEM) admits the JWT bearer grant for `username`.
    """

    client_id: str = "3MVG9demo.tsunagu.sandbox"
    client_secret: str = "8F2C1D7A90E64B35demo"
    username: str = "integration@tsunagu.example"
    public_key: str | None = None
    forbidden_objects: tuple[str, ...] = ()
    quota: int | None = None
    token_life_requests: int | None = None
    page_size: int = 2000
    bulk_page_size: int = 50_000
    not_in_bulk: tuple[str, ...] = ()
    """Objects of which Bulk API 2.0 makes no jobs."""
    failing_job: str = ""
    """The message with which every query job fails; empty = none does."""


class Refused(Exception):
    """A token request that is answered with `status` and OAuth's error shape."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


@dataclass
class _Session:
    ends_at: float
    calls: int = 0


@dataclass
class Sessions:
    """The tokens given out by one org, and the calls made with them."""

    options: OrgOptions
    life_seconds: float
    clock: Callable[[], float] = time.monotonic
    calls: int = 0
    _open: dict[str, _Session] = field(default_factory=dict[str, _Session])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, form: Mapping[str, str], authorization: str, base_url: str) -> dict[str, str]:
        """The answer to a token request; raises `Refused`."""
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            self._check_client(*_client_of(form, authorization))
        elif grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            self._check_assertion(form.get("assertion", ""), base_url)
        elif not grant:
            raise Refused("invalid_request", "grant type is missing")
        else:
            raise Refused("unsupported_grant_type", "grant type not supported")
        token = f"{ORGANIZATION[:15]}!{secrets.token_urlsafe(72)}"
        with self._lock:
            self._open[token] = _Session(self.clock() + self.life_seconds)
        identity = f"{base_url}/id/{ORGANIZATION}/{INTEGRATION_USER}"
        issued = str(int(time.time() * 1000))
        signed = hashlib.sha256((identity + issued + self.options.client_secret).encode()).digest()
        return {
            "access_token": token,
            "signature": base64.b64encode(signed).decode(),
            "scope": "api",
            "instance_url": base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }

    def _check_client(self, client_id: str, secret: str) -> None:
        if not client_id:
            raise Refused("invalid_request", "must include client_id")
        if not secrets.compare_digest(client_id.encode(), self.options.client_id.encode()):
            raise Refused("invalid_client_id", "client identifier invalid")
        if not secrets.compare_digest(secret.encode(), self.options.client_secret.encode()):
            raise Refused("invalid_client", "invalid client credentials")

    def _check_assertion(self, assertion: str, base_url: str) -> None:
        if self.options.public_key is None:
            raise Refused("invalid_app_access", "user is not admin approved to access this app")
        try:
            claims = jwt.decode(
                assertion, self.options.public_key, algorithms=["RS256"], audience=[*AUDIENCES, base_url],
                options={"require": ["iss", "sub", "aud", "exp"]},
            )  # fmt: skip
        except jwt.ExpiredSignatureError:
            raise Refused("invalid_grant", "expired authorization code") from None
        except jwt.InvalidAudienceError:
            raise Refused("invalid_grant", "audience is invalid") from None
        except jwt.PyJWTError:
            raise Refused("invalid_grant", "invalid assertion") from None
        if claims["iss"] != self.options.client_id:
            raise Refused("invalid_client_id", "client identifier invalid")
        if claims["sub"] != self.options.username:
            raise Refused("invalid_grant", "user hasn't approved this consumer")
        if claims["exp"] > time.time() + LONGEST_ASSERTION_SECONDS:
            raise Refused("invalid_grant", "invalid assertion")

    def admit(self, authorization: str) -> bool:
        """Counts one call; False when the token is unknown or past its life."""
        scheme, _, token = authorization.partition(" ")
        with self._lock:
            session = self._open.get(token.strip()) if scheme.lower() in ("bearer", "oauth") else None
            if session is None:
                return False
            longest = self.options.token_life_requests
            if self.clock() >= session.ends_at or (longest is not None and session.calls >= longest):
                del self._open[token.strip()]
                return False
            session.calls += 1
            self.calls += 1
            return True

    def revoke(self, token: str) -> None:
        with self._lock:
            self._open.pop(token, None)

    @property
    def is_exhausted(self) -> bool:
        """True for a call beyond the quota."""
        return self.options.quota is not None and self.calls > self.options.quota

    @property
    def allowance(self) -> int:
        """Calls a day that headers and limits show."""
        return self.options.quota if self.options.quota is not None else 1_000_000


def _client_of(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    """Client id and secret from HTTP Basic, else from the body."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refused("invalid_client", "invalid client credentials") from None
        if (client, secret) != ("", ""):
            return unquote_plus(client), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")
