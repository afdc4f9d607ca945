"""Marketo's bulk extracts: jobs are made, queued, watched and their files fetched and checked. Rows are not read here.

https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-extract
At most ten jobs of a subscription are queued and two run; 500 MB of files a day; a status moves once a minute at most; a date
filter spans 31 days or fewer; cancelled jobs are spelled both "Canceled" and "Cancelled"; an export without records may have
no file. A job belongs to the API user that made it. This file must not know streams.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import IO, Any, Final

from sources.errors import BadAnswer, QuotaExhausted
from sources.marketo.wire import AlreadyQueued, NoFile, Wire, instant

LONGEST_SPAN: Final = timedelta(days=31)
AT_ONCE: Final = 4
"""Jobs of ours in the queue of ten, which all services of the subscription share. Two run."""
RANGE: Final = 16_000_000
"""Bytes asked for at a time: a connection that breaks costs no more than this."""
PIECE: Final = 8_000_000
TRIES: Final = 3
POLL_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Job:
    """One export: what of (`leads`, `activities`, `program/members`), which fields, which filter. JSON values only."""

    kind: str
    fields: tuple[str, ...]
    filter: dict[str, Any]
    export: str = ""
    """The id of the export that an earlier part of the window has put into the queue for it."""

    def request(self) -> dict[str, Any]:
        """The body that makes it. Activities come with their usual columns."""
        fields = {"fields": list(self.fields)} if self.fields else {}
        return {**fields, "format": "CSV", "filter": self.filter}


class Stopped(Exception):
    """A quota was used up: `left` are the jobs that could not be made. What was queued has been given before."""

    def __init__(self, left: Sequence[Job], cause: QuotaExhausted) -> None:
        super().__init__(str(cause))
        self.left, self.cause = tuple(left), cause


def spans(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The window in spans that a date filter takes, oldest first; neighbours share the instant between them."""
    found: list[tuple[datetime, datetime]] = []
    while start < end:
        found.append((start, min(start + LONGEST_SPAN, end)))
        start = found[-1][1]
    return found


def between(start: datetime, end: datetime) -> dict[str, str]:
    """The value of a date filter."""
    return {"startAt": instant(start), "endAt": instant(end)}


@dataclass
class _Open:
    job: Job
    export: str
    looked: float
    tries: int
    is_resumed: bool = False


@dataclass
class _Queue:
    waiting: deque[tuple[Job, int]]
    running: list[_Open] = field(default_factory=list["_Open"])


