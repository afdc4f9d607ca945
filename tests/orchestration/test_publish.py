"""Publishing: the gate, the copy, and readers who never see a half-made file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import namedtuple
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.publish import GateClosed, note_path, publish
from orchestration.transform import build
from orchestration.warehouse import NoSpace
from tests.orchestration.small_home import MONDAY, SmallSettings, account, copy_home, load, rows, small_home, write


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = MONDAY + timedelta(hours=1)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallSettings:
    settings = small_home(tmp_path_factory.mktemp("built") / "home")
    load(settings, 0, account=[account(1, "Yamada"), account(2, "Sato")])
    build(settings)
    return settings


@pytest.fixture
def home(built: SmallSettings, tmp_path: Path) -> SmallSettings:
    return copy_home(built, tmp_path / "home")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_only_marts_leave_the_warehouse_with_their_descriptions(home: SmallSettings, clock: Clock) -> None:
    report = publish(home, clock)
    assert report.is_new
    assert report.tables["customers"] == 2
    path = home.published_path
    schemas = rows(home, "select distinct schema_name from duckdb_tables() order by 1", path)
    assert schemas == [("about",), ("marts",)]
    comments = rows(home, "select comment from duckdb_tables() where table_name = 'customers'", path)
    assert comments == [("One row per customer; it's the one to read.",)]
    query = "select comment from duckdb_columns() where table_name = 'customers' and column_name = 'account_id'"
    assert rows(home, query, path) == [("Id of the customer.",)]
    assert rows(home, "select count(*) from duckdb_constraints()", path) == [(0,)]


def test_the_file_is_whole_readable_by_any_duckdb_1_and_leaves_nothing_beside_it(
    home: SmallSettings, clock: Clock
) -> None:
    publish(home, clock)
    assert sorted(p.name for p in home.published_path.parent.iterdir()) == ["published.json", "tsunagu.duckdb"]
    with duckdb.connect() as con:
        con.execute(f"attach '{home.published_path}' as file (read_only)")
        (tags,) = con.execute("select tags from duckdb_databases() where database_name = 'file'").fetchone() or ({},)
    assert tags["storage_version"].startswith("v1.0.0")


def test_when_and_as_of_stand_in_the_file_and_beside_it(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    ((published_at, as_of),) = rows(home, "select published_at, as_of from about.publication", home.published_path)
    assert (published_at, as_of) == (clock.now.replace(tzinfo=None), MONDAY.replace(tzinfo=None))
    note = json.loads(note_path(home).read_text())
    assert note["published_at"] == "2026-06-01T10:00:00Z"
    assert note["code_version"]


def test_nothing_is_written_when_nothing_changed(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    before = home.published_path.stat()
    clock.now += timedelta(hours=2)
    report = publish(home, clock)
    assert not report.is_new
    assert home.published_path.stat().st_ino == before.st_ino
    assert report.published_at == "2026-06-01T10:00:00Z"


def test_freshness_is_measured_by_the_wall_clock_and_turns_the_file_yellow_when_no_load_comes(
    home: SmallSettings, clock: Clock
) -> None:
    query = "select status, measured_value from marts.data_health where check_name = 'freshness'"
    publish(home, clock)
    assert rows(home, query, home.published_path) == [("ok", 1.0)]
    clock.now += timedelta(hours=30)
    assert publish(home, clock).is_new
    assert rows(home, query, home.published_path) == [("warn", 31.0)]
    clock.now += timedelta(hours=48)
    publish(home, clock)
    assert rows(home, query, home.published_path)[0][0] == "error"
    assert rows(home, query.replace("marts.", "marts."), home.models_path) == []


def test_a_failed_check_keeps_the_last_good_file_and_says_since_when(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    load(home, 1, account=[account(2, "broken")])
    build(home)
    clock.now += timedelta(hours=1)
    with pytest.raises(GateClosed) as closed:
        publish(home, clock)
    message = str(closed.value)
    assert "no customer is called broken" in message
    assert "2026-06-01T10:00:00Z" in message
    assert len(message.splitlines()) == 1
    assert rows(home, "select count(*) from marts.customers where account_name = 'Sato'", home.published_path) == [(1,)]
    assert "held" in json.loads(note_path(home).read_text())
    load(home, 2, account=[account(2, "mended")])
    build(home)
    assert publish(home, clock).is_new
    assert "held" not in json.loads(note_path(home).read_text())


def test_the_gate_stays_closed_in_a_later_run_in_which_nothing_changed(home: SmallSettings, clock: Clock) -> None:
    load(home, 1, account=[account(2, "broken")])
    for _ in range(2):
        build(home)
        with pytest.raises(GateClosed):
            publish(home, clock)
    assert not home.published_path.exists()


def test_a_warning_is_published_as_a_row_of_data_health(home: SmallSettings, clock: Clock) -> None:
    load(home, 1, account=[account(2, None)])
    build(home)
    publish(home, clock)
    query = "select check_name, status, measured_value, details from marts.data_health where check_name like 'check: %'"
    assert rows(home, query, home.published_path) == [
        ("check: not_null_customers_account_name", "warn", 1.0, "1 rows (every customer has a name)")
    ]


def test_a_full_disk_is_said_before_anything_is_written(
    home: SmallSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(home, clock)
    load(home, 1, account=[account(3, "Suzuki")])
    build(home)
    before = home.published_path.read_bytes()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1000))
    with pytest.raises(NoSpace, match="Free some space"):
        publish(home, clock)
    assert home.published_path.read_bytes() == before
    assert len(list(home.published_path.parent.iterdir())) == 2


def test_a_model_that_the_project_no_longer_has_is_not_published(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    (home.dbt_project_dir / "models/marts/regions_known.sql").unlink()
    build(home)
    assert "regions_known" not in publish(home, clock).tables


READER = """
import sys, time, duckdb
path, last = sys.argv[1], int(sys.argv[2])
seen, reads, give_up = 0, 0, time.monotonic() + 120
while seen < last:
    assert time.monotonic() < give_up, f"{last} was never seen"
    con = duckdb.connect(path, read_only=True)
    one = con.execute("select marker from marts.marker").fetchone()[0]
    time.sleep(0.01)
    two = con.execute("select max(marker) from marts.customers").fetchone()[0]
    con.close()
    assert one == two, (one, two)
    assert one >= seen, (one, seen)
    if one > seen:
        print(one, flush=True)
    seen, reads = one, reads + 1
