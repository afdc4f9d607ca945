"""Long first loads land in parts, export by export, and go on where they stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sources.marketo.exports import Exports
from sources.stream import Vendor
from tests.sources.marketo.conftest import Loader
from tests.sources.marketo.subscription import Served


@dataclass
class Parts(Loader):
    """The source with windows that are cut after a hundred rows."""

    def vendor(self) -> Vendor:
        vendor = super().vendor()
        return replace(vendor, streams=tuple(replace(one, window_rows=100) for one in vendor.streams))


@pytest.fixture
def parts(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)
    return Parts(served, tmp_path)


@pytest.mark.parametrize(("stream", "kind"), [("leads", "leads"), ("activities", "activities")])
def test_a_first_load_lands_in_parts_and_makes_each_export_once(
    parts: Parts, served: Served, stream: str, kind: str, tmp_path: Path
) -> None:
    runs = []
    while not runs or runs[-1].cut:
        runs.append(parts.run(streams=[stream]))
        assert len(runs) < 15
    assert len(runs) >= 3
    key = "id" if stream == "leads" else "marketo_guid"
    [(rows, keys)] = parts.rows(f"select count(*), count(distinct {key}) from raw_marketo.{stream}")
    assert sum(run.rows[stream] for run in runs) == rows == keys, "no file is read twice"
    made = served.count(f"/bulk/v1/{kind}/export/create.json")
    whole = Loader(served, tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    assert whole.run(streams=[stream]).rows[stream] == rows
    assert served.count(f"/bulk/v1/{kind}/export/create.json") == 2 * made, "no export is made twice"
    assert parts.run(streams=[stream]).rows[stream] <= 10


def test_after_a_failure_the_next_run_goes_on_with_the_exports_that_are_left(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parts.run(streams=["leads"]).cut
    [(before,)] = parts.rows("select count(*) from raw_marketo.leads")
    run = Exports.run

    def broken(self: Exports, jobs: Any) -> Any:
        yield from ()
        raise RuntimeError("the line broke")

    monkeypatch.setattr(Exports, "run", broken)
    with pytest.raises(Exception, match="the line broke"):
        parts.run(streams=["leads"])
    monkeypatch.setattr(Exports, "run", run)
    later = []
    while not later or later[-1].cut:
        later.append(parts.run(streams=["leads"]))
    [(rows, leads)] = parts.rows("select count(*), count(distinct id) from raw_marketo.leads")
    assert rows == leads == before + sum(one.rows["leads"] for one in later)


def test_an_export_that_is_gone_is_made_again(parts: Parts, served: Served) -> None:
    assert parts.run(streams=["leads"]).cut
    served.subscription.exports.jobs.clear()
    while parts.run(streams=["leads"]).cut:
        pass
    expected = served.line["expected"]["marketo"]["leads"]
    assert parts.rows("select count(distinct id) from raw_marketo.leads") == [(expected,)]
