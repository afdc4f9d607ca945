"""Bulk extracts of the sandbox: jobs, the queue of ten of which two run, the daily quota, and files with their checksum.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract and the pages beside it. A file
is written when its job completes, with the data of that moment. Time is real time, not the company's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from time import monotonic
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sources.marketo.sandbox import words
from sources.marketo.sandbox.rest import moment_of
from sources.marketo.sandbox.store import Row, Store, instant, plain
from sources.marketo.sandbox.wire import Answer, Call, Plain, Refused

QUEUE, RUNNING, DAILY_BYTES = 10, 2, 500_000_000
LONGEST: Final = timedelta(days=31)
PAGE: Final = 300
ACTIVITY_COLUMNS: Final = (
    "marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId", "primaryAttributeValueId",
    "primaryAttributeValue", "attributes",
)  # fmt: skip
KINDS: Final = ("leads", "activities", "program/members")


@dataclass
class Job:
    """One export."""

    id: str
    kind: str
    fields: Sequence[str]
    filter: Mapping[str, Any]
    headers: Mapping[str, str]
    status: str = "Created"
    created_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ends: float = 0.0
    file: bytes = b""
    records: int = 0


class Exports:
    """The queue of one subscription. `seconds`, `daily_bytes`, `updated_at_filter` and `cancelled_as` may be set by tests."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, RLock()
        self.jobs: dict[str, Job] = {}
        self.seconds = 0.0
        self.daily_bytes = DAILY_BYTES
        self.updated_at_filter = True
        self.queue = QUEUE

    # endpoints ---------------------------------------------------------------------------------------------------
    def create(self, call: Call, kind: str) -> Answer:
        """A job that is not queued yet."""
        self._within_quota()
        fields, chosen = call.body.get("fields"), call.body.get("filter")
        if not isinstance(chosen, dict) or not chosen:
            raise Refused(1003, "Invalid filter")
        if (call.body.get("format") or "CSV").upper() != "CSV":
            raise Refused(1003, "The sandbox writes CSV only")
        columns = self._columns(kind, fields, chosen)
        self._check(kind, chosen)
        with self._lock:
            number = len(self.jobs) + 1
            job = Job(
                str(uuid5(NAMESPACE_URL, f"export/{number}")),
                kind,
                columns,
                chosen,
                call.body.get("columnHeaderNames") or {},
            )
            job.created_at = self._store.now
            self.jobs[job.id] = job
        return {"result": [_status(job)]}

    def enqueue(self, _call: Call, kind: str, number: str) -> Answer:
        """Puts a job into the queue."""
        with self._lock:
            job = self._job(kind, number)
            self._settle()
            self._within_quota()
            if job.status != "Created":
                raise Refused(1029, "Job already queued")
            if sum(one.status in ("Queued", "Processing") for one in self.jobs.values()) >= self.queue:
                raise Refused(1029, f"Too many jobs ({self.queue}) in queue")
            job.status, job.queued_at = "Queued", self._store.now
            return {"result": [_status(job)]}

    def status(self, _call: Call, kind: str, number: str) -> Answer:
        """How far a job is."""
        with self._lock:
            job = self._job(kind, number)
            self._settle()
            return {"result": [_status(job)]}

    def cancel(self, _call: Call, kind: str, number: str) -> Answer:
        """Ends a job. Answers spell it with two l, the list's filter with one."""
        with self._lock:
            job = self._job(kind, number)
            if job.status in ("Created", "Queued", "Processing"):
                job.status = "Cancelled"
            return {"result": [_status(job)]}

    def listed(self, call: Call, kind: str) -> Answer:
        """The jobs of the last days."""
        with self._lock:
            self._settle()
            wanted = {one.replace("Canceled", "Cancelled") for one in call.listed("status")}
            found = [job for job in self.jobs.values() if job.kind == kind and (not wanted or job.status in wanted)]
        start = int(call.query.get("nextPageToken") or 0)
        size = call.number("batchSize", PAGE, PAGE)
        token = {"nextPageToken": str(start + size)} if len(found) > start + size else {}
        return {"result": [_status(job) for job in found[start : start + size]], **token}

    def file(self, call: Call, kind: str, number: str) -> Answer:
        """The file of a completed job, or a range of it; what is not there is a 404 in plain text."""
        job = self.jobs.get(number)
        if job is None or job.kind != kind or job.status != "Completed" or not job.file:
            raise Plain(404, b"File not found", {}, "text/plain")
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("range", ""))
        total = len(job.file)
        if not found:
            raise Plain(200, job.file, {"Accept-Ranges": "bytes"}, "text/csv")
        start, end = int(found[1]), min(int(found[2]) if found[2] else total - 1, total - 1)
        if start > end:
            raise Plain(416, b"", {"Content-Range": f"bytes */{total}"}, "text/plain")
        headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{end}/{total}"}
        raise Plain(206, job.file[start : end + 1], headers, "text/csv")

    # the queue ---------------------------------------------------------------------------------------------------
    def _settle(self) -> None:
        """What has happened to the jobs since someone last looked."""
        now = monotonic()
        for job in self.jobs.values():
            if job.status == "Processing" and now >= job.ends:
                self._complete(job)
        for job in self.jobs.values():
            running = sum(one.status == "Processing" for one in self.jobs.values())
            if job.status == "Queued" and running < RUNNING:
                job.status, job.started_at, job.ends = "Processing", self._store.now, now + self.seconds
                if not self.seconds:
                    self._complete(job)

    def _complete(self, job: Job) -> None:
        job.file, job.records = self._write(job)
        job.status, job.finished_at = "Completed", self._store.now

    def _job(self, kind: str, number: str) -> Job:
        job = self.jobs.get(number)
        if job is None or job.kind != kind:
            raise Refused(1013, f"Export job '{number}' not found")
        return job

    def _within_quota(self) -> None:
        if sum(len(job.file) for job in self.jobs.values()) >= self.daily_bytes:
            raise Refused(1029, f"Export daily quota {self.daily_bytes // 1_000_000}MB exceeded")

    # what is asked -----------------------------------------------------------------------------------------------
    def _columns(self, kind: str, fields: Any, chosen: Mapping[str, Any]) -> list[str]:
        if kind == "activities":
            known: Sequence[str] = (*ACTIVITY_COLUMNS, "actionResult")
            names: list[str] = list(fields or ACTIVITY_COLUMNS)
        elif kind == "leads":
            every = (*words.SYSTEM_FIELDS, *words.FIELDS)
            known, names = [one.name for one in every if one.type != "formula"], list(fields or ())
        else:
            known, names = list(words.MEMBER_FIELDS), list(fields or ())
        if not names:
            raise Refused(1002, "Missing value for required parameter 'fields'")
        wrong = [name for name in names if name not in known]
        if wrong:
            raise Refused(1006, f"Field '{wrong[0]}' not found")
        return ["programId", *names] if "programIds" in chosen else names

    def _check(self, kind: str, chosen: Mapping[str, Any]) -> None:
        allowed = {
            "leads": ("createdAt", "updatedAt", "staticListId", "staticListName"),
            "activities": ("createdAt", "activityTypeIds"),
            "program/members": ("programId", "programIds", "statusNames", "isExhausted", "updatedAt"),
        }[kind]
        for name in chosen:
            if name not in allowed or (name == "updatedAt" and not self.updated_at_filter):
                raise Refused(1035, "Unsupported filter type for target subscription")
        if kind == "leads" and len(chosen) != 1:
            raise Refused(1003, "Each export job can use only one filter type")
        if kind == "activities" and "createdAt" not in chosen:
            raise Refused(1002, "Missing value for required parameter 'createdAt'")
        if kind == "program/members" and ("programId" in chosen) == ("programIds" in chosen):
            raise Refused(1003, "Give one of programId and programIds")
        if len(chosen.get("programIds") or ()) > 10:
            raise Refused(1003, "programIds takes up to 10 ids")
        for name in ("createdAt", "updatedAt"):
            if name in chosen:
                _range(chosen[name])

    def _write(self, job: Job) -> tuple[bytes, int]:
        """The file and its number of records; no records, no file."""
        rows = {"leads": self._leads, "activities": self._activities, "program/members": self._members}[job.kind](job)
        if not rows:
            return b"", 0
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([job.headers.get(name, name) for name in job.fields])
        writer.writerows([_cell(row.get(name)) for name in job.fields] for row in rows)
        return text.getvalue().encode(), len(rows)

    def _leads(self, job: Job) -> list[Row]:
        name, value = next(iter(job.filter.items()))
        if name in ("createdAt", "updatedAt"):
            where, values = f'"{name}" between ?::timestamp and ?::timestamp', list(_range(value))
        else:
            found = [n for n, label, _ in words.LISTS if value in (n, label)]
            where, values = f"id in ({self._store.members_of(found[0] if found else 0)})", []
        return [plain(row) for row in self._store.leads(job.fields, where, values)]

    def _activities(self, job: Job) -> list[Row]:
        kinds = [int(one) for one in job.filter.get("activityTypeIds") or ()]
        only = f" and type in ({', '.join(map(str, kinds))})" if kinds else ""
        sql = f'select * from {self._store.table("activities")} where "at" between ?::timestamp and ?::timestamp{only}'
        return [
            {
                "marketoGUID": row["guid"],
                "leadId": row["lead"],
                "activityDate": instant(row["at"]),
                "activityTypeId": row["type"],
                "campaignId": row["campaign"],
                "primaryAttributeValueId": row["value_id"],
                "primaryAttributeValue": row["value"],
                "attributes": row["attributes"],
                "actionResult": "succeeded",
            }
            for row in self._store.rows(sql, list(_range(job.filter["createdAt"])))
        ]

    def _members(self, job: Job) -> list[Row]:
        programs = job.filter.get("programIds") or [job.filter["programId"]]
        where, values = f'"programId" in ({", ".join(str(int(one)) for one in programs)})', list[Any]()
        if job.filter.get("statusNames"):
            where += f' and "statusName" in ({", ".join("?" * len(job.filter["statusNames"]))})'
            values += job.filter["statusNames"]
        if job.filter.get("updatedAt"):
            where += ' and "updatedAt" between ?::timestamp and ?::timestamp'
            values += _range(job.filter["updatedAt"])
        return [
            plain(row)
            for row in self._store.rows(f"select * from {self._store.table('members')} where {where}", values)
        ]


def _range(value: Any) -> tuple[str, str]:
    """Start and end of a date filter, at most 31 days apart."""
    if not isinstance(value, dict) or "startAt" not in value or "endAt" not in value:
        raise Refused(1003, "Invalid date range")
    start, end = moment_of(str(value["startAt"])), moment_of(str(value["endAt"]))
    if not timedelta(0) <= datetime.fromisoformat(end) - datetime.fromisoformat(start) <= LONGEST:
        raise Refused(1003, "The date range must be 31 days or fewer")
    return start, end


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _status(job: Job) -> Row:
    stamps = {
        "createdAt": job.created_at,
        "queuedAt": job.queued_at,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
    }
    shown: Row = {"exportId": job.id, "format": "CSV", "status": job.status}
    shown |= {name: instant(at.astimezone(UTC)) for name, at in stamps.items() if at is not None}
    if job.status == "Completed":
        shown["numberOfRecords"] = job.records
        if job.file:
            shown["fileSize"] = len(job.file)
            shown["fileChecksum"] = f"sha256:{hashlib.sha256(job.file).hexdigest()}"
    return shown
