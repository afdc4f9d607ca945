"""Query jobs of Bulk API 2.0: create, state, results in pages, abort, delete, list.

https://developer.salesforce.com/docs/platform/api-asynch/guide/queries.html
A job is UploadComplete when made, InProgress at the first look and JobComplete at the second, so that clients have to poll.
Must not know sign-in or REST queries.
"""

from __future__ import annotations

import base64
import binascii
import threading
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from sources.salesforce.sandbox.auth import INTEGRATION_USER
from sources.salesforce.sandbox.fields import ObjectType
from sources.salesforce.sandbox.ids import with_suffix
from sources.salesforce.sandbox.org import Org
from sources.salesforce.sandbox.query import Result, csv_rows, object_of, run
from sources.salesforce.sandbox.soql import Select, SoqlError, parse

DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


class JobError(Exception):
    """A request about a job that is refused, with its HTTP status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Job:
    """One query job. `looks` counts the times its state was asked for."""

    id: str
    operation: str
    result: Result
    created_at: datetime
    version: str
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    state: str = "UploadComplete"
    looks: int = 0

    def info(self) -> dict[str, Any]:
        stamp = f"{self.created_at:%Y-%m-%dT%H:%M:%S}.000+0000"
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.result.snapshot.object.name,
            "createdById": INTEGRATION_USER,
            "createdDate": stamp,
            "systemModstamp": stamp,
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "lineEnding": self.line_ending,
            "columnDelimiter": self.delimiter,
        }

    def full_info(self) -> dict[str, Any]:
        done = self.state == "JobComplete"
        return {
            **self.info(),
            "jobType": "V2Query",
            "numberRecordsProcessed": self.result.total if done else 0,
            "retries": 0,
            "totalProcessingTime": 100 if done else 0,
            "isPkChunkingSupported": True,
        }


@dataclass
class Jobs:
    """The query jobs of one org."""

    org: Org
    page_size: int
    excluded: tuple[str, ...] = ()
    failure: str = ""
    _jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, body: dict[str, Any], version: str) -> dict[str, Any]:
        """Makes a job; raises `SoqlError` or `JobError`."""
        operation, query = str(body.get("operation", "")), str(body.get("query", ""))
        if operation not in ("query", "queryAll"):
            raise JobError(400, "INVALIDJOB", f"Unsupported operation: {operation or 'none given'}")
        delimiter, ending = str(body.get("columnDelimiter", "COMMA")), str(body.get("lineEnding", "LF"))
        if delimiter not in DELIMITERS or ending not in LINE_ENDINGS:
            raise JobError(400, "INVALIDJOB", f"Unsupported columnDelimiter or lineEnding: {delimiter}, {ending}")
        select = parse(query)
        if select.object in self.excluded:
            raise JobError(400, "INVALIDENTITY", f"Entity '{select.object}' is not supported by the Bulk API.")
        self._refuse_unsupported(select, object_of(self.org, select.object))
        result = run(self.org, select, with_deleted=operation == "queryAll")
        if isinstance(result, int):
            raise JobError(400, "FEATURENOTENABLED", "COUNT() is not supported in a bulk query")
        with self._lock:
            job_id = with_suffix(f"7505g0000{next(self._numbers):06d}")
            job = Job(job_id, operation, result, self.org.now, version, delimiter, ending)
            self._jobs[job_id] = job
        return job.info()

    def _refuse_unsupported(self, select: Select, each: ObjectType) -> None:
        if select.offset or select.is_aggregate:
            raise SoqlError("MALFORMED_QUERY", "Bulk API does not support OFFSET, GROUP BY or aggregate functions")
        names = (
            [item.path[-1] for item in select.items] if select.fields_of is None else [one.name for one in each.fields]
        )
        compound = [name for name in names if (one := each.find(name)) is not None and one.type == "address"]
        if compound:
            raise JobError(
                400, "FEATURENOTENABLED", f"Selecting compound data not supported in Bulk Query: {', '.join(compound)}"
            )

    def find(self, job_id: str) -> Job:
        with self._lock:
            job = self._jobs.get(with_suffix(job_id))
        if job is None:
            raise JobError(404, "NOT_FOUND", "The requested resource does not exist")
        return job

    def look(self, job_id: str) -> dict[str, Any]:
        """The job's state; looking moves it on."""
        job = self.find(job_id)
        job.looks += 1
        if job.state in ("UploadComplete", "InProgress"):
            job.state = "InProgress" if job.looks == 1 else "Failed" if self.failure else "JobComplete"
        more = {"errorMessage": self.failure} if job.state == "Failed" else {}
        return {**job.full_info(), **more}

    def all(self) -> dict[str, Any]:
        with self._lock:
            return {"done": True, "records": [job.full_info() for job in self._jobs.values()], "nextRecordsUrl": None}

    def abort(self, job_id: str) -> dict[str, Any]:
        job = self.find(job_id)
        if job.state == "JobComplete":
            raise JobError(400, "INVALIDJOBSTATE", "Job is already complete and cannot be aborted")
        job.state = "Aborted"
        return job.info()

    def delete(self, job_id: str) -> None:
        job = self.find(job_id)
        if job.state not in ("JobComplete", "Aborted", "Failed"):
            raise JobError(400, "INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
        with self._lock:
            del self._jobs[job.id]

    def results(self, job_id: str, locator: str | None, most: str | None) -> tuple[str, dict[str, str]]:
        """One page as CSV with the headers that tell where the next begins (`null` at the end)."""
        job = self.find(job_id)
        if job.state != "JobComplete":
            raise JobError(400, "INVALIDJOBSTATE", f"Job is in state {job.state}: there are no results yet")
        start = _place(locator)
        size = self.page_size if most is None else min(int(most), self.page_size) if most.isdigit() else 0
        if size < 1 or start > job.result.total:
            raise JobError(400, "INVALID_QUERY_LOCATOR", f"Invalid locator or maxRecords: {locator}, {most}")
        rows = max(0, min(size, job.result.total - start))
        text = csv_rows(self.org, job.result, start, rows, DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending])
        following = start + rows
        mark = "null" if following >= job.result.total else base64.urlsafe_b64encode(str(following).encode()).decode()
        return text, {"Sforce-Locator": mark, "Sforce-NumberOfRecords": str(rows)}


def _place(locator: str | None) -> int:
    if not locator:
        return 0
    try:
        return int(base64.urlsafe_b64decode(locator))
    except (binascii.Error, ValueError):
        raise JobError(400, "INVALID_QUERY_LOCATOR", f"Invalid locator: {locator}") from None
