"""The requests that HubSpot's source sends: one method per endpoint, paging included, bodies as they came.

Knows paths, page sizes and error answers; must not know streams, windows or columns. Pages that it was written from:
- list, get and batch read: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
- search and its limits: https://developers.hubspot.com/docs/api-reference/search/guide
- associations v4: https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide and, for the size of a batch,
  https://developers.hubspot.com/changelog/bug-fix-batch-read-limit-for-hubspot-associations-api
- errors: https://developers.hubspot.com/docs/api-reference/error-handling
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import envelope, loads
from sources.errors import BadAnswer, ConfigurationError, CredentialsRejected, QuotaExhausted
from sources.http import Http, Rule, Token
from sources.hubspot.pace import Pace

if TYPE_CHECKING:
    import requests

    from sources.config import Config

LIST_PAGE, LIST_PAGE_WITH_HISTORY = 100, 50
BATCH, BATCH_WITH_HISTORY = 100, 50
ASSOCIATION_BATCH: Final = 1_000
SEARCH_PAGE, SEARCH_RESULTS = 200, 10_000
# A list names its properties in the address; beyond this many characters they go into the body of a batch read instead.
# HubSpot does not publish the length at which it answers 414; 16,384 bytes with headers is what its edge takes.
MAX_NAMES: Final = 8_000

# The first row that matches an answer decides.
ERRORS: Final[tuple[Rule, ...]] = (
    Rule(
        "stop",
        401,
        raises=CredentialsRejected,
        remedy="Make a new service key (or private app token) and set {setting[token]}.",
    ),
    Rule(
        "skip",
        403,
        remedy="Add the scope to the service key or private app (README of sources/hubspot) and renew {setting[token]}.",
    ),
    Rule(
        "stop",
        429,
        r'"policyName"\s*:\s*"DAILY"',
        raises=QuotaExhausted,
        remedy="The daily quota begins anew at midnight in the portal's time zone.",
    ),
    Rule("wait_quota", 429, r'"policyName"\s*:\s*"SECONDLY"', wait=1),
    Rule("wait_quota", 429, wait=10),
    Rule("retry", (423, 477)),
    Rule(
        "stop",
        414,
        raises=ConfigurationError,
        remedy="Report the number of the portal's properties: the address grew too long.",
    ),
)


class Wire:
    """A signed-in portal."""

    def __init__(
        self,
        config: Config,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pace = Pace(now, sleep)

        def sign_in(http: Http) -> Token:  # noqa: ARG001 - the token is static
            return Token({"Authorization": f"Bearer {config['token']}"}, secret=config["token"])

        def after(answer: requests.Response) -> None:
            self.pace.learn(answer.headers)

        self._http = Http(config, config["base_url"], sign_in=sign_in, rules=ERRORS, after=after, sleep=sleep)

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._http.requests

    def close(self) -> None:
        """Frees the session."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The body of one answer."""
        self.pace.wait(search=False)
        return self._http.get(path, params=dict(params or {})).content

    def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """The body of one answer."""
        self.pace.wait(search=path.endswith("/search"))
        return self._http.post(path, json=dict(body)).content

    def pages(self, path: str, params: Mapping[str, Any], rows: str = "results") -> Iterator[bytes]:
        """All pages of a listing. Follows `after` only: the answer's `link` is absolute and names another host."""
        asked = dict(params)
        while True:
            body = self.get(path, asked)
            yield body
            after = next_page(body, rows)
            if after is None:
                return
            asked["after"] = after

    def properties(self, name: str) -> list[dict[str, Any]]:
        """The property definitions of an object, custom ones included."""
        return loads(self.get(f"/crm/v3/properties/{name}"))["results"]

    def list(
        self,
        name: str,
        properties: Sequence[str],
        history: Sequence[str] = (),
        *,
        archived: bool = False,
        after: str | None = None,
    ) -> Iterator[bytes]:
        """All records of an object, or those beyond the place that `paging.next.after` of an earlier page named."""
        params: dict[str, Any] = {"limit": LIST_PAGE_WITH_HISTORY if history else LIST_PAGE}
        params["properties"] = ",".join(properties)
        if history:
            params["propertiesWithHistory"] = ",".join(history)
        if archived:
            params["archived"] = "true"
        if after:
            params["after"] = after
        return self.pages(f"/crm/v3/objects/{name}", params)

    def batch_read(
        self,
        name: str,
        ids: Sequence[str],
        properties: Sequence[str],
        history: Sequence[str] = (),
        *,
        archived: bool = False,
    ) -> Iterator[bytes]:
        """The records of those ids that are there; the others are silently not in the answer."""
        path = f"/crm/v3/objects/{name}/batch/read" + ("?archived=true" if archived else "")
        for part in parts(ids, BATCH_WITH_HISTORY if history else BATCH):
            asked = {
                "inputs": [{"id": one} for one in part],
                "properties": list(properties),
                "propertiesWithHistory": list(history),
            }
            body = self.post(path, asked)
            if b'"errors"' in body and b'"numErrors"' in body:
                self._only_missing(loads(body), path)
            yield body

    def search(
        self, name: str, filters: Sequence[Mapping[str, Any]], sort: str, properties: Sequence[str]
    ) -> Iterator[bytes]:
        """Pages of one search in ascending order of `sort`, at most the first 10,000 results.

        The body of the last page has a `paging` when results lie beyond.
        """
        asked: dict[str, Any] = {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "properties": list(properties),
            "limit": SEARCH_PAGE,
        }
        while True:
            body = self.post(f"/crm/v3/objects/{name}/search", asked)
            yield body
            after = next_page(body)
            if after is None or int(after) + SEARCH_PAGE > SEARCH_RESULTS:
                return
            asked["after"] = after

    def total(self, name: str) -> int:
        """The number of live records, by HubSpot's own search index."""
        body = self.post(
            f"/crm/v3/objects/{name}/search", {"filterGroups": [], "limit": 1, "properties": ["hs_object_id"]}
        )
        return int(loads(body)["total"])

    def associations(
        self, from_name: str, to_name: str, ids: Sequence[str]
    ) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Per 1,000 ids: id -> its associations; ids without any are there with an empty list."""
        path = f"/crm/v4/associations/{from_name}/{to_name}/batch/read"
        for part in parts(ids, ASSOCIATION_BATCH):
            found: dict[str, list[dict[str, Any]]] = {one: [] for one in part}
            inputs: list[dict[str, str]] = [{"id": one} for one in part]
            while inputs:
                answer = loads(self.post(path, {"inputs": inputs}))
                self._only_missing(answer, path)
                inputs = []
                for result in answer["results"]:
                    record = str(result["from"]["id"])
                    found.setdefault(record, []).extend(result["to"])
                    after = (result.get("paging") or {}).get("next", {}).get("after")
                    if after is not None:
                        inputs.append({"id": record, "after": str(after)})
            yield found

    @staticmethod
    def _only_missing(answer: Mapping[str, Any], path: str) -> None:
        """A batch answers 207 with errors beside results: ids that are not there are no failure, anything else is."""
        for error in answer.get("errors") or []:
            if error.get("category") != "OBJECT_NOT_FOUND":
                raise BadAnswer(f"HubSpot answered a part of {path} with an error: {error.get('message')}")


def next_page(body: bytes, rows: str = "results") -> str | None:
    """The `after` of the following page; None on the last one."""
    paging = envelope(body, rows).get("paging") or {}
    after = (paging.get("next") or {}).get("after")
    return None if after is None else str(after)


def parts(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The ids in pieces."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
