"""How a Salesforce org is read: sign-in, describe, SOQL in closed windows, the feed of deletions, id lists, counts.

Small windows come over REST, large ones by a job of Bulk API 2.0 (`bulk.py`): the first page of REST says how many rows are
to be expected. No dlt in here, and nothing that only the demo org has. Pages of the vendor that behaviours come from:
- query, queryAll, paging: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-queryall.html
- describe: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-sobject-describe.html
- deletions: https://developer.salesforce.com/docs/platform/api-rest/guide/resources-getdeleted.html
- 16,384 bytes of address and headers: https://help.salesforce.com/s/articleView?id=000386264
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from sources.arrow import Csv, Field, Json, Pages, column_name, envelope, loads
from sources.errors import BadAnswer, CredentialsRejected, QuotaExhausted
from sources.http import Http, Rule
from sources.salesforce.bulk import BULK_FROM, FIRST_LOOK, Place, QueryJobs, column_of, place_in
from sources.salesforce.sign_in import sign_in
from sources.stream import Clock, Connection, DataType, GoesOnBy, Rejected, Stream, Window

if TYPE_CHECKING:
    import pyarrow as pa

    from sources.config import Config
    from sources.stream import Batch

API_VERSION = "62.0"
LONGEST_URI = 12_000  # bytes; address and headers together may have 16,384, and an access token takes up to 2,000
FEED_REACH = timedelta(days=15)
SHORTEST_FEED = timedelta(minutes=2)  # start must precede end by more than a minute

RULES: tuple[Rule, ...] = (
    Rule(
        "stop", (400, 401, 403), path=r"/services/oauth2/token", raises=CredentialsRejected,
        remedy="Correct {setting[client_id]} and {setting[client_secret]} (or {setting[username]} and"
        " {setting[private_key]}); {setting[base_url]} must be the org's My Domain address.",
    ),
    Rule("renew", 401, text="INVALID_SESSION_ID"),
    # The allowance is of the last 24 hours: waiting for minutes does not help.
    Rule("stop", 403, text="REQUEST_LIMIT_EXCEEDED", raises=QuotaExhausted),
    Rule(
        "stop", 403, text="API_DISABLED_FOR_ORG|API_CURRENTLY_DISABLED", raises=CredentialsRejected,
        remedy="Give the integration user the permission API Enabled; the edition of the org must include the API.",
    ),
    # Unknown, switched off, or not permitted: Salesforce does not tell these apart.
    Rule("skip", 400, text=r"INVALID_TYPE\b", remedy="Give the integration user Read on this object, or ignore this."),
    Rule("skip", 404, path=r"/sobjects/\w+/describe", remedy="Give the integration user Read on this object, or ignore this."),
    Rule("retry", 400, text="QUERY_TIMEOUT|SERVER_UNAVAILABLE"),
)  # fmt: skip

# Types of describe that REST gives as something else than a value, or that no table can hold.
_UNREAD = {"address", "location", "base64", "complexvalue"}
_TYPES: Mapping[str, DataType] = {
    "boolean": "bool", "int": "bigint", "long": "bigint", "double": "double", "percent": "double", "currency": "decimal",
    "date": "date", "datetime": "timestamp",
}  # fmt: skip


def connect(config: Config, clock: Clock) -> SalesforceConnection:
    """A reader of one org; signs in at the first request."""
    http = Http(config, config["base_url"], sign_in=sign_in(config), rules=RULES)
    base = f"/services/data/v{config.get('api_version') or API_VERSION}"
    jobs = QueryJobs(http, base, time.sleep, float(config.get("bulk_poll_seconds") or FIRST_LOOK))
    bulk_from = int(config.get("bulk_from") or BULK_FROM)
    return SalesforceConnection(http, clock, base, int(config.get("longest_uri") or LONGEST_URI), jobs, bulk_from)


@dataclass
class _Reading:
    """How one window of a stream is read."""

    kind: str
    where: str
    chunks: list[list[str]]
    first: bytes = b""
    """The first page over REST."""
    place: Place | None = None
    """Where to read the results of a query job from; None = over REST."""
    is_resumed: bool = False


class SalesforceConnection(Connection):
    """See `sources.stream.Connection`."""

    def __init__(
        self, http: Http, clock: Clock, base: str, longest_uri: int, jobs: QueryJobs, bulk_from: int = BULK_FROM
    ) -> None:
        """`base`: the API's path with its version. `bulk_from`: rows from which a job is used; 0 = never."""
        self._http, self._clock, self._base, self._longest_uri = http, clock, base, longest_uri
        self._jobs, self._bulk_from = jobs, bulk_from
        self._described: dict[str, dict[str, str]] = {}
        self._begun: dict[tuple[str, str], _Reading] = {}
        self._listed: dict[str, list[pa.ChunkedArray]] = {}

    @property
    def requests(self) -> int:  # type: ignore[override]
        return self._http.requests

    def limits(self) -> Mapping[str, str]:
        """https://developer.salesforce.com/docs/platform/api-rest/guide/resources-limits.html"""
        daily = loads(self._http.get(f"{self._base}/limits").content).get("DailyApiRequests") or {}
        if "Max" not in daily:
            return {}
        return {"API requests in 24 hours": f"{daily['Remaining']:,} of {daily['Max']:,} left"}

    def close(self) -> None:
        self._http.close()

    # --- rows ---

    def goes_on_by(self, stream: Stream, window: Window) -> GoesOnBy:
        """Results of a job go on by their locator. Over REST a window may be cut at a stamp: rows come in its order, which
        has an index
        (https://developer.salesforce.com/docs/platform/salesforce-large-data-volumes-bp/guide/ldv-deployments-infrastructure-indexes.html).
        Wide objects are read by ranges of ids there."""
        key = stream.name, window.in_words()
        self._begun[key] = reading = self._begin(stream, window)
        if reading.place is not None:
            return "memory"
        return "cursor" if len(reading.chunks) == 1 else "nothing"

    def pages(self, stream: Stream, window: Window) -> Iterator[Batch]:
        """Rows of the window. Deleted and archived ones come too where the vendor keeps them (`queryAll`)."""
        if stream.deletes == "feed":
            yield from self._lost_deletions(stream, window)
        reading = self._begun.pop((stream.name, window.in_words()), None) or self._begin(stream, window)
        whole = window.start is None and not window.backfill and not reading.is_resumed and stream.deletes == "sweep"
        ids: list[pa.ChunkedArray] = []
        for page in self._by_job(stream, window, reading) if reading.place else self._by_rest(stream, reading):
            yield page
            if whole:
                ids += map(_ids_of, page.bodies, repeat(page.shape))
        if whole:
            self._listed[stream.name] = ids

    def _begin(self, stream: Stream, window: Window, *, anew: bool = False) -> _Reading:
        """Goes on with a job whose place was noted; else asks for the first page, which says how many rows there are."""
        types = self._fields(stream.object)
        where = _window_condition(stream, types, window)
        kind = "query" if stream.deletes in ("feed", "sweep") else "queryAll"
        reading = _Reading(kind, where, self._chunks(stream, list(types), where))
        noted = None if anew else place_in(window.memory, window.in_words())
        if noted is not None:
            reading.place, reading.is_resumed = noted, True
            return reading
        order = (
            next((name for name in types if column_name(name) == stream.cursor), "")
            if len(reading.chunks) == 1
            else "Id"
        )
        soql = _soql(reading.chunks[0], stream.object, where, order)
        reading.first = self._http.get(f"{self._base}/{kind}", {"q": soql}).content
        expected = int(envelope(reading.first, "records").get("totalSize") or 0)
        if 0 < self._bulk_from <= expected:  # without ORDER BY, which would take the splitting of large objects away
            reading.place = self._jobs.start(kind, _soql(list(types), stream.object, where))
        return reading

    def _by_rest(self, stream: Stream, reading: _Reading) -> Iterator[Pages]:
        shape = Json(("records",), _columns(stream, self._fields(stream.object)))
        for body in self._following(reading.kind, reading.first):
            wide = len(reading.chunks) > 1
            yield Pages([self._widened(stream, reading, body) if wide else body], shape)

    def _by_job(self, stream: Stream, window: Window, reading: _Reading) -> Iterator[Pages]:
        """The results of the job. It stays while its window is cut, and is deleted when it was read or cannot be read."""
        types = self._fields(stream.object)
        shape = Csv(_columns(stream, types), quoted_null=True)
        assert reading.place is not None
        job, pages = reading.place.job, self._jobs.pages(reading.place, list(types))
        try:
            if reading.is_resumed:
                try:
                    first = next(pages, None)
                except BadAnswer:  # it is gone, or was made by another version: the window begins again
                    window.memory.pop("job", None)
                    again = self._begin(stream, window, anew=True)
                    yield from self._by_job(stream, window, again) if again.place else self._by_rest(stream, again)
                    return
                pages = chain([] if first is None else [first], pages)
            for body, place in pages:
                yield Pages([body], shape)
                window.memory["job"] = {"window": window.in_words(), "place": place.noted()}
        except BaseException as end:
            is_cut = isinstance(end, GeneratorExit) and "job" in window.memory
            if not reading.is_resumed and not is_cut:  # nobody will come back for it
                self._jobs.discard(job)
            raise
        window.memory.pop("job", None)
        self._jobs.discard(job)

    def _query(self, kind: str, soql: str) -> Iterator[bytes]:
        yield from self._following(kind, self._http.get(f"{self._base}/{kind}", {"q": soql}).content)

    def _following(self, kind: str, body: bytes) -> Iterator[bytes]:
        """A page and those behind it."""
        while True:
            head = envelope(body, "records")
            yield body
            following = head.get("nextRecordsUrl")
            if head.get("done", True) or not following:
                if not head.get("done", True):
                    raise BadAnswer(
                        f"{self._http.config.instance}: a page of {kind} is not the last and names no next one."
                    )
                return
            body = self._http.get(str(following)).content

    def _fields(self, name: str) -> dict[str, str]:
        """Readable fields of an object and their types, as describe gives them to this user."""
        if name not in self._described:
            answer = loads(self._http.get(f"{self._base}/sobjects/{name}/describe").content)
            fields: list[dict[str, Any]] = answer.get("fields") or []
            self._described[name] = {
                each["name"]: each["type"] for each in fields if each["type"].lower() not in _UNREAD
            }
        if "Id" not in self._described[name]:
            raise BadAnswer(f"{self._http.config.instance}: describe of {name} shows no field Id.")
        return self._described[name]

    # --- objects with more fields than an address can name ---

    def _chunks(self, stream: Stream, names: Sequence[str], where: str) -> list[list[str]]:
        """The fields in lists that fit an address; each has Id and the cursor, by which the parts are put together."""
        cursor = next((name for name in names if column_name(name) == stream.cursor), None)
        both = ["Id", cursor] if cursor else ["Id"]
        fixed = len(self._base) + 40 + len(quote(_soql(both, stream.object, where, "Id"))) + _RANGE_BYTES
        chunks: list[list[str]] = [list(both)]
        size = fixed
        for name in names:
            if name in both:
                continue
            if size + len(name) + 3 > self._longest_uri and len(chunks[-1]) > len(both):
                chunks.append(list(both))
                size = fixed
            chunks[-1].append(name)
            size += len(name) + 3  # the comma is three bytes in an address
        return chunks

    def _widened(self, stream: Stream, reading: _Reading, body: bytes) -> bytes:
        """A page with the fields of all chunks. A record that changed between two of them is left to the next window."""
        kind, where, chunks = reading.kind, reading.where, reading.chunks
        rows: dict[str, dict[str, Any]] = {row["Id"]: row for row in loads(body)["records"]}
        if not rows:
            return body
        ids = list(rows)
        between = f"Id >= '{ids[0]}' AND Id <= '{ids[-1]}'"
        condition = f"({where}) AND {between}" if where else between
        cursor = chunks[0][1] if len(chunks[0]) > 1 else "Id"
        for chunk in chunks[1:]:
            found: dict[str, dict[str, Any]] = {}
            for page in self._query(kind, _soql(chunk, stream.object, condition, "Id")):
                found |= {row["Id"]: row for row in loads(page)["records"]}
            rows = {
                one: {**row, **found[one]}
                for one, row in rows.items()
                if one in found and found[one][cursor] == row[cursor]
            }
        return orjson.dumps({"records": list(rows.values())})

    # --- deletions, ids, counts ---

    def deleted(self, stream: Stream, window: Window) -> Iterator[pa.Table]:
        """What the feed of deletions has since the last run. It ignores seconds, and says itself how far it came."""
        import pyarrow as pa

        if window.start is None:  # nothing was read before, so nothing can have been deleted since
            window.memory["deletions_until"] = _minute(window.end).isoformat()
            return
        start = max(self._feed_start(window), _minute(self._clock() - FEED_REACH) + SHORTEST_FEED)
        end = _minute(window.end)
        if end - start < SHORTEST_FEED:
            return
        address = f"{self._base}/sobjects/{stream.object}/deleted/"
        answer = loads(self._http.get(address, {"start": _instant(start), "end": _instant(end)}).content)
        rows: list[dict[str, str]] = answer.get("deletedRecords") or []
        window.memory["deletions_until"] = min(end, _read_instant(answer.get("latestDateCovered"), end)).isoformat()
        if rows:
            when = [_read_instant(row["deletedDate"], end) for row in rows]
            yield pa.table(
                {
                    "id": pa.array([row["id"] for row in rows], pa.string()),
                    "_deleted_at": pa.array(when, pa.timestamp("us", "UTC")),
                }
            )

    def _feed_start(self, window: Window) -> datetime:
        kept = window.memory.get("deletions_until")
        if kept is not None and not window.backfill:
            return datetime.fromisoformat(kept)
        return _minute(window.start or window.end)

    def _lost_deletions(self, stream: Stream, window: Window) -> Iterator[Rejected]:
        """The feed reaches back 15 days: a longer pause between runs loses deletions, and that is said."""
        if window.start is None or window.backfill:
            return
        start = self._feed_start(window)
        if start < self._clock() - FEED_REACH:
            yield Rejected(
                f"{stream.object} was last read on {start:%Y-%m-%d}; Salesforce lists deletions of the last 15 days only, so"
                " deletions before that are unknown and these records stay."
            )

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """Ids of all live records: what this run has read as a whole, else a listing for that."""
        import pyarrow as pa

        found = self._listed.pop(stream.name, None)
        yield from (pa.table({"id": each}) for each in (self._all_ids(stream) if found is None else found))

    def _all_ids(self, stream: Stream) -> Iterator[pa.ChunkedArray]:
        soql = f"SELECT Id FROM {stream.object}"
        first = self._http.get(f"{self._base}/query", {"q": soql}).content
        expected = int(envelope(first, "records").get("totalSize") or 0)
        place = self._jobs.start("query", soql) if 0 < self._bulk_from <= expected else None
        if place is None:
            yield from (_ids_of(body, Json(("records",), {})) for body in self._following("query", first))
            return
        try:
            yield from (_ids_of(body, Csv({})) for body, _ in self._jobs.pages(place, ["Id"]))
        finally:
            self._jobs.discard(place.job)

    def count(self, stream: Stream) -> int | None:
        """Live records; archived activities count, which only `queryAll` shows."""
        flagged = stream.deletes == "flag" and "IsDeleted" in self._fields(stream.object)
        kind, where = ("queryAll", " WHERE IsDeleted = false") if flagged else ("query", "")
        answer = loads(
            self._http.get(f"{self._base}/{kind}", {"q": f"SELECT COUNT() FROM {stream.object}{where}"}).content
        )
        return int(answer["totalSize"])


