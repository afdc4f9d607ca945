"""Salesforce's REST API as an ASGI app over one org: paths, headers, paging and refusals in the vendor's own shapes.

https://developer.salesforce.com/docs/platform/api-rest/guide/intro_rest.html
https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html
Queries, jobs and sign-in are elsewhere; this file must not hold SQL.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sources.salesforce.sandbox.auth import INTEGRATION_USER, ORGANIZATION, OrgOptions, Refused, Sessions
from sources.salesforce.sandbox.bulk import JobError, Jobs
from sources.salesforce.sandbox.fields import ObjectType, describe_object, describe_summary
from sources.salesforce.sandbox.ids import with_suffix
from sources.salesforce.sandbox.org import Org
from sources.salesforce.sandbox.query import Result, json_rows, run
from sources.salesforce.sandbox.search import search
from sources.salesforce.sandbox.soql import Comparison, Item, Select, SoqlError, Value, parse

VERSIONS = tuple((str(number), f"{30 + number // 2}") for number in range(55, 67))
SMALLEST_BATCH, KEPT_LOCATORS, LONGEST_URI = 200, 50, 16_384
FEED_DAYS, FEED_REFUSED_DAYS = 15, 30
_DATA = re.compile(r"/services/data/v(?P<version>\d+\.\d)(?P<rest>/.*)?")


class ApiError(Exception):
    """An answer of `[{"message", "errorCode"}]` with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


NOT_FOUND = ("NOT_FOUND", "The requested resource does not exist")


@dataclass(frozen=True)
class Call:
    """One request, read to its end."""

    method: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes
    version: str


@dataclass(frozen=True)
class _Locator:
    result: Result
    size: int


