"""Query jobs of Bulk API 2.0: made, watched, their results read page by page and checked, cleaned away. No streams in here.

Pages of the vendor that behaviours come from:
- what it cannot do, and that ORDER BY takes away its splitting of large objects:
  https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html
- results, locators that stay the same while the job exists, the two headers, one version for job and results (else 409):
  https://developer.salesforce.com/docs/platform/api-asynch/guide/query-get-job-results.html
- 10,000 jobs and 1 TB a day, results kept for 7 days, failed work repeated by Salesforce itself:
  https://developer.salesforce.com/docs/atlas.en-us.228.0.api_bulk_v2.meta/api_bulk_v2/bulk_api_2_limits.htm
The job fails as a whole; its results are in no order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sources.arrow import loads
from sources.errors import BadAnswer, ObjectNotPermitted, TsunaguSourceError

if TYPE_CHECKING:
    import pyarrow as pa
    import requests

    from sources.http import Http

BULK_FROM: Final = 20_000
"""Rows from which a job takes fewer requests than pages of 2,000: it is made, looked at a few times, read and deleted."""
LONGEST_SOQL: Final = 100_000
"""https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm"""
CELLS: Final = 2_000_000
"""Values of one page of results, which is held in memory as a whole: as text, as rows of text and typed. With 5 million a sync
of accounts (35 fields) took 1,011 MB."""
MOST_ROWS: Final = 100_000
FIRST_LOOK, LONGEST_PAUSE, LONGEST_WAIT = 5.0, 30.0, 4 * 3600.0
"""Seconds: looks at a job are requests too, so their pauses grow."""
TRIES: Final = 3
END: Final = "null"


@dataclass(frozen=True)
class Place:
    """How far the results of a job were read. JSON values only."""

    job: str
    total: int | None = None
    """Rows of all pages, once the job is complete."""
    locator: str = ""
    given: int = 0

    def noted(self) -> dict[str, Any]:
        """For `Place(**noted)` in a later run."""
        return asdict(self)


class QueryJobs:
    """The jobs of one org that this run makes."""

    def __init__(self, http: Http, base: str, sleep: Callable[[float], None], first_look: float = FIRST_LOOK) -> None:
        self._http, self._path, self._sleep, self._first_look = http, f"{base}/jobs/query", sleep, first_look

    def start(self, operation: str, soql: str) -> Place | None:
        """A new job; None when Bulk does not take the query (some objects are not in it), which REST then answers."""
        if len(soql) > LONGEST_SOQL:
            return None
        asked = {"operation": operation, "query": soql, "columnDelimiter": "COMMA", "lineEnding": "LF"}
        try:
            answer = loads(self._http.post(self._path, json=asked).content)
        except (BadAnswer, ObjectNotPermitted):
            return None
        if not answer.get("id"):
            raise BadAnswer(f"{self._instance}: the answer about a new query job names none: {str(answer)[:300]}")
        return Place(str(answer["id"]))

    def pages(self, place: Place, names: Sequence[str]) -> Iterator[tuple[bytes, Place]]:
        """Results from a place on, each page of those columns with the place behind it. Raises `BadAnswer` when the job failed, a page holds
        other rows than its header says, or all pages together other than the job."""
        total = self._wait(place.job) if place.total is None else place.total
        most = max(1_000, min(MOST_ROWS, CELLS // len(names)))
        locator, given = place.locator, place.given
        while locator != END:
            body, rows, following = self._page(place.job, locator, most, names)
            given += rows
            if following == locator or (following == END and given != total):
                raise BadAnswer(
                    f"{self._instance}: query job {place.job} says that it has {total:,} rows; its results end after {given:,}."
                )
            locator = following
            if rows:
                yield body, Place(place.job, total, locator, given)

    def discard(self, job: str) -> None:
        """Delete the job with its results; what cannot be deleted now Salesforce deletes after 7 days."""
        with suppress(TsunaguSourceError):
            try:
                self._http.send("DELETE", f"{self._path}/{job}")
            except BadAnswer:  # it still runs
                self._http.send("PATCH", f"{self._path}/{job}", json={"state": "Aborted"})
                self._http.send("DELETE", f"{self._path}/{job}")

    @property
    def _instance(self) -> str:
        return self._http.config.instance

    def _wait(self, job: str) -> int:
        """Rows of the job, once it is complete."""
        pause, waited = self._first_look, 0.0
        while waited < LONGEST_WAIT:
            self._sleep(pause)
            waited, pause = waited + max(pause, 1), min(LONGEST_PAUSE, 1.5 * pause)
            info = loads(self._http.get(f"{self._path}/{job}").content)
            state = info.get("state")
            if state == "JobComplete":
                return int(info["numberRecordsProcessed"])
            if state not in ("UploadComplete", "InProgress"):
                raise BadAnswer(
                    f"{self._instance}: query job {job} on {info.get('object')} ended as {state}:"
                    f" {info.get('errorMessage') or 'no reason given'}. Run again; if it fails again, set"
                    f" {self._http.config.setting('bulk_from')} to 0, which reads over REST."
                )
        raise BadAnswer(
            f"{self._instance}: query job {job} is not complete after {waited / 3600:.0f} hours. Run again."
        )

    def _page(self, job: str, locator: str, most: int, names: Sequence[str]) -> tuple[bytes, int, str]:
        """One page, its rows, and the next locator. A page can be asked for again: a cut one is."""
        asked = {"maxRecords": most, **({"locator": locator} if locator else {})}
        told: int | None = None
        rows = 0
        for _ in range(TRIES):
            answer = self._http.get(f"{self._path}/{job}/results", asked)
            told, following = _headers(answer)
            if told is None or not following:
                raise BadAnswer(
                    f"{self._instance}: results of query job {job} came without Sforce-NumberOfRecords or -Locator."
                )
            rows = count_rows(answer.content, names)
            if rows == told:
                return answer.content, rows, following
        raise BadAnswer(f"{self._instance}: a page of query job {job} has {rows:,} rows; its header says {told:,}.")


def _headers(answer: requests.Response) -> tuple[int | None, str]:
    told = answer.headers.get("Sforce-NumberOfRecords", "")
    return (int(told) if told.isdigit() else None), answer.headers.get("Sforce-Locator", "")


def count_rows(body: bytes, names: Sequence[str]) -> int:
    """Rows of a page of CSV, line ends inside cells not counted. Raises `BadAnswer` when a column is missing; -1 when the
    text breaks off inside a row."""
    import pyarrow as pa

    if not body.strip():
        return 0
    header = next(csv.reader(io.StringIO(body[: body.find(b"\n")].decode("utf-8", "replace"))))
    missing = set(names) - set(header)
    if missing:
        raise BadAnswer(f"The results of a query job lack {', '.join(sorted(missing)[:5])}: {str(header)[:200]}")
    try:
        return len(column_of(body, names[0]))
    except pa.ArrowInvalid:
        return -1


def column_of(body: bytes, name: str) -> pa.ChunkedArray:
    """One column of a page of CSV, as texts."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return arrow_csv.read_csv(
        pa.BufferReader(body),
        arrow_csv.ReadOptions(block_size=len(body) + 1, use_threads=False),
        arrow_csv.ParseOptions(newlines_in_values=True),
        arrow_csv.ConvertOptions(include_columns=[name], column_types={name: pa.string()}),
    )[name]


def place_in(memory: Mapping[str, Any], window: str) -> Place | None:
    """The place that an earlier part of the same window noted."""
    noted = memory.get("job")
    return Place(**noted["place"]) if noted and noted["window"] == window else None