_RANGE_BYTES = 120  # the condition on a range of ids that the second and later chunks add


def _ids_of(body: bytes, shape: Json | Csv) -> pa.ChunkedArray:
    import pyarrow as pa

    if isinstance(shape, Csv):
        return column_of(body, "Id")
    return pa.chunked_array([[str(row["Id"]) for row in loads(body)["records"]]], pa.string())


def _columns(stream: Stream, types: Mapping[str, str]) -> dict[str, Field]:
    """Raw column -> field. Of two names that become one column the first keeps it, the other gets a number."""
    columns: dict[str, Field] = {}
    for name, kind in types.items():
        column = plain = column_name(name)
        number = 2
        while column in columns:
            column, number = f"{plain}_{number}", number + 1
        columns[column] = Field((name,), _TYPES.get(kind.lower(), "text"))
    if stream.deletes == "flag" and "IsDeleted" in types:
        columns["_deleted"] = Field(("IsDeleted",), "bool")
    return columns


def _window_condition(stream: Stream, types: Mapping[str, str], window: Window) -> str:
    """A closed window on the cursor. Stamps are whole seconds, and so are the edges: start < stamp <= end."""
    cursor = next((name for name in types if column_name(name) == stream.cursor), None)
    if stream.cursor is None:
        return ""
    if cursor is None:
        raise BadAnswer(f"{stream.object} has no field for the cursor {stream.cursor}: its changes cannot be followed.")
    until = f"{cursor} <= {_instant(window.end)}"
    return until if window.start is None else f"{cursor} > {_instant(window.start)} AND {until}"


def _soql(names: Sequence[str], vendor_object: str, where: str, order: str = "") -> str:
    condition = f" WHERE {where}" if where else ""
    return f"SELECT {','.join(names)} FROM {vendor_object}{condition}" + (f" ORDER BY {order}" if order else "")


def _instant(stamp: datetime) -> str:
    return f"{stamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _minute(stamp: datetime) -> datetime:
    return stamp.astimezone(UTC).replace(second=0, microsecond=0)


def _read_instant(text: object, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(str(text)) if text else otherwise