print(reads)
"""


def test_readers_in_a_loop_see_no_error_and_no_mixed_state_during_publishes(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    command = [sys.executable, "-c", READER, str(home.published_path), "4"]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for seq in range(1, 5):
            if seq > 1:
                load(home, seq, account=[account(10 + seq, f"Company {seq}")])
                build(home)
                assert publish(home, clock).is_new
            for reader in readers:
                assert reader.stdout is not None and reader.stderr is not None
                assert reader.stdout.readline() == f"{seq}\n", reader.stderr.read()
        for reader in readers:
            assert reader.stdout is not None and reader.stderr is not None
            times, errors = reader.stdout.readline(), reader.stderr.read()
            assert reader.wait(60) == 0, errors
            assert int(times) > 10
    finally:
        for reader in readers:
            reader.kill()


def test_a_reader_that_holds_the_file_open_does_not_stop_publishing_and_keeps_its_state(
    home: SmallSettings, clock: Clock
) -> None:
    publish(home, clock)
    held = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); "
    held += "input(); print(c.execute('select count(*) from marts.customers').fetchone()[0])"
    reader = subprocess.Popen(
        [sys.executable, "-c", held, str(home.published_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "open\n"
    opened = home.published_path.stat().st_ino
    load(home, 1, account=[account(3, "Suzuki")])
    build(home)
    assert publish(home, clock).is_new
    assert home.published_path.stat().st_ino != opened, "nobody writes into a file that is read"
    out, _ = reader.communicate("\n", timeout=30)
    assert out.strip() == "2"
    assert rows(home, "select count(*) from marts.customers", home.published_path) == [(3,)]


def test_publishing_before_any_build_says_what_to_do(tmp_path: Path, clock: Clock) -> None:
    settings = small_home(tmp_path / "home")
    with pytest.raises(GateClosed, match="tsunagu run"):
        publish(settings, clock)


def test_a_file_left_by_a_killed_publish_is_removed(home: SmallSettings, clock: Clock) -> None:
    home.published_path.parent.mkdir(exist_ok=True)
    leftover = home.published_path.with_name(".tsunagu.publishing.duckdb")
    leftover.write_bytes(b"half a file")
    publish(home, clock)
    assert not leftover.exists()


def test_a_changed_description_is_published(home: SmallSettings, clock: Clock) -> None:
    publish(home, clock)
    yaml = (home.dbt_project_dir / "models/marts/marts.yml").read_text()
    write(home, "models/marts/marts.yml", yaml.replace("Id of the customer.", "The customer's id."))
    build(home)
    assert publish(home, clock).is_new
    query = "select comment from duckdb_columns() where table_name = 'customers' and column_name = 'account_id'"
    assert rows(home, query, home.published_path) == [("The customer's id.",)]