class Exports:
    """Runs export jobs of one subscription."""

    def __init__(self, wire: Wire, poll_seconds: float = POLL_SECONDS) -> None:
        self._wire, self._poll = wire, poll_seconds
        self._queue = _Queue(deque())

    @property
    def left(self) -> list[Job]:
        """Jobs whose last piece was not given yet, those in Marketo's queue with their export."""
        running = [replace(one.job, export=one.export) for one in self._queue.running]
        return [*running, *(job for job, _ in self._queue.waiting)]

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, bytes]]:
        """Pieces of the files, each a CSV with its header line; a job's pieces come once its file is whole and checked.

        Raises `Stopped` when the export quota is used up, after everything that was queued by then; `BadAnswer` when a job
        fails three times or a file is not what its status says.
        """
        self._queue = queue = _Queue(deque((job, 0) for job in jobs))
        stopped: QuotaExhausted | None = None
        left: list[Job] = []
        while queue.waiting or queue.running:
            while queue.waiting and len(queue.running) < AT_ONCE:
                job, tries = queue.waiting.popleft()
                if job.export:  # it is in the queue since an earlier part, and may be complete
                    first_look = self._wire.now() - self._poll
                    queue.running.append(_Open(replace(job, export=""), job.export, first_look, tries, is_resumed=True))
                    continue
                try:
                    queue.running.append(_Open(job, self._start(job), self._wire.now(), tries + 1))
                except QuotaExhausted as problem:
                    stopped = problem
                    left = [job, *(one for one, _ in queue.waiting if not one.export)]
                    queue.waiting = deque(one for one in queue.waiting if one[0].export)
            yield from self._look(queue)
        if stopped is not None:
            raise Stopped(left, stopped)

    def _start(self, job: Job) -> str:
        """The id of a new job in the queue."""
        made = self._one(self._wire.post(f"/bulk/v1/{job.kind}/export/create.json", job.request()))
        export = str(made["exportId"])
        with suppress(AlreadyQueued):  # then the answer to the first attempt was lost
            self._wire.post(f"/bulk/v1/{job.kind}/export/{export}/enqueue.json")
        return export

    def _look(self, queue: _Queue) -> Iterator[tuple[Job, bytes]]:
        """The files of jobs that are done; a job is looked at once a minute, and nothing else is done meanwhile."""
        first = min((one.looked for one in queue.running), default=self._wire.now())
        wait = first + self._poll - self._wire.now()
        if queue.running and wait > 0:
            self._wire.sleep(wait)
        now = self._wire.now()
        for one in list(queue.running):
            if one.looked + self._poll > now:
                continue
            one.looked = now
            status = self._status(one)
            state = str(status.get("status"))
            if state in ("Created", "Queued", "Processing"):
                continue
            problem = "" if state == "Completed" else f"ended as {state} {status.get('errorMsg') or ''}".rstrip()
            if not problem:
                file = self._download(one, status)
                if isinstance(file, str):
                    problem = file
                elif file is not None:
                    with file:
                        yield from self._given(queue, one, file)
            if one in queue.running:
                queue.running.remove(one)
            if problem:
                if one.tries >= TRIES:
                    raise BadAnswer(f"{self._wire.instance}: an export of {one.job.kind} {one.job.filter} {problem}.")
                queue.waiting.appendleft((one.job, one.tries))

    def _status(self, one: _Open) -> dict[str, Any]:
        """The job's state; an export of an earlier part that is gone counts as one that has to be made again."""
        try:
            return self._one(self._wire.get(f"/bulk/v1/{one.job.kind}/export/{one.export}/status.json"))
        except BadAnswer:
            if not one.is_resumed:
                raise
            return {"status": "Expired"}

    def _given(self, queue: _Queue, one: _Open, file: IO[bytes]) -> Iterator[tuple[Job, bytes]]:
        """The pieces of a file. With the last one the job is no longer `left`."""
        waiting: bytes | None = None
        for piece in pieces(file):
            if waiting is not None:
                yield one.job, waiting
            waiting = piece
        queue.running.remove(one)
        if waiting is not None:
            yield one.job, waiting

    def _download(self, one: _Open, status: dict[str, Any]) -> IO[bytes] | str | None:
        """The file, complete and equal to its checksum; None when there is nothing in it; else what is wrong with it."""
        size, records = status.get("fileSize"), status.get("numberOfRecords")
        if records == 0:
            return None  # such a job may have no file at all
        path = f"/bulk/v1/{one.job.kind}/export/{one.export}/file.json"
        file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
        try:
            self._fetch(path, file, None if size is None else int(size))
            problem = _flaw(file, status)
        except NoFile:
            problem = "has no file"
        except BaseException:
            file.close()
            raise
        if problem or file.seek(0, 2) == 0:
            file.close()
            return problem or None
        file.seek(0)
        return file

    def _fetch(self, path: str, file: IO[bytes], size: int | None) -> None:
        """The file in ranges, each repeated on its own when the connection breaks."""
        at = 0
        while size is None or at < size:
            last = at + RANGE - 1 if size is None else min(at + RANGE, size) - 1
            headers = {"Range": f"bytes={at}-{last}", "Accept-Encoding": "identity"}
            answer = self._wire.send("GET", path, headers=headers)
            if answer.status_code != 206:  # the whole file, whatever was asked for
                file.seek(0)
                file.truncate()
                file.write(answer.content)
                return
            file.write(answer.content)
            at += len(answer.content)
            if size is None:
                size = _total(answer.headers.get("Content-Range", ""))
            if not answer.content:
                return  # shorter than it says: the checksum tells

    def _one(self, answer: dict[str, Any]) -> dict[str, Any]:
        rows: list[dict[str, Any]] = answer.get("result") or []
        if not rows or not rows[0].get("exportId"):
            raise BadAnswer(f"{self._wire.instance}: the answer about an export job names none: {str(answer)[:300]}")
        return rows[0]


def _total(content_range: str) -> int:
    """Length of the whole file by `bytes 0-9999/123424`."""
    total = content_range.rpartition("/")[2]
    return int(total) if total.isdecimal() else 0


def _flaw(file: IO[bytes], status: dict[str, Any]) -> str:
    """What of the file differs from its status, in words; empty = nothing."""
    digest, size, records, rest = hashlib.sha256(), 0, -1, b""
    file.seek(0)
    quotes = 0
    while block := file.read(PIECE):
        digest.update(block)
        size += len(block)
        found, quotes = _lines(block, quotes)
        records += found
        rest = block
    records += bool(rest) and not rest.endswith(b"\n")
    expected = str(status.get("fileChecksum") or "")
    if expected and expected.rpartition(":")[2].lower() != digest.hexdigest():
        return "came with another checksum than its status says"
    if status.get("fileSize") is not None and int(status["fileSize"]) != size:
        return f"came with {size:,} bytes instead of {int(status['fileSize']):,}"
    if status.get("numberOfRecords") is not None and max(records, 0) != int(status["numberOfRecords"]):
        return f"came with {max(records, 0):,} records instead of {int(status['numberOfRecords']):,}"
    return ""


def _lines(block: bytes, quotes: int) -> tuple[int, int]:
    """Line ends outside quotes in a block that begins after `quotes` quotation marks, and the marks up to its end."""
    if not quotes % 2 and b'"' not in block:
        return block.count(b"\n"), quotes
    parts = block.split(b'"')
    outside = parts[quotes % 2 :: 2]
    return sum(part.count(b"\n") for part in outside), quotes + len(parts) - 1


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """The CSV in pieces that end with a record; each begins with the header line. A cell may hold line ends."""
    header = b""
    rest = b""
    while True:
        block = file.read(PIECE)
        rest += block
        if not rest:
            return
        if not header:
            header = rest[: rest.find(b"\n") + 1]
            if not header:
                if block:
                    continue
                return  # a header line alone
            rest = rest[len(header) :]
        cut = len(rest) if not block else _cut(rest)
        if cut:
            yield header + rest[:cut]
            rest = rest[cut:]
        if not block:
            return


def _cut(text: bytes) -> int:
    """The end of the last whole record."""
    end = len(text)
    while (end := text.rfind(b"\n", 0, end)) >= 0:
        if text.count(b'"', 0, end) % 2 == 0:
            return end + 1
    return 0
