"""Bulk extracts: jobs that fail or are cancelled, files that are not what they should be, and a quota that ends half-way."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.config import read_config
from sources.errors import BadAnswer, QuotaExhausted
from sources.marketo import VENDOR, exports
from sources.marketo.exports import Exports, Job, Stopped, _flaw, pieces, spans
from sources.marketo.rows import exported_activities
from sources.marketo.sandbox.wire import Call, Plain
from sources.marketo.wire import Wire
from sources.stream import Window
from tests.sources.marketo.conftest import Loader
from tests.sources.marketo.subscription import Served

MARCH = {"startAt": "2026-03-01T00:00:00Z", "endAt": "2026-03-31T00:00:00Z"}
JOB = Job("leads", ("id", "firstName", "email", "title"), {"createdAt": MARCH})


@pytest.fixture
def bulk(served: Served) -> Any:
    wire = Wire(read_config(VENDOR.params, "marketo", served.config), sleep=lambda _: None)
    yield Exports(wire, 0.0)
    wire.close()


def read(found: list[tuple[Job, bytes]]) -> list[list[str]]:
    rows: list[list[str]] = []
    for _, piece in found:
        rows += list(csv.reader(io.StringIO(piece.decode())))[1:]
    return rows


def test_a_job_is_made_queued_watched_and_its_file_fetched(served: Served, bulk: Exports) -> None:
    rows = read(list(bulk.run([JOB])))
    assert len(rows) == 71  # one lead in eight hours, without those that are gone
    assert rows[0] == ["1000001", 'Anna "A"\nline', "taro0@yamada.example", "部長"]
    assert rows[1][3] == "null"
    assert [path.rpartition("/")[2] for _, path in served.seen[1:]] == [
        "create.json",
        "enqueue.json",
        "status.json",
        "file.json",
    ]


def test_a_file_comes_in_ranges_and_is_whole(served: Served, bulk: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(list(bulk.run([JOB])))
    monkeypatch.setattr(exports, "RANGE", 1_000)
    monkeypatch.setattr(exports, "PIECE", 333)
    served.seen.clear()
    found = list(bulk.run([JOB]))
    assert read(found) == whole and len(found) > 5
    assert served.count("file.json") == 4  # 3.6 kB


def test_a_broken_range_costs_that_range_only(served: Served, bulk: Exports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "RANGE", 1_000)

    def broken(_call: Call) -> None:
        raise Plain(502, b"", {}, "text/plain")

    served.subscription.fail("file.json", broken, times=2)
    assert len(read(list(bulk.run([JOB])))) == 71
    assert served.count("file.json") == 4 + 2 and served.count("create.json") == 1


def _cancelled(word: str) -> Callable[[Call], None]:
    def fault(call: Call) -> None:
        number = call.path.split("/")[-2]
        answer = f'{{"requestId":"1","success":true,"result":[{{"exportId":"{number}","status":"{word}","errorMsg":"no luck"}}]}}'
        raise Plain(200, answer.encode(), {}, "application/json")

    return fault


@pytest.mark.parametrize("word", ["Canceled", "Cancelled", "Failed", "Expired"])
def test_a_job_that_ends_otherwise_is_made_again_and_thrice_is_enough(served: Served, bulk: Exports, word: str) -> None:
    served.subscription.fail("status.json", _cancelled(word), times=2)
    assert len(read(list(bulk.run([JOB])))) == 71
    assert served.count("create.json") == 3
    served.subscription.fail("status.json", _cancelled(word), times=3)
    with pytest.raises(BadAnswer, match=rf"an export of leads .*2026-03-01.* ended as {word} no luck"):
        list(bulk.run([JOB]))


def _file(body: bytes) -> Callable[[Call], None]:
    def fault(_call: Call) -> None:
        raise Plain(206, body, {"Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}, "text/csv")

    return fault


def test_a_file_with_another_checksum_counts_for_nothing(served: Served, bulk: Exports) -> None:
    served.subscription.fail("file.json", lambda call: _flipped(served, call))
    assert len(read(list(bulk.run([JOB])))) == 71
    assert served.count("create.json") == 2
    served.subscription.fail("file.json", lambda call: _flipped(served, call), times=3)
    with pytest.raises(BadAnswer, match="another checksum than its status says"):
        list(bulk.run([JOB]))


def _flipped(served: Served, call: Call) -> None:
    file = bytearray(served.subscription.exports.jobs[call.path.split("/")[-2]].file)
    file[500] ^= 1
    _file(bytes(file))(call)


def test_a_completed_job_without_its_file_is_made_again(served: Served, bulk: Exports) -> None:
    def missing(_call: Call) -> None:
        raise Plain(404, b"File not found", {}, "text/plain")

    served.subscription.fail("file.json", missing)
    assert len(read(list(bulk.run([JOB])))) == 71
    served.subscription.fail("file.json", missing, times=3)
    with pytest.raises(BadAnswer, match="has no file"):
        list(bulk.run([JOB]))


def test_an_export_without_records_has_no_file_and_no_rows(served: Served, bulk: Exports) -> None:
    empty = Job("leads", ("id",), {"createdAt": {"startAt": "2020-01-01T00:00:00Z", "endAt": "2020-01-31T00:00:00Z"}})
    assert list(bulk.run([empty])) == []
    assert served.count("file.json") == 0


@pytest.mark.parametrize(
    ("records", "body", "flaw"),
    [
        (2, b"id,a\n1,x\n2,y\n", ""),
        (2, b"id,a\n1,x\n2,y", ""),
        (1, b'id,a\n1,"x\n\n"\n', ""),
        (3, b"id,a\n1,x\n2,y\n", "came with 2 records instead of 3"),
        (0, b"id,a\n", ""),
    ],
)
def test_records_are_counted_by_their_ends_and_not_by_lines(records: int, body: bytes, flaw: str) -> None:
    assert _flaw(io.BytesIO(body), {"numberOfRecords": records}) == flaw


def test_a_file_of_another_size_is_named() -> None:
    assert _flaw(io.BytesIO(b"id\n1\n"), {"fileSize": 9}) == "came with 5 bytes instead of 9"


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=30), st.integers(1, 60))
def test_pieces_are_whole_records_whatever_the_cells_hold(rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(["a", "b"])
    writer.writerows(rows)
    body = text.getvalue().encode()
    before, exports.PIECE = exports.PIECE, size
    try:
        found = list(pieces(io.BytesIO(body)))
        assert _flaw(io.BytesIO(body), {"numberOfRecords": len(rows), "fileSize": len(body)}) == ""
    finally:
        exports.PIECE = before
    assert all(piece.startswith(b"a,b\n") for piece in found)
    assert [row for piece in found for row in list(csv.reader(io.StringIO(piece.decode(), newline="")))[1:]] == rows


def test_spans_cover_the_window_without_a_gap_and_none_is_too_long() -> None:
    start, end = datetime(2024, 1, 31, 5, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    found = spans(start, end)
    assert found[0][0] == start and found[-1][1] == end
    assert all(one[1] == after[0] for one, after in pairwise(found))
    assert max(b - a for a, b in found) == timedelta(days=31)
    assert spans(end, end) == []


def test_no_more_than_four_places_of_the_queue_are_taken(served: Served, bulk: Exports) -> None:
    served.subscription.exports.seconds = 0.05
    most = 0
    jobs = [Job("leads", ("id",), {"createdAt": {"startAt": f"2026-03-{d:02d}T00:00:00Z", "endAt": f"2026-03-{d:02d}T23:00:00Z"}}) for d in range(1, 13)]  # fmt: skip

    def count(_call: Call) -> None:
        nonlocal most
        waiting = [one for one in served.subscription.exports.jobs.values() if one.status in ("Queued", "Processing")]
        most = max(most, len(waiting))

    served.subscription.fail("status.json", count, times=500)
    assert len(read(list(bulk.run(jobs)))) == 18
    assert most == 4


def test_an_enqueue_whose_answer_was_lost_is_no_failure(served: Served, bulk: Exports) -> None:
    def lost(call: Call) -> None:
        served.subscription.exports.enqueue(call, "leads", call.path.split("/")[-2])
        raise Plain(502, b"", {}, "text/plain")

    served.subscription.fail("enqueue.json", lost)
    assert len(read(list(bulk.run([JOB])))) == 71 and served.count("create.json") == 1


def test_a_used_up_quota_gives_what_is_there_and_names_what_is_left(served: Served, bulk: Exports) -> None:
    served.subscription.exports.daily_bytes = 1
    found: list[tuple[Job, bytes]] = []
    other = Job("leads", ("id",), {"createdAt": {"startAt": "2026-04-01T00:00:00Z", "endAt": "2026-04-20T00:00:00Z"}})
    with pytest.raises(Stopped) as caught:
        for one in bulk.run([JOB, other, other, other, other, other]):
            found.append(one)
    assert len(read(found)) == 71 and len(caught.value.left) == 5


def test_a_first_load_larger_than_the_quota_goes_on_in_the_next_run(loader: Loader) -> None:
    """Each run stands for a day; nothing is read twice and nothing is left out."""
    bulk = loader.served.subscription.exports
    bulk.daily_bytes = 60_000
    notes = loader.run(streams=["activities", "leads"])
    assert notes.quarantined.keys() == {"activities", "leads"}
    reason = loader.rows("select reason from raw_marketo.quarantine where stream = 'activities'")[0][0]
    assert "exports are left for the next run" in reason and "midnight, US Central Time" in reason
    days, jobs = 1, len(bulk.jobs)
    while notes.quarantined:
        days += 1
        for job in bulk.jobs.values():
            job.file = b""  # a new day
        notes = loader.run(streams=["activities", "leads"])
    expected = loader.served.line["expected"]["marketo"]
    assert loader.live("activities") == expected["activities"] and loader.live("leads") == expected["leads"]
    assert 2 < days < 20 and len(bulk.jobs) > jobs
    spans_read = [str(job.filter) for job in bulk.jobs.values() if job.status == "Completed"]
    assert len(spans_read) == len(set(spans_read)) == 2 * 9
    loader.served.company.advance(4)
    assert loader.run(streams=["activities", "leads"]).quarantined == {}
    assert loader.live("leads") == loader.served.subscription.store.counts()["leads"]


def test_a_backfill_that_meets_the_quota_says_so_and_lands_nothing(loader: Loader) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed

    loader.served.subscription.exports.daily_bytes = 0
    window = Window(loader.served.company.now - timedelta(days=100), loader.served.company.now)
    with pytest.raises(PipelineStepFailed, match="quota of exports is used up"):
        loader.run(streams=["activities"], window=window)


def test_a_column_that_did_not_come_is_not_read_as_empty(loader: Loader) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed

    create = loader.served.subscription.exports._columns
    loader.served.subscription.exports._columns = lambda *given: create(*given)[:-1]  # type: ignore[method-assign]
    with pytest.raises(PipelineStepFailed, match="came without the columns"):
        loader.run(streams=["leads"])


def test_attributes_that_are_no_json_are_not_passed_over() -> None:
    piece = b"marketoGUID,leadId,activityDate,activityTypeId,attributes\n1,2,2026-01-01T00:00:00Z,1,{nonsense\n"
    with pytest.raises(BadAnswer, match="not JSON"):
        exported_activities(piece)


def test_the_quota_error_of_a_queue_is_not_that_of_the_day(served: Served, bulk: Exports) -> None:
    """1029 has two meanings: a full queue is waited for, and after fifteen minutes said."""
    served.subscription.exports.queue = 0
    with pytest.raises(Stopped) as caught:
        list(bulk.run([JOB]))
    assert isinstance(caught.value.cause, QuotaExhausted) and "queue of ten" in str(caught.value)
    assert served.count("enqueue.json") > 10


def test_a_job_of_someone_else_is_refused(bulk: Exports) -> None:
    with pytest.raises(BadAnswer, match="not found"):
        bulk._wire.get("/bulk/v1/leads/export/nobody/status.json")


def test_refusals_of_the_sandbox_are_those_of_the_documentation(served: Served, bulk: Exports) -> None:
    post = bulk._wire.post
    year = {"startAt": "2025-01-01T00:00:00Z", "endAt": "2025-12-31T00:00:00Z"}
    for kind, body, code in (
        ("leads", {"fields": ["id"], "filter": {"createdAt": year}}, "1003"),
        ("leads", {"filter": {"createdAt": MARCH}}, "1002"),
        ("leads", {"fields": ["nonsense"], "filter": {"createdAt": MARCH}}, "1006"),
        ("leads", {"fields": ["id"], "filter": {"smartListId": 1}}, "1035"),
        ("activities", {"filter": {"activityTypeIds": [1]}}, "1002"),
        ("program/members", {"fields": ["leadId"], "filter": {"programIds": list(range(11))}}, "1003"),
    ):
        with pytest.raises(BadAnswer, match=f'"code":"{code}"'):
            post(f"/bulk/v1/{kind}/export/create.json", body)
