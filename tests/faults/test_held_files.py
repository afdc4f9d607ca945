"""The warehouse's file is held by another program, the disk is full, a package waits from an earlier run."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration import warehouse
from orchestration.warehouse import NoSpace, WarehouseHeld
from tests.faults.home import Home
from tests.faults.processes import held
from tests.faults.tool import START


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path, patience=1)
    for kind in ("Fed", "Swept", "Whole"):
        home.store.put_all(START - timedelta(days=1), kind, [{"id": str(i), "name": "a"} for i in range(50)])
    home.sync()
    return home


def test_a_file_held_by_another_program_is_named_and_what_was_read_lands_later(home: Home) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.later(minutes=10)
    with held(home.raw_path), pytest.raises(WarehouseHeld, match="open in another program"):
        home.sync()
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "a"})
    home.later(minutes=10)
    report = home.sync()
    assert len(report.loads) == 2, "the waiting package and the new window land, in this order"
    assert [name for _, name, _ in home.versions("fed", "1")] == ["a", "b", "a"]
    home.check()


def test_a_waiting_package_survives_many_refusals(home: Home) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.later(minutes=10)
    for _ in range(3):
        with held(home.raw_path), pytest.raises(WarehouseHeld):
            home.sync()
    home.sync()
    home.check()


def test_a_deleted_working_folder_and_a_held_file_at_once_stop_before_anything_is_read(home: Home) -> None:
    shutil.rmtree(home.pipelines_dir)
    with held(home.raw_path), pytest.raises(WarehouseHeld):
        home.sync()
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.later(minutes=10)
    report = home.sync()
    assert report.rows["fed"] == 1
    assert report.unchanged["fed"] == 0, "the state was restored: nothing old was read again"
    home.check()


def test_a_full_disk_stops_before_the_load_and_what_was_read_lands_later(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.store.put(home.later(minutes=10), "Fed", {"id": "1", "name": "b"})
    home.later(minutes=10)
    usage = shutil.disk_usage(home.folder)
    with monkeypatch.context() as patch:
        patch.setattr(warehouse.shutil, "disk_usage", lambda _: usage._replace(free=1_000))
        with pytest.raises(NoSpace, match="Free some space"):
            home.sync()
    assert home.versions("fed", "1") == [("1", "a", False)]
    home.sync()
    assert home.versions("fed", "1") == [("1", "a", False), ("1", "b", False)]
    home.check()
