"""The requests that Marketo's source sends: sign-in, error table, and one method per way of paging, bodies as they came.

Knows paths, page sizes and error codes; must not know streams, windows or columns. Pages that it was written from:
- sign-in: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication
- errors: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes
- paging: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/paging-tokens
Errors come with HTTP 200 and `"success": false`: every answer is looked at before its rows count as rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import envelope, loads
from sources.errors import BadAnswer, ConfigurationError, CredentialsRejected, QuotaExhausted
from sources.http import Http, Rule, Token
from sources.marketo.pace import CALLS, Pace

if TYPE_CHECKING:
    import requests

    from sources.config import Config
    from sources.http import SignIn

LEAD_PAGE: Final = 300
ASSET_PAGE: Final = 200
TOKEN_PATH: Final = "/identity/oauth/token"
# An early call gives the token that is still in use: one that was refused shortly before its end is waited out.
SHORT_LIFE: Final = 60
RENEWED_AT: Final = "It is renewed at midnight, US Central Time."


class NotFound(BadAnswer):
    """702, 1004, 1013: the one thing that was asked for by its id is not there."""


class FilterUnsupported(BadAnswer):
    """1035: this subscription has no filter of that kind."""


class AlreadyQueued(BadAnswer):
    """1029 "Job already queued": an enqueue whose answer was lost had worked."""


class NoFile(BadAnswer):
    """404 of a file: the job has none."""


class ExportQuota(QuotaExhausted):
    """1029 "Export daily quota exceeded": no further export today."""


def code(*codes: int, says: str = "") -> str:
    """A regular expression for an answer whose first error has one of the codes (none = any), and such a message."""
    found = "|".join(map(str, codes)) or r"\d+"
    also = rf'(?=[^}}]*"message"\s*:\s*"[^"]*{says})' if says else ""
    return rf'(?i)"errors"\s*:\s*\[\s*\{{{also}[^}}]*"code"\s*:\s*"?(?:{found})\b'


# The first row that matches an answer decides.
ERRORS: Final[tuple[Rule, ...]] = (
    Rule(
        "stop",
        (400, 401),
        path=TOKEN_PATH,
        raises=CredentialsRejected,
        remedy="Correct {setting[client_id]} and {setting[client_secret]}: Admin > Integration > LaunchPoint > View Details.",
    ),
    Rule("renew", 200, code(601, 602)),
    Rule(
        "skip",
        200,
        code(603),
        remedy="Give the role of the API user the permissions of the README of sources/marketo; an allowlist of IP addresses"
        " refuses with the same code.",
    ),
    Rule("skip", 200, code(703, 616), remedy="The feature is not enabled for this subscription."),
    Rule("wait_quota", 200, code(606), wait=5, remedy="Other services of the subscription use the calls: run again later."),
    Rule("wait_quota", 200, code(615), wait=1, remedy="Other services of the subscription use the calls: run again later."),
    Rule("stop", 200, code(607), raises=QuotaExhausted, remedy=f"The daily quota of calls is used up. {RENEWED_AT}"),
    Rule("stop", 200, code(1029, says="quota"), raises=ExportQuota, remedy=f"The daily quota of exports is used up. {RENEWED_AT}"),
    Rule("stop", 200, code(1029, says="already"), raises=AlreadyQueued),
    Rule("wait_quota", 200, code(1029), wait=60, remedy="Other services fill the queue of ten export jobs: run again later."),
    Rule("retry", 200, code(604, 608, 611, 614, 713, 719)),
    Rule("stop", 200, code(1035), raises=FilterUnsupported),
    Rule("stop", 200, code(702, 1004, 1013), raises=NotFound),
    Rule(
        "stop",
        200,
        code(610),
        raises=ConfigurationError,
        remedy="Correct {setting[base_url]}: Admin > Integration > Web Services > REST API, without /rest at the end.",
    ),
    Rule(
        "stop",
        200,
        code(1006),
        remedy="Was the field deleted or renamed since the run began, run again; else name the fields to read in"
        " {setting[lead_fields]}.",
    ),
    Rule("stop", 404, path=r"/file\.json$", raises=NoFile),
    Rule("stop", 200, code()),
)  # fmt: skip


def sign_in(config: Config, sleep: Callable[[float], None]) -> SignIn:
    """Gets a token by client credentials. `expires_in` is what is left of its life."""
    refused = ""

    def get_token(http: Http) -> Token:
        nonlocal refused
        asked = {
            "grant_type": "client_credentials",
            "client_id": config["client_id"],
            "client_secret": config["client_secret"],
        }
        token, life = "", 0.0
        for _ in range(2):
            answer = loads(http.get(TOKEN_PATH, asked, signed=False).content)
            token, life = str(answer.get("access_token") or ""), float(answer.get("expires_in") or 0)
            if not token:
                raise BadAnswer(f"{config.instance}: the token answer has no access_token.", config.secrets)
            if token != refused or life > SHORT_LIFE:
                break
            sleep(life + 1)
        refused = token
        return Token({"Authorization": f"Bearer {token}"}, secret=token)

    return get_token


class Wire:
    """A signed-in subscription."""

    def __init__(
        self,
        config: Config,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sleep, self.now = sleep, now
        self.instance = config.instance
        self.pace = Pace(int(config.get("calls_per_20_seconds") or CALLS), now, sleep)
        base = config["base_url"].rstrip("/").removesuffix("/rest")
        self._http = Http(config, base, sign_in=sign_in(config, sleep), rules=ERRORS, sleep=sleep)

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._http.requests

    def close(self) -> None:
        """Frees the session."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One whole answer."""
        return self._checked(loads(self.body("GET", path, params=dict(params or {}))), path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One whole answer to a JSON body."""
        return self._checked(loads(self.body("POST", path, json=dict(body) if body is not None else None)), path)

    def body(self, method: str, path: str, **more: Any) -> bytes:
        """The body of one answer, its rows not looked at."""
        return self.send(method, path, **more).content

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """One answer, after the error table."""
        self.pace.wait()
        return self._http.send(method, path, **more)

    def lead_pages(self, path: str, params: Mapping[str, Any], *, long: bool = False) -> Iterator[bytes]:
        """All pages of a call of the lead database; pages without rows are left out.

        `long`: the parameters do not fit an address (8 kB), so the call is a POST with `_method=GET` and a form. The next
        page has a token only while there is one.
        """
        asked: dict[str, Any] = {**params, "batchSize": LEAD_PAGE}
        while True:
            if long:
                body = self.body("POST", path, data={"_method": "GET", **asked})
            else:
                body = self.body("GET", path, params=asked)
            head = self._checked(envelope(body, "result"), path)
            if head.get("result") is not None:
                yield body
            token = head.get("nextPageToken")
            if not token or head.get("moreResult") is False:
                return
            self._moved(token, asked.get("nextPageToken"), path)
            asked["nextPageToken"] = token

    def activity_pages(self, path: str, token: str, params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """All rows after a paging token. A page may be short or empty with more to come; `moreResult` alone says the end."""
        asked: dict[str, Any] = {**params, "nextPageToken": token, "batchSize": LEAD_PAGE}
        while True:
            answer = self.get(path, asked)
            rows: list[dict[str, Any]] = answer.get("result") or []
            if rows:
                yield rows
            if not answer.get("moreResult"):
                return
            self._moved(answer.get("nextPageToken"), asked["nextPageToken"], path)
            asked["nextPageToken"] = answer["nextPageToken"]

    def paging_token(self, since: datetime) -> str:
        """A token for what happened after an instant."""
        answer = self.get("/rest/v1/activities/pagingtoken.json", {"sinceDatetime": instant(since)})
        if not answer.get("nextPageToken"):
            raise BadAnswer(f"{self.instance}: the answer for a paging token has none.")
        return str(answer["nextPageToken"])

    def assets(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
        """All pages of assets. Beyond the last there is no `result` but a warning."""
        offset = 0
        while True:
            answer = self.get(path, {**(params or {}), "maxReturn": ASSET_PAGE, "offset": offset})
            rows: list[dict[str, Any]] = answer.get("result") or []
            if rows:
                yield rows
            if len(rows) < ASSET_PAGE:
                return
            offset += ASSET_PAGE

    def _checked(self, answer: dict[str, Any], path: str) -> dict[str, Any]:
        """The answer, if it says that it is a success: anything else is no page, above all no empty one."""
        if answer.get("success") is not True:
            raise BadAnswer(f"{self.instance}: {path} was answered without success: {str(answer)[:300]}")
        return answer

    def _moved(self, token: object, before: object, path: str) -> None:
        if not token or token == before:
            raise BadAnswer(f"{self.instance}: {path} says that there is more, and its token leads to the same page.")


def instant(moment: datetime) -> str:
    """Marketo's form of an instant: whole seconds, Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
