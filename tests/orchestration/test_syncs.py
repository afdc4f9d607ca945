"""How a sync reads forward, reads again, and reports: the engine against a small tool in a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.syncs import SyncFailed
from orchestration.warehouse import WarehouseHeld, hold
from sources.stream import Window
from tests.faults.home import Home
from tests.faults.tool import START


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    for kind in ("Fed", "Swept", "Whole"):
        home.store.put_all(START - timedelta(days=1), kind, [{"id": str(i), "name": f"n{i}"} for i in range(5)])
    return home


def test_the_first_sync_lands_every_row_and_an_empty_typed_table_for_what_may_not_be_read(home: Home) -> None:
    report = home.sync()
    assert report.rows["fed"] == report.rows["swept"] == report.rows["whole"] == 5
    assert "may not be read" in report.skipped["secret"]
    columns = home.rows("select column_name, data_type from duckdb_columns() where table_name = 'secret'")
    assert ("never", "DATE") in columns
    assert ("modified", "TIMESTAMP WITH TIME ZONE") in columns
    assert home.rows("select status from vendor_count where stream = 'secret'") == [("no_permission",)]
    assert home.rows("select live_count from vendor_count where stream = 'fed'") == [(5,)]


def test_an_object_that_becomes_permitted_is_read_from_its_beginning(home: Home) -> None:
    home.store.put(START - timedelta(days=1), "Secret", {"id": "s", "name": "old"})
    home.sync()
    home.later(days=3)
    assert home.sync(permitted="yes").rows["secret"] == 1


def test_a_second_sync_with_nothing_new_adds_no_version_and_stamps_the_ledger_with_the_injected_clock(
    home: Home,
) -> None:
    home.sync()
    home.later(hours=1)
    report = home.sync()
    assert report.rows["fed"] == report.rows["swept"] == report.rows["whole"] == 0
    assert report.unchanged["whole"] == 5
    stamps = home.rows("select seq, committed_at from ledger.loads order by seq")
    assert [seq for seq, _ in stamps] == [1, 2]
    assert stamps[1][1] == home.now


def test_a_changed_row_becomes_a_version_and_a_row_read_twice_does_not(home: Home) -> None:
    home.sync()
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "new"})
    home.later(minutes=10)
    assert home.sync().rows["fed"] == 1
    home.later(minutes=10)
    report = home.sync()
    assert report.rows["fed"] == 0
    assert report.unchanged["fed"] == 1  # the look-back of an hour
    assert home.versions("fed", "1") == [("1", "n1", False), ("1", "new", False)]


def test_a_value_that_goes_to_b_and_back_to_a_has_three_versions(home: Home) -> None:
    home.sync()
    for name in ("b", "n1"):
        home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": name})
        home.later(minutes=10)
        home.sync()
    assert [name for _, name, _ in home.versions("fed", "1")] == ["n1", "b", "n1"]
    home.check()


def test_a_record_stamped_inside_the_lag_is_read_by_the_next_window(home: Home) -> None:
    home.sync()
    home.store.put(home.later(minutes=10), "Fed", {"id": "late", "name": "late"})
    home.later(minutes=1)
    assert home.sync().rows["fed"] == 0
    home.later(minutes=10)
    assert home.sync().rows["fed"] == 1


def test_a_delete_in_the_feed_and_a_delete_found_by_a_sweep_become_tombstones_with_the_key_only(home: Home) -> None:
    home.sync()
    gone = home.later(minutes=10)
    home.store.delete(gone, "Fed", "2")
    home.store.delete(gone, "Swept", "2")
    home.later(minutes=10)
    home.sync()
    home.later(minutes=10)
    home.sync()  # seen again by the look-back and by the sweep: no second tombstone
    for table in ("fed", "swept"):
        assert home.versions(table, "2") == [("2", "n2", False), ("2", None, True)]
    assert home.rows("select _deleted_at from fed where _deleted") == [(gone,)]
    assert home.rows("select _deleted_at from swept where _deleted") == [(None,)]
    home.check()


def test_a_record_that_was_deleted_and_comes_back_is_alive_again(home: Home) -> None:
    home.sync()
    home.store.delete(home.later(minutes=10), "Swept", "2")
    home.later(minutes=10)
    home.sync()
    home.store.put(home.later(minutes=10), "Swept", {"id": "2", "name": "n2"})
    home.later(minutes=10)
    home.sync()
    assert [deleted for *_, deleted in home.versions("swept", "2")] == [False, True, False]
    home.check()


def test_a_sweep_that_finds_nothing_alive_deletes_everything_and_a_new_record_in_the_package_lives(home: Home) -> None:
    home.sync()
    for key in "01234":
        home.store.delete(home.later(minutes=1), "Swept", key)
    home.store.put(home.now, "Swept", {"id": "new", "name": "new"})
    home.later(minutes=10)
    assert home.sync().rows["swept"] == 6
    assert home.latest("swept") == {"new": "new"}


def test_a_record_that_was_read_counts_as_alive_even_if_the_listing_after_it_lacks_it(home: Home) -> None:
    home.sync()
    home.store.put(home.later(minutes=10), "Swept", {"id": "1", "name": "new"})
    home.later(minutes=10)
    home.sync(hidden="1,2")
    assert home.latest("swept") == {"0": "n0", "1": "new", "3": "n3", "4": "n4"}


def test_rows_of_a_stream_without_a_key_are_kept_as_they_come(home: Home) -> None:
    home.store.put(home.now, "Fed", {"id": "1", "name": "n1"})
    home.later(minutes=10)
    home.sync()
    assert home.rows("select count(*) from journal where id = '1'") == [(2,)]


def test_the_keys_of_a_sweep_never_become_a_table(home: Home) -> None:
    home.sync()
    home.sync()
    assert home.rows("select 1 from duckdb_tables() where table_name = '_seen'") == []


def test_a_backfill_moves_no_state_and_an_older_row_does_not_win(home: Home) -> None:
    home.sync()
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "new"})
    home.later(minutes=10)
    home.sync()
    until = home.rows("select state from _dlt_pipeline_state order by version desc limit 1")
    home.store.put(home.later(minutes=10), "Fed", {"id": "3", "name": "in the next window"})
    backfill = Window(START - timedelta(days=2), START, backfill=True)
    report = home.sync(window=backfill, streams=["fed"])
    assert report.unchanged["fed"] == 3  # 0, 2 and 4: 1 and 3 have a newer stamp
    assert home.rows("select state from _dlt_pipeline_state order by version desc limit 1") == until
    home.later(minutes=10)
    assert home.sync().rows["fed"] == 1
    home.check()


def test_an_older_version_that_arrives_later_is_kept_but_is_not_the_latest(home: Home, tmp_path: Path) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "new"})
    home.later(minutes=10)
    home.sync()
    older = Home(tmp_path / "other", now=START)  # the same record as it was before, as an export would give it
    older.store.put(START - timedelta(days=1), "Fed", {"id": "1", "name": "old"})
    home.sync(window=Window(None, START, backfill=True), streams=["fed"], store=str(older.store.path))
    assert [name for _, name, _ in home.versions("fed", "1")] == ["new", "old"]
    assert home.latest("fed")["1"] == "new"


def test_a_value_that_does_not_fit_goes_to_quarantine_once_and_the_load_goes_on(home: Home) -> None:
    home.store.put(home.later(minutes=1), "Fed", {"id": "bad", "name": "b", "amount": "much"})
    home.store.put(home.now, "Fed", {"id": "", "name": "no key"})
    home.later(minutes=10)
    assert home.sync().quarantined["fed"] == 2
    assert home.sync().quarantined["fed"] == 2
    rows = home.rows("select source_key, column_name, value, reason from quarantine where stream = 'fed' order by 1")
    assert rows == [
        ("", "id", "", "the key is empty"),
        ("bad", "amount", "much", "the value does not fit the column's type"),
    ]


def test_a_failure_in_the_middle_of_a_stream_leaves_state_and_raw_as_they_were(home: Home) -> None:
    home.sync()
    home.store.put_all(home.later(minutes=10), "Swept", [{"id": f"x{i}", "name": "x"} for i in range(50)])
    home.later(minutes=10)
    before = home.rows(
        "select count(*) from fed union all select count(*) from swept union all from (select count(*) from ledger.loads)"
    )
    with pytest.raises(Exception, match="the line broke"):
        home.sync(page=10, fail_after=4)
    assert before == home.rows(
        "select count(*) from fed union all select count(*) from swept union all from (select count(*) from ledger.loads)"
    )
    assert home.sync().rows["swept"] == 50
    home.check()


def test_a_deleted_working_folder_costs_nothing_but_a_look_at_the_warehouse(home: Home) -> None:
    import shutil

    home.sync()
    home.store.put(home.later(days=2), "Fed", {"id": "9", "name": "nine"})
    home.later(minutes=10)
    shutil.rmtree(home.pipelines_dir)
    report = home.sync()
    assert report.rows["fed"] == 1
    assert report.unchanged["fed"] == 0  # the state came back: only the new window was read
    home.check()


def test_a_second_sync_of_the_same_instance_is_refused_while_one_runs(home: Home) -> None:
    with hold(home.pipelines_dir / "tool.lock", "sync of tool"), pytest.raises(WarehouseHeld, match="sync of tool"):
        home.sync()


def test_without_load_ids_nothing_is_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "false")
    with pytest.raises(SyncFailed, match="ADD_DLT_LOAD_ID"):
        home.sync()


def test_a_sync_works_from_a_foreign_directory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    home.sync()
    assert home.rows("select count(*) from fed where _dlt_load_id is null") == [(0,)]


def test_neither_keys_nor_indexes_are_made_in_the_warehouse(home: Home) -> None:
    home.sync()
    assert home.rows("select * from duckdb_constraints() where constraint_type in ('PRIMARY KEY', 'UNIQUE')") == []
    assert home.rows("select * from duckdb_indexes()") == []