class Api:
    """The API of one org."""

    def __init__(self, org: Org, sessions: Sessions, options: OrgOptions) -> None:
        self.org, self.sessions, self.options = org, sessions, options
        self.jobs = Jobs(org, options.bulk_page_size, options.not_in_bulk, options.failing_job)
        self._locators: OrderedDict[str, _Locator] = OrderedDict()
        self._numbers, self._lock = count(1), threading.Lock()
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Response]]] = [
            (method, re.compile(pattern, re.I), handler)
            for method, pattern, handler in (
                ("GET", r"", self.resources),
                ("GET", r"/limits", self.limits),
                ("GET", r"/sobjects", self.objects),
                ("GET", r"/sobjects/(\w+)", self.basic),
                ("GET", r"/sobjects/(\w+)/describe", self.describe),
                ("GET", r"/sobjects/(\w+)/(deleted|updated)", self.feed),
                ("GET", r"/sobjects/(\w+)/(\w{15}|\w{18})", self.record),
                ("GET", r"/(query|queryAll)", self.query),
                ("GET", r"/(?:query|queryAll)/([\w-]+)", self.more),
                ("GET", r"/search", self.sosl),
                ("POST", r"/jobs/query", self.job_create),
                ("GET", r"/jobs/query", lambda _: answer(self.jobs.all())),
                ("GET", r"/jobs/query/(\w+)", lambda _, job: answer(self.jobs.look(job))),
                ("PATCH", r"/jobs/query/(\w+)", self.job_change),
                ("DELETE", r"/jobs/query/(\w+)", self.job_delete),
                ("GET", r"/jobs/query/(\w+)/results", self.job_results),
            )
        ]

    def answer(self, call: Call, path: str) -> Response:
        """The answer to a call below `/services/data/vNN.0`; raises the errors of this room."""
        allowed: list[str] = []
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if method == ("GET" if call.method == "HEAD" else call.method):
                return handler(call, *match.groups())
            allowed.append(method)
        if allowed:
            text = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(allowed)}"
            raise ApiError(405, "METHOD_NOT_ALLOWED", text)
        raise ApiError(404, *NOT_FOUND)

    # --- what there is ---

    def resources(self, call: Call) -> Response:
        base = f"/services/data/v{call.version}"
        names = ("limits", "sobjects", "query", "queryAll", "search", "jobs")
        return answer({name: f"{base}/{name}" for name in names})

    def limits(self, _: Call) -> Response:
        most, used = self.sessions.allowance, self.sessions.calls
        return answer(
            {
                "DailyApiRequests": {"Max": most, "Remaining": max(0, most - used)},
                "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
                "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
                "DataStorageMB": {"Max": 10_240, "Remaining": 9_000},
                "FileStorageMB": {"Max": 10_240, "Remaining": 10_000},
            }
        )

    def objects(self, call: Call) -> Response:
        listed = [describe_summary(each, call.version) for each in self.org.objects()]
        return answer({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    def object(self, name: str) -> ObjectType:
        each = self.org.find(name)
        if each is None:
            raise ApiError(404, *NOT_FOUND)
        return each

    def basic(self, call: Call, name: str) -> Response:
        return answer({"objectDescribe": describe_summary(self.object(name), call.version), "recentItems": []})

    def describe(self, call: Call, name: str) -> Response:
        return answer(describe_object(self.object(name), call.version))

    # --- records ---

    def record(self, call: Call, name: str, record_id: str) -> Response:
        each = self.object(name)
        names = [text.strip() for text in call.params.get("fields", "").split(",") if text.strip()]
        items = tuple(Item((text,)) for text in names) or tuple(Item((one.name,)) for one in each.fields)
        where = Comparison(("Id",), "=", Value("string", with_suffix(record_id)))
        result = run(self.org, Select(items, each.name, where), with_deleted=True)
        rows = json_rows(self.org, result, 0, 1, call.version) if isinstance(result, Result) else []
        if not rows:
            raise ApiError(404, *NOT_FOUND)
        if each.has_is_deleted:
            alive = run(self.org, Select((Item(("Id",)),), each.name, where), with_deleted=False)
            if isinstance(alive, Result) and alive.total == 0:
                raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        return raw_answer(rows[0].encode())

    def feed(self, call: Call, name: str, kind: str) -> Response:
        """Seconds are ignored, so what a call covers ends at the minute that `latestDateCovered` says."""
        each = self.object(name)
        if not describe_summary(each, call.version)["replicateable"]:
            raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", f"object type {each.name} is not replicateable")
        start, end = (_minute(call.params.get(edge, ""), edge) for edge in ("start", "end"))
        now = self.org.now
        if end - start <= timedelta(minutes=1):
            raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate must precede endDate by more than one minute")
        if start < now - timedelta(days=FEED_REFUSED_DAYS):
            raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
        covered = min(end, now.replace(second=0, microsecond=0))
        if kind.lower() == "updated":
            return answer({"ids": self.org.updated(each, start, covered), "latestDateCovered": stamp(covered)})
        earliest = now - timedelta(days=FEED_DAYS)
        gone = self.org.deleted(each, max(start, earliest), covered)
        return answer(
            {
                "deletedRecords": [{"deletedDate": stamp(when), "id": one} for one, when in gone],
                "earliestDateAvailable": stamp(earliest.replace(second=0, microsecond=0)),
                "latestDateCovered": stamp(covered),
            }
        )

    # --- queries ---

    def query(self, call: Call, kind: str) -> Response:
        text = call.params.get("q", "")
        if not text:
            raise ApiError(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
        result = run(self.org, parse(text), with_deleted=kind.lower() == "queryall")
        if isinstance(result, int):
            return answer({"totalSize": result, "done": True, "records": []})
        size = min(self._batch_size(call.headers.get("sforce-query-options", "")), self.options.page_size)
        locator = ""
        if result.total > size:
            with self._lock:
                locator = with_suffix(f"01g5g0000{next(self._numbers):06d}")
                self._locators[locator] = _Locator(result, size)
                while len(self._locators) > KEPT_LOCATORS:
                    self._locators.popitem(last=False)
        return self._page(call, result, size, 0, locator)

    def more(self, call: Call, locator: str) -> Response:
        name, _, place = locator.rpartition("-")
        kept = self._locators.get(name)
        if kept is None or not place.isdigit():
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(call, kept.result, kept.size, int(place), name)

    def _page(self, call: Call, result: Result, size: int, start: int, locator: str) -> Response:
        rows = json_rows(self.org, result, start, size, call.version)
        following = start + size
        done = following >= result.total
        head: dict[str, Any] = {"totalSize": result.total, "done": done}
        if not done:
            head["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{following}"
        return raw_answer(orjson.dumps(head)[:-1] + b',"records":[' + ",".join(rows).encode() + b"]}")

    def _batch_size(self, header: str) -> int:
        wanted = re.search(r"batchSize\s*=\s*(\d+)", header, re.I)
        return max(SMALLEST_BATCH, int(wanted[1])) if wanted else self.options.page_size

    def sosl(self, call: Call) -> Response:
        rows = search(self.org, call.params.get("q", ""), call.version)
        return raw_answer(b'{"searchRecords":[' + ",".join(rows).encode() + b"]}")

    # --- jobs ---

    def job_create(self, call: Call) -> Response:
        return answer(self.jobs.create(_json_object(call.body), call.version))

    def job_change(self, call: Call, job: str) -> Response:
        state = _json_object(call.body).get("state")
        if state != "Aborted":
            raise ApiError(400, "INVALIDJOBSTATE", f"A query job can only be set to Aborted, not {state}")
        return answer(self.jobs.abort(job))

    def job_delete(self, _: Call, job: str) -> Response:
        self.jobs.delete(job)
        return Response(status_code=204)

    def job_results(self, call: Call, job: str) -> Response:
        text, headers = self.jobs.results(job, call.params.get("locator"), call.params.get("maxRecords"))
        return Response(text, media_type="text/csv", headers=headers)


def answer(body: Any, status: int = 200) -> Response:
    return raw_answer(orjson.dumps(body), status)


def raw_answer(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json;charset=UTF-8")


def stamp(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}.000+0000"


def refusal(status: int, code: str, message: str) -> Response:
    return answer([{"message": message, "errorCode": code}], status)


def _minute(text: str, name: str) -> datetime:
    try:
        # A plus sign that was not encoded arrives as a space.
        instant = datetime.fromisoformat(re.sub(r"[ +](\d\d):?(\d\d)$", r"+\1:\2", text))
    except ValueError:
        raise ApiError(400, "INVALID_FIELD", f"{name} is not a valid date-time: {text!r}") from None
    utc = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    return utc.replace(second=0, microsecond=0, tzinfo=None)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise ApiError(400, "JSON_PARSER_ERROR", str(problem)) from None
    return read if isinstance(read, dict) else {}


def _handle(api: Api, path: str, call: Call) -> Response:
    """A call with a token, refused or answered."""
    if not api.sessions.admit(call.headers.get("authorization", "")):
        return refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if api.sessions.is_exhausted:
        return refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    try:
        response = api.answer(call, path)
    except SoqlError as error:
        response = refusal(400, error.code, error.message)
    except (ApiError, JobError) as error:
        response = refusal(error.status, error.code, error.message)
    response.headers["Sforce-Limit-Info"] = f"api-usage={api.sessions.calls}/{api.sessions.allowance}"
    return response


async def _versions(_: Request) -> Response:
    return answer(
        [
            {"label": f"Release {label}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number, label in VERSIONS
        ]
    )


def _identity(base: str, options: OrgOptions) -> dict[str, Any]:
    data = f"{base}/services/data/v{{version}}"
    return {
        "id": f"{base}/id/{ORGANIZATION}/{INTEGRATION_USER}",
        "user_id": INTEGRATION_USER,
        "organization_id": ORGANIZATION,
        "username": options.username,
        "display_name": "Integration User",
        "urls": {"rest": f"{data}/", "query": f"{data}/query/", "sobjects": f"{data}/sobjects/"},
    }


def make_app(org: Org, sessions: Sessions, options: OrgOptions) -> Starlette:
    """The ASGI app of one org, at the root of its host and port."""
    api = Api(org, sessions, options)

    async def token(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            granted = sessions.token(form, request.headers.get("authorization", ""), _base_of(request))
        except Refused as refused:
            return answer({"error": refused.error, "error_description": refused.description}, refused.status)
        return answer(granted)

    async def revoke(request: Request) -> Response:
        sessions.revoke(str((await request.form()).get("token", "")))
        return Response(status_code=200)

    async def identity(request: Request) -> Response:
        if not sessions.admit(request.headers.get("authorization", "")):
            return Response("Bad_OAuth_Token", 403, media_type="text/plain")
        return answer(_identity(_base_of(request), options))

    async def data(request: Request) -> Response:
        if len(str(request.url)) - len(_base_of(request)) > LONGEST_URI:
            return Response("<h1>414 URI Too Long</h1>", 414, media_type="text/html")
        match = _DATA.fullmatch(request.url.path.rstrip("/"))
        if match is None or match["version"].split(".")[0] not in dict(VERSIONS):
            return refusal(404, *NOT_FOUND)
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(request.method, dict(request.query_params), headers, await request.body(), match["version"])
        return await run_in_threadpool(_handle, api, match["rest"] or "", call)

    return Starlette(
        routes=[
            *(Route(f"/services/oauth2/token{slash}", token, methods=["POST"]) for slash in ("", "/")),
            Route("/services/oauth2/revoke", revoke, methods=["POST"]),
            Route("/services/oauth2/userinfo", identity),
            Route("/id/{organization}/{user}", identity),
            *(Route(f"/services/data{slash}", _versions) for slash in ("", "/")),
            Route("/services/data/{rest:path}", data, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]),
        ]
    )


def _base_of(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
