"""The few errors a source raises, each one paragraph: what was wrong, with its value, and what to do.

Every message passes through `redact`, so that no token, password or signed address reaches a log, a terminal or a
stored run. This module must not import anything heavy and must not decide what to retry: that is the error table's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Query parameters, header and form fields whose value is a secret whatever the vendor.
_SECRET_WORDS = (
    r"access_token|refresh_token|client_secret|client_assertion|assertion|password|passwd|secret|api[_-]?key|hapikey|"
    r"private_key|token|sessionid|session_id|signature|sig|authorization|x-cybozu-api-token"
)
_PAIR = re.compile(rf"(?i)([\"']?\b(?:{_SECRET_WORDS})[\"']?\s*[=:]\s*[\"']?)((?:Bearer|Basic)\s+)?([^\s\"'&,;}}]+)")
_SCHEME = re.compile(r"(?i)\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=!-]{6,}")
_USERINFO = re.compile(r"(://)[^/@\s:]+:[^/@\s]+@")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets and without anything that looks like one."""
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _USERINFO.sub(r"\1***@", text)
    text = _SCHEME.sub(r"\1 ***", text)
    return _PAIR.sub(lambda m: f"{m[1]}{m[2] or ''}***", text)


class TsunaguSourceError(Exception):
    """Base of all: `str(error)` is one paragraph meant for a person."""

    permanent = True
    """True when trying again later without a change by a person cannot help."""

    def __init__(self, message: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(" ".join(redact(message, secrets).split()))


class ConfigurationError(TsunaguSourceError):
    """A setting is missing or cannot be read; the message names it."""


class CredentialsRejected(TsunaguSourceError):
    """The vendor refused the credentials; the message names the setting to correct."""


class Unreachable(TsunaguSourceError):
    """No answer from the host after all attempts; the message names host and remedy."""

    permanent = False


class QuotaExhausted(TsunaguSourceError):
    """The vendor's allowance is used up for longer than a run may wait."""

    permanent = False


class ObjectNotPermitted(TsunaguSourceError):
    """The credentials may not read this object: it is reported and skipped, the others go on."""


class BadAnswer(TsunaguSourceError):
    """The vendor answered with something that is neither data nor an error in its table."""

    permanent = False
