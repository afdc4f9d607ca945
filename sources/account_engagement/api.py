"""Account Engagement's connection: sign-in at Salesforce, the error table, and pages of an object in the order of its stamp.

- conventions, paging, limits: https://developer.salesforce.com/docs/marketing/pardot/guide/version5overview.html
- sign-in: https://developer.salesforce.com/docs/marketing/pardot/guide/authentication.html
- errors: https://developer.salesforce.com/docs/marketing/pardot/guide/error-codes.html
Which fields an object has is in `columns.py`. No dlt in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sources.account_engagement.columns import OBJECTS, Object
from sources.arrow import Field, Json, Pages, column_name, envelope, loads
from sources.errors import BadAnswer, CredentialsRejected, QuotaExhausted
from sources.http import Http, Rule, Token
from sources.salesforce.sign_in import TOKEN_PATH
from sources.salesforce.sign_in import sign_in as salesforce_sign_in
from sources.stream import Clock, Connection, GoesOnBy, Stream, Window

if TYPE_CHECKING:
    import pyarrow as pa
    import requests

    from sources.config import Config
    from sources.http import SignIn
    from sources.stream import Batch

ROOT: Final = "/api/v5/objects/"
PAGE: Final = 1000  # 200 by default
ROWS: Final = ("values",)


class TokenGone(BadAnswer):
    """210, 211: the page token is older than four hours, or unknown."""


def code(*codes: int | str) -> str:
    """A regular expression for an answer that is an error of one of these codes."""
    return rf'^\s*\{{\s*"code"\s*:\s*"?(?:{"|".join(map(str, codes))})\b'


# The code in the body says what it is; the status is coarse, and errors of older versions came with 200.
ANY: Final = (200, 400, 401, 403, 404, 405, 429, 500, 503)
PERMIT: Final = "Give the user the ability to view it (README of sources/account_engagement), or ignore this."
TOMORROW: Final = "The business unit's calls of the day are used up: run again tomorrow; nothing is lost."
ERRORS: Final[tuple[Rule, ...]] = (
    Rule("stop", ANY, code(122), raises=QuotaExhausted, remedy=TOMORROW),
    Rule("stop", 429, "(?i)daily", raises=QuotaExhausted, remedy=TOMORROW),
    # Five at once, for all that use the business unit.
    Rule("wait_quota", ANY, code(66), wait=2, remedy="Other services use the business unit's five calls at once."),
    Rule("wait_quota", ANY, code(202), wait=30),
    Rule("retry", ANY, code(183, 214)),
    Rule(
        "renew", ANY, code(184),
        remedy="The app needs the scope pardot_api, its user must be synced to the business unit:"
        " correct {setting[client_id]} or {setting[business_unit_id]}.",
    ),
    Rule(
        "stop", ANY, code(201), raises=CredentialsRejected,
        remedy="Correct {setting[business_unit_id]}; {setting[base_url]} must be https://pi.pardot.com, or"
        " https://pi.demo.pardot.com for sandboxes and developer orgs.",
    ),
    Rule("stop", ANY, code(210, 211), raises=TokenGone),
    Rule("skip", ANY, code(46, 49), remedy=PERMIT),
    Rule("stop", 200, code(r"\d+")),
)  # fmt: skip
LOGIN_ERRORS: Final = (
    Rule(
        "stop", (400, 401, 403), path=TOKEN_PATH, raises=CredentialsRejected,
        remedy="Correct {setting[client_id]} and {setting[client_secret]} (or {setting[username]} and"
        " {setting[private_key]}); {setting[login_url]} must be the Salesforce org's My Domain address.",
    ),
)  # fmt: skip


def connect(config: Config, _clock: Clock, sleep: Callable[[float], None] | None = None) -> Connection:
    """A signed-in reader of one business unit; `sleep` is for tests."""
    return AccountEngagement(config, sleep)


class AccountEngagement(Connection):
    """One run's reader."""

    def __init__(self, config: Config, sleep: Callable[[float], None] | None = None) -> None:
        more = [name.strip() for name in (config.get("prospect_fields") or "").split(",")]
        self._more = [name for name in more if name and name not in OBJECTS["prospects"].fields]
        self._listed: dict[str, list[str]] = {}
        """Stream -> all ids, when this run has listed them."""
        self._login = Http(config, config["login_url"], rules=LOGIN_ERRORS, sleep=sleep)
        unit = {"Pardot-Business-Unit-Id": config["business_unit_id"]}
        self._http = Http(
            config, config["base_url"], sign_in=self._sign_in(config), rules=ERRORS, headers=unit, sleep=sleep
        )

    def _sign_in(self, config: Config) -> SignIn:
        """Salesforce's token; its `instance_url` is the CRM's, requests stay at the address of the API."""
        ask = salesforce_sign_in(config)

        def get_token(_http: Http) -> Token:
            token = ask(self._login)
            return Token(token.headers, None, token.secret)

        return get_token

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent so far, sign-ins included."""
        return self._http.requests + self._login.requests

    def limits(self) -> Mapping[str, str]:
        """Calls of the day, from the object Account (account-v5)."""
        fields = {"fields": "id,maximumDailyApiCalls,apiCallsUsed"}
        found = loads(self._http.get(f"{ROOT}account", fields).content)
        account: Mapping[str, Any] = found["values"][0] if found.get("values") else found
        most, used = account.get("maximumDailyApiCalls"), account.get("apiCallsUsed")
        if most is None or used is None:
            return {}
        return {"API calls a day": f"{int(most) - int(used):,} of {int(most):,} left"}

    def close(self) -> None:
        """Frees the sessions."""
        self._http.close()
        self._login.close()

    def pages(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """Rows of the window, by their stamp; of objects without one, all rows."""
        each = OBJECTS[stream.name]
        asked = {"fields": ",".join(["id", *each.fields, *self._more_of(stream)])}
        if each.order:
            asked[f"{each.order}BeforeOrEqualTo"] = instant(window.end)
            if window.start is not None:
                asked[f"{each.order}AfterOrEqualTo"] = instant(window.start)
        is_listing = window.start is None and not window.backfill
        listed: list[str] = []
        for body in self._bodies(each, asked, each.order or "id"):
            yield Pages([body], self._shapes[stream.name])
            if is_listing and stream.deletes == "sweep":
                listed += _ids(body)
        if is_listing:
            self._listed[stream.name] = listed

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:  # noqa: ARG002
        """Pages come in the order of the stamp; objects without one are read in one piece."""
        return "cursor" if OBJECTS[stream.name].order else "nothing"

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """What is there, the recycle bin included: what lies in it says so itself. A listing of this run serves for it."""
        import pyarrow as pa

        found = self._listed.get(stream.name)
        if found is None:
            found = [one for body in self._bodies(OBJECTS[stream.name], {"fields": "id"}, "id") for one in _ids(body)]
        yield pa.table({"id": pa.array(found, pa.string())})

    @cached_property
    def _shapes(self) -> Mapping[str, Json]:
        shapes: dict[str, Json] = {}
        for name, each in OBJECTS.items():
            fields = {"id": Field(("id",))}
            fields |= {column_name(field): Field((field,), kind) for field, kind in each.fields.items()}
            if name == "prospects":
                fields |= {column_name(field): Field((field,)) for field in self._more}
            if each.recycled:
                fields["_deleted"] = Field(("isDeleted",), "bool")
            shapes[name] = Json(ROWS, fields)
        return shapes

    def _more_of(self, stream: Stream) -> list[str]:
        return self._more if stream.name == "prospects" else []

    # paging ------------------------------------------------------------------------------------------------------
    def _bodies(self, each: Object, asked: Mapping[str, str], order: str) -> Iterator[bytes]:
        """All pages. Tokens end after 100,000 records or four hours; then it goes on from the last row that came."""
        first = {
            **asked,
            "limit": str(PAGE),
            "orderBy": f"{order} ASC",
            **({"deleted": "all"} if each.recycled else {}),
        }
        bound = "idGreaterThan" if order == "id" else f"{order}AfterOrEqualTo"
        while True:
            answer: requests.Response | None = self._http.get(f"{ROOT}{each.path}", first)
            body, cut = b"", False
            while answer is not None:
                body = answer.content
                yield body
                answer, cut = self._following(answer)
            if not cut:
                return
            reached = _last(body, order)
            if reached is None or reached == first.get(bound):
                raise BadAnswer(
                    f"{self._http.config.instance}: more {each.path} share one {order} ({reached}) than the API pages through."
                )
            first[bound] = reached

    def _following(self, answer: requests.Response) -> tuple[requests.Response | None, bool]:
        """The next page, and whether there is more although none can be had with a token."""
        address = envelope(answer.content, "values").get("nextPageUrl")
        if not address:
            return None, answer.headers.get("Pardot-Warning", "").strip().startswith("203")
        try:
            return self._http.get(address), False  # nothing else may come with the token
        except TokenGone:
            return None, True


def instant(moment: datetime) -> str:
    """The form that filters take; whole seconds, as stamps are."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _ids(body: bytes) -> list[str]:
    return [str(row["id"]) for row in loads(body)["values"]]


def _last(body: bytes, order: str) -> str | None:
    rows: list[dict[str, Any]] = loads(body)["values"]
    value = rows[-1].get(order) if rows else None
    return None if value is None else str(value)
