"""A stream that cannot be read stops itself: what was read lands with its state, what was not is read next time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.sync_report import PartlyRead
from sources.errors import BadAnswer, QuotaExhausted
from tests.faults.home import Home
from tests.faults.tool import START


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)  # every page is handed on at once
    monkeypatch.setattr("sources.tables.ROW_GROUP", 1)
    home = Home(tmp_path, config={"page": "2"})
    for kind in ("Fed", "Swept", "Whole"):
        home.store.put_all(START - timedelta(days=1), kind, [{"id": str(i), "name": f"n{i}"} for i in range(5)])
    home.sync()
    at = home.later(minutes=10)
    for kind in ("Fed", "Swept", "Whole"):
        home.store.put_all(at, kind, [{"id": str(i), "name": f"m{i}"} for i in range(5)])
    home.later(minutes=10)
    return home


def names(home: Home, table: str) -> set[str]:
    return set(home.latest(table).values())


def test_an_object_that_answers_nonsense_is_named_and_the_others_land(home: Home) -> None:
    report = home.try_sync(nonsense="swept")
    assert list(report.failed) == ["swept"]
    assert isinstance(report.error(), PartlyRead)
    assert "swept: tool: Swept answers nonsense" in str(report.error())
    assert names(home, "fed") == names(home, "whole") == {f"m{i}" for i in range(5)}
    assert home.rows(
        "select status, message from vendor_count where stream = 'swept' order by counted_at desc limit 1"
    ) == [("failed", "tool: Swept answers nonsense")]


def test_a_stream_that_failed_is_read_again_from_where_it_stood_and_the_others_are_not(home: Home) -> None:
    home.later(hours=2)  # beyond the look-back of an hour, which would heal what a state that moved has passed over
    home.try_sync(nonsense="swept")
    home.later(hours=5)
    report = home.sync()
    assert (report.rows["swept"], report.unchanged["swept"]) == (3, 2), (
        "its first page had landed, its state had not moved"
    )
    assert (report.rows["fed"], report.unchanged["fed"]) == (0, 0)
    assert names(home, "swept") == {f"m{i}" for i in range(5)}
    home.check()


def test_a_stream_that_failed_deletes_nothing(home: Home) -> None:
    home.store.delete(home.now, "Swept", "4")
    home.store.put(home.now, "Swept", {"id": "5", "name": "m5"})
    home.later(minutes=10)
    home.try_sync(nonsense="swept")
    assert "4" in home.latest("swept")
    home.sync()
    assert "4" not in home.latest("swept")


def test_when_the_allowance_ends_what_was_read_before_lands_and_nothing_more_is_asked(home: Home) -> None:
    report = home.try_sync(quota_at="swept")
    assert isinstance(report.error(), QuotaExhausted)
    assert {"swept", "whole", "steps", "journal"} <= set(report.failed)
    assert "fed" not in report.failed
    assert names(home, "fed") == {f"m{i}" for i in range(5)}
    assert names(home, "whole") == {f"n{i}" for i in range(5)}
    assert home.sync().rows["whole"] == 5
    home.check()


def test_when_nothing_at_all_could_be_read_nothing_lands_and_the_last_load_stays_the_last(home: Home) -> None:
    loads = home.rows("select * from ledger.loads order by 1")
    with pytest.raises(QuotaExhausted):
        home.try_sync(quota_at="fed")
    with pytest.raises(BadAnswer):
        home.try_sync(streams=["swept"], nonsense="swept")
    assert home.rows("select * from ledger.loads order by 1") == loads
    home.sync()
    home.check()


def test_rows_without_a_key_do_not_land_in_part_because_nobody_could_tell_them_again(home: Home) -> None:
    with pytest.raises(BadAnswer):
        home.try_sync(nonsense="journal")
    home.sync()
    home.check()


def test_what_a_vendor_remembers_is_kept_only_when_its_stream_was_read_to_the_end() -> None:
    from sources.extract import _Run
    from sources.notes import Notes
    from tests.faults.tool import STREAMS, TOOL

    state = {"memory": {"files": {"a.csv": 1}}}
    run = _Run(TOOL, "tool", lambda: START, None, {"store": "none"}, Notes())
    run.window(STREAMS[0], state).memory["files"]["b.csv"] = 2
    assert state == {"memory": {"files": {"a.csv": 1}}}


def test_in_dagster_what_landed_is_recorded_and_the_step_fails_with_what_did_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import dagster as dg

    from orchestration import syncs
    from orchestration.assets import Surroundings, source_assets
    from orchestration.journal import Journal
    from orchestration.sync_report import SyncReport
    from tests.orchestration.shop import ShopSettings, know_shop
    from tests.orchestration.small_home import small_home

    know_shop(monkeypatch)
    report = SyncReport("shop", loads=["1"], rows={"account": 2}, failed={"person": BadAnswer("Person is nonsense")})
    monkeypatch.setattr(syncs, "sync", lambda *_, **__: report)
    settings = ShopSettings(home=tmp_path, instances=(type(small_home(tmp_path).instances[0])("shop", "shop"),))
    journal = Journal()
    result = dg.materialize(
        source_assets(Surroundings(settings, lambda: START, journal, is_attended=True)),
        raise_on_error=False,
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert not result.success
    [landed] = result.get_asset_materialization_events()
    assert landed.asset_key == dg.AssetKey(["shop", "account"])
    assert "person: Person is nonsense. Everything else was read" in str(journal.errors["shop"])
    assert journal.syncs["shop"] is report
