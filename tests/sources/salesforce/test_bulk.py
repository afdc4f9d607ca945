"""Large windows by jobs of Bulk API 2.0: the same rows as over REST, checked, resumed, cleaned away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sources.errors import BadAnswer
from sources.salesforce import VENDOR
from sources.salesforce.sandbox.bulk import Jobs
from sources.stream import Window
from tests.sources.salesforce.hand_made import DEALS, NOW, Rows, company_rows, sf_id
from tests.sources.salesforce.serving import Sandbox
from tests.sources.salesforce.test_source import Loaded

MakeSandbox = Callable[..., Sandbox]
ODD = sf_id("001", 900)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Loaded]]:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)

    def make(sandbox: Sandbox, name: str = "one", window_rows: int | None = None) -> Loaded:
        (tmp_path / name).mkdir(exist_ok=True)
        loaded = Loaded(tmp_path / name, sandbox)
        if window_rows:
            monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)
            loaded.vendor = replace(VENDOR, streams=(replace(VENDOR.stream("account"), window_rows=window_rows),))
        return loaded

    yield make


def odd_rows() -> Rows:
    """The hand-made company with texts, dates and numbers that CSV and JSON spell differently."""
    rows = company_rows()
    rows.add(
        "account_versions", ODD, name='𠮷野家 "本店",\n2行目 😀\r\n3', employee_count=None, region=None, city=None,
        domain="null", website=None, account_type="customer",
    )  # fmt: skip
    rows.add("deal_versions", DEALS[3], NOW - timedelta(days=1), amount=Decimal("123456789012.05"), probability=0.25)
    return rows


def asked(sandbox: Sandbox, method: str, part: str) -> list[str]:
    return [path for how, path in sandbox.log if how == method and part in path]


def test_a_job_gives_the_same_rows_types_and_hashes_as_rest(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox(odd_rows())
    rest, bulk = load(sandbox, "rest"), load(sandbox, "bulk")
    rest.run(bulk_from="0")
    assert not asked(sandbox, "POST", "jobs/query")
    notes = bulk.run(bulk_from="1")
    assert not notes.quarantined and not notes.failed
    assert len(asked(sandbox, "POST", "jobs/query")) == len(asked(sandbox, "DELETE", "jobs/query")) > 15
    for stream in VENDOR.streams:
        compared = f"select * exclude (_seq, _dlt_load_id) from {stream.name} order by all"
        assert bulk.rows(f"describe {stream.name}") == rest.rows(f"describe {stream.name}")
        assert bulk.rows(compared) == rest.rows(compared), stream.name
    [(name, region)] = bulk.rows(f"select name, billing_state from account where id = '{ODD}'")
    assert name == '𠮷野家 "本店",\n2行目 😀\r\n3' and region is None
    assert bulk.rows("select count(*) from account where _deleted") == [(3,)], "a job is a queryAll"


@pytest.mark.parametrize(("bulk_from", "jobs"), [("451", 0), ("450", 1), ("0", 0)])
def test_the_expected_rows_choose_the_way(make_sandbox: MakeSandbox, load: Any, bulk_from: str, jobs: int) -> None:
    sandbox = make_sandbox()
    notes = load(sandbox).run(["account", "contact"], bulk_from=bulk_from)
    assert notes.rows["account"] == 450
    assert len(asked(sandbox, "POST", "jobs/query")) == jobs


def test_a_job_that_fails_says_why_and_is_deleted(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox(failing_job="QUERY_TIMEOUT: too complicated")
    notes = load(sandbox).run(["account", "contact"], bulk_from="100")
    assert list(notes.failed) == ["account"] and notes.rows["contact"] == 5
    text = str(notes.failed["account"])
    assert "Failed: QUERY_TIMEOUT: too complicated" in text and "SOURCES__SALESFORCE__BULK_FROM to 0" in text
    assert len(asked(sandbox, "DELETE", "jobs/query")) == 1


def test_an_object_that_bulk_does_not_take_is_read_over_rest(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox(not_in_bulk=("Account",), page_size=200)
    loaded = load(sandbox)
    assert loaded.run(["account"], bulk_from="1").rows["account"] == 450
    assert loaded.rows("select count(distinct id) from account") == [(450,)]
    assert len(asked(sandbox, "GET", "/query/")) == 2


def test_a_window_that_was_cut_goes_on_at_its_locator(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox(bulk_page_size=100)
    loaded = load(sandbox, window_rows=100)
    parts = []
    while not parts or parts[-1].cut:
        parts.append(loaded.run(bulk_from="1"))
        assert len(parts) < 10
    assert len(parts) >= 4
    assert sum(notes.rows["account"] for notes in parts) == 450, "no row is given twice"
    assert loaded.rows("select count(distinct id) from account") == [(450,)]
    assert len(asked(sandbox, "POST", "jobs/query")) == 1
    assert len(asked(sandbox, "DELETE", "jobs/query")) == 1
    assert loaded.run(bulk_from="1").rows["account"] == 0


def test_a_backfill_that_was_cut_goes_on_too_and_leaves_the_forward_state(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox(bulk_page_size=100)
    loaded = load(sandbox, window_rows=100)
    window = Window(NOW.astimezone() - timedelta(days=400), NOW.astimezone(), backfill=True)
    parts = []
    while not parts or parts[-1].cut:
        parts.append(loaded.run(bulk_from="1", window=window))
        assert len(parts) < 10
    assert sum(notes.rows["account"] for notes in parts) == 450
    assert len(asked(sandbox, "POST", "jobs/query")) == 1
    assert loaded.run(bulk_from="0").rows["account"] >= 100, "the first forward run still begins at the beginning"


def test_a_job_that_is_gone_is_made_again(
    make_sandbox: MakeSandbox, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = make_sandbox(bulk_page_size=100)
    loaded = load(sandbox, window_rows=100)
    assert loaded.run(bulk_from="1").cut
    [made] = {path.rsplit("/", 2)[1] for path in asked(sandbox, "GET", "/results")}
    answer = sandbox.get("/services/data/v62.0/limits")
    assert answer.ok
    import requests

    gone = requests.delete(
        f"{sandbox.base_url}/services/data/v62.0/jobs/query/{made}",
        headers={"Authorization": f"Bearer {sandbox.token()}"},
        timeout=10,
    )
    assert gone.status_code == 204
    for _ in range(10):
        if not loaded.run(bulk_from="1").cut:
            break
    assert loaded.rows("select count(distinct id) from account") == [(450,)]
    assert len(asked(sandbox, "POST", "jobs/query")) == 2


def broken(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[str, dict[str, str]], tuple[str, dict[str, str]]], times: int
) -> None:
    """The first pages of results are changed."""
    results, left = Jobs.results, [times]

    def some(self: Jobs, *args: Any) -> tuple[str, dict[str, str]]:
        text, headers = results(self, *args)
        if left[0]:
            left[0] -= 1
            return change(text, headers)
        return text, headers

    monkeypatch.setattr(Jobs, "results", some)


def shorter(text: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    return text[: text.rindex("\n", 0, -1) + 1], headers


def ended(text: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    return text, {**headers, "Sforce-Locator": "null"}


def without_headers(text: str, _headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    return text, {}


def without_a_column(text: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    return text.replace('"SystemModstamp"', '"Other"', 1), headers


def test_a_page_that_lacks_rows_is_asked_for_again(
    make_sandbox: MakeSandbox, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, shorter, 1)
    loaded = load(make_sandbox(bulk_page_size=200))
    assert loaded.run(["account"], bulk_from="1").rows["account"] == 450


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (shorter, "has 199 rows; its header says 200"),
        (ended, "says that it has 450 rows; its results end after 200"),
        (without_headers, "without Sforce-NumberOfRecords"),
        (without_a_column, "lack SystemModstamp"),
    ],
)
def test_results_that_are_not_what_they_say_are_never_taken_for_complete(
    make_sandbox: MakeSandbox, load: Any, monkeypatch: pytest.MonkeyPatch, change: Any, words: str
) -> None:
    broken(monkeypatch, change, 10)
    sandbox = make_sandbox(bulk_page_size=200)
    notes = load(sandbox).run(["account", "contact"], bulk_from="100")
    assert isinstance(notes.failed["account"], BadAnswer) and words in str(notes.failed["account"])
    assert notes.rows["account"] == 0
    assert len(asked(sandbox, "DELETE", "jobs/query")) == 1


def test_a_wide_object_that_rest_reads_in_parts_is_one_job(make_sandbox: MakeSandbox, load: Any) -> None:
    sandbox = make_sandbox()
    parts, job = load(sandbox, "parts"), load(sandbox, "job")
    parts.run(["account"], longest_uri="600", bulk_from="0")
    job.run(["account"], longest_uri="600", bulk_from="1")
    compared = "select * exclude (_seq, _dlt_load_id) from account order by id"
    assert job.rows(compared) == parts.rows(compared)
    assert len(asked(sandbox, "POST", "jobs/query")) == 1
