"""What goes wrong is said once, in words with a remedy; it stops or skips just what it must, and nothing is lost.

The tests share a home whose tools answer. Each spoils one thing, looks, and mends it; the last one finds the marts as
they were at first.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration import warehouse
from orchestration.syncs import Sync
from tests.end_to_end.against_truth import compare
from tests.end_to_end.homes import ROOT, Connected, Ran, fetch, limited, raw_versions, repeated_versions, table_hashes
from tests.faults.processes import held

pytestmark = pytest.mark.slow

Usage = namedtuple("Usage", "total used free")


def messages(ran: Ran) -> list[str]:
    """What the command said on stderr beside the lines of its steps."""
    assert "Traceback" not in ran.stderr + ran.stdout
    return [line for line in ran.stderr.splitlines() if line.strip() and not re.match(r" [✓✗] ", line)]


def the_message(ran: Ran) -> str:
    """The one thing that was said."""
    said = messages(ran)
    assert len(said) == 1, said
    assert said[0].startswith("tsunagu: ")
    return said[0]


def file_at(company: Connected) -> tuple[int, int]:
    """Which file people read now: its place on the disk and the time of its last change."""
    state = company.published.stat()
    return state.st_ino, state.st_mtime_ns


@pytest.fixture(scope="module")
def first(company: Connected) -> dict[str, tuple[int, str]]:
    """The marts before anything went wrong."""
    return table_hashes(company.published)


@pytest.fixture
def mended(company: Connected, first: object) -> Iterator[Connected]:
    """The shared home; its settings and files are right again afterwards."""
    yield company
    company.connect()
    company.deliver()
    for path in company.settings.maps_dir.glob("*.csv"):
        path.unlink()


# the tools ------------------------------------------------------------------------------------------------------------
def test_a_wrong_password_is_refused_with_the_settings_to_correct(mended: Connected) -> None:
    versions, file = raw_versions(mended.home), file_at(mended)
    mended.connect(salesforce={"client_secret": "Wr0ng-Pa55word"})
    ran = mended.run("salesforce")
    assert ran.code == 3
    assert messages(ran)[1:] == ["tsunagu: the models ran on the last load of what failed, and were published."]
    said = messages(ran)[0]
    assert said.startswith("tsunagu: salesforce: ") and "invalid_client" in said
    assert "SOURCES__SALESFORCE__CLIENT_SECRET" in said
    log = (mended.home / "logs" / "tsunagu.log").read_text(encoding="utf-8")
    assert "CredentialsRejected" in log
    assert "Wr0ng-Pa55word" not in ran.stdout + ran.stderr + log
    assert raw_versions(mended.home) == versions and file_at(mended) == file


def test_a_source_that_fails_stops_itself_alone(mended: Connected) -> None:
    mended.connect(hubspot={"token": "pat-wrong-0000"})
    ran = mended.run("hubspot", "esales")
    assert ran.code == 4
    assert messages(ran)[0].startswith("tsunagu: hubspot: ") and "SOURCES__HUBSPOT__TOKEN" in messages(ran)[0]
    assert not [line for line in messages(ran) if "esales" in line]
    assert re.search(r"✓ esales", ran.stderr) and re.search(r"✓ publish", ran.stderr)
    newest = fetch(
        mended.home / "warehouse" / "raw.duckdb",
        "select source_system from ledger.loads order by seq desc limit 1",
    )
    assert newest == [("esales",)]


@pytest.mark.parametrize(
    ("address", "cause"),
    [("http://127.0.0.1:9", "connection is refused"), ("http://crm.tsunagu.invalid", "host name is unknown")],
)
def test_an_unreachable_host_is_named_with_the_setting_that_gives_it(
    mended: Connected, monkeypatch: pytest.MonkeyPatch, address: str, cause: str
) -> None:
    versions = raw_versions(mended.home)
    monkeypatch.setattr("sources.http.Http._pause", lambda *_: 0.0)
    mended.connect(hubspot_emea={"base_url": address})
    ran = mended.run("hubspot_emea")
    assert ran.code == 4
    said = messages(ran)[0]
    assert address.removeprefix("http://") in said and cause in said
    assert "SOURCES__HUBSPOT_EMEA__BASE_URL" in said and "run again" in said
    assert raw_versions(mended.home) == versions


def test_a_folder_of_exports_that_is_not_there_is_named(mended: Connected) -> None:
    mended.connect(esales={"folder": str(mended.home / "nowhere")})
    ran = mended.run("esales")
    assert ran.code == 2
    assert f"{mended.home}/nowhere does not exist" in messages(ran)[0] and "Create it" in messages(ran)[0]


def test_a_source_that_nobody_knows_is_refused_before_anything_is_done(mended: Connected) -> None:
    ran = mended.run("salesfroce")
    assert ran.code == 2
    assert "'salesfroce' is not an instance" in the_message(ran) and "salesforce" in the_message(ran)


def test_secrets_that_others_can_read_stop_the_run(mended: Connected) -> None:
    mended.settings.secrets_path.chmod(0o644)
    ran = mended.run("esales")
    assert ran.code == 2
    assert "chmod 600" in the_message(ran)


# the files ------------------------------------------------------------------------------------------------------------
def last_report(rows: list[dict[str, str]], deal: str) -> dict[str, str]:
    told = [row for row in rows if row["案件ID"] == deal and row["活動種別"] == "進捗報告"]
    return max(told, key=lambda row: row["活動日時"])


def open_deal(company: Connected) -> str:
    query = "select min(source_id) from marts.opportunities where source_system = 'esales' and not is_closed"
    return str(fetch(company.published, query)[0][0])


def test_broken_lines_and_unknown_stages_are_named_and_all_other_rows_are_read(mended: Connected) -> None:
    deal = open_deal(mended)
    accounts = "select count(*), count(*) filter (where not is_deleted) from canonical.canonical_account"
    before = fetch(mended.settings.models_path, f"{accounts} where source_system = 'esales'")

    def rename_stage(rows: list[dict[str, str]]) -> None:
        last_report(rows, deal)["進捗度"] = "根回し"

    def new_name_and_a_word_for_a_number(rows: list[dict[str, str]]) -> None:
        rows[1]["顧客名"] = "Renamed Trading Inc."
        rows[3]["従業員数"] = "たくさん"

    mended.edit("activity.csv", rename_stage)
    mended.edit("customer.csv", new_name_and_a_word_for_a_number)
    lines = (mended.drops / "customer.csv").read_bytes().split(b"\r\n")
    lines[7] = lines[7][:20]  # the connection broke while the file was written: a quotation mark stays open
    (mended.drops / "customer.csv").write_bytes(b"\r\n".join(lines))

    ran = mended.run("esales")
    assert ran.code == 0
    rows, stage = messages(ran)
    assert rows.startswith("tsunagu: esales: 2 rows could not be read")
    assert "customer.csv, line 5, 従業員数: 'たくさん' is no number" in rows and "customer.csv, line 8" in rows
    assert "run again" in rows
    assert stage.startswith("tsunagu: esales: 根回し stands as 'unmapped'") and "maps/stage_map.csv" in stage

    shown = "select stage, source_stage from marts.opportunities where source_id = $deal"
    assert fetch(mended.published, shown, {"deal": deal}) == [("unmapped", "根回し")]
    after = fetch(mended.settings.models_path, f"{accounts} where source_system = 'esales'")
    assert after == before, "rows that cannot be read any more are no deleted rows"
    name = "select name from canonical.canonical_account where name = 'Renamed Trading Inc.'"
    assert fetch(mended.settings.models_path, name), "the other rows of the file are read"


def test_a_stage_that_gets_its_row_in_the_map_is_mapped_at_the_next_build(mended: Connected) -> None:
    deal = open_deal(mended)
    assert fetch(mended.published, "select stage from marts.opportunities where source_id = $1", [deal]) == [
        ("unmapped",)
    ]
    (mended.settings.maps_dir / "stage_map.csv").write_text(
        "source_system,pipeline,source_stage,stage,valid_from\nesales,*,根回し,proposal,\n", encoding="utf-8"
    )
    ran = mended.command("publish")
    assert ran.code == 0 and messages(ran) == []
    assert fetch(mended.published, "select stage from marts.opportunities where source_id = $1", [deal]) == [
        ("proposal",)
    ]


# the machine ----------------------------------------------------------------------------------------------------------
def test_a_full_disk_is_said_before_anything_is_read(mended: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    versions, file = raw_versions(mended.home), file_at(mended)
    monkeypatch.setattr(warehouse.shutil, "disk_usage", lambda place: Usage(10**12, 10**12 - 12_000_000, 12_000_000))
    ran = mended.run("esales")
    assert ran.code == 1
    assert "12 MB free" in the_message(ran) and "Free some space and run again" in the_message(ran)
    assert raw_versions(mended.home) == versions and file_at(mended) == file


@pytest.mark.soak
def test_a_disk_that_fills_up_on_the_way_loses_nothing(mended: Connected) -> None:
    """A limit on the size of a file stands for the disk: writing fails in the middle, as it does there."""
    file = file_at(mended)
    mended.edit("customer.csv", lambda rows: rows[0].update(顧客名="Spacious KK"))
    limit = (mended.home / "warehouse" / "raw.duckdb").stat().st_size - 4096
    ran = limited(mended.home, limit, "run", "--source", "esales", now=mended.served.company_now)
    assert ran.code == 1, ran.stderr
    assert "filled up" in the_message(ran) and "Free some space and run again" in the_message(ran)
    assert file_at(mended) == file
    assert mended.run("esales").code == 0
    name = "select count(*) from raw_esales.account where name = 'Spacious KK' and _dlt_load_id in (select load_id from ledger.loads)"
    assert fetch(mended.home / "warehouse" / "raw.duckdb", name) == [(1,)]
    assert repeated_versions(mended.home) == {}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits ten minutes for a held warehouse in a test."""
    for function, name in (
        (warehouse.hold, "timeout"),
        (warehouse.open_file, "patience"),
        (warehouse.raw_connection, "patience"),
    ):
        monkeypatch.setitem(function.__wrapped__.__kwdefaults__, name, 0.3)
    monkeypatch.setitem(Sync.__init__.__kwdefaults__, "patience", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.soak
def test_a_warehouse_in_another_run_says_who_has_it_and_since_when(mended: Connected) -> None:
    code = (
        "import sys, time; from pathlib import Path; from orchestration.warehouse import hold\n"
        "with hold(Path(sys.argv[1]), 'sync of salesforce'): print('held', flush=True); time.sleep(600)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(mended.settings.lock_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None and other.stdout.readline().strip() == "held"
        for arguments in (("publish",), ("run", "--source", "esales")):
            ran = mended.command(*arguments)
            assert ran.code == 6
            assert re.search(rf"held by sync of salesforce \(process {other.pid}\) since 20", the_message(ran))
    finally:
        other.kill()
        other.wait()
    assert mended.run("esales").code == 0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["raw", "tsunagu"])
def test_a_file_that_is_open_in_another_program_is_named_with_the_program(mended: Connected, name: str) -> None:
    file = file_at(mended)
    path = mended.home / "warehouse" / f"{name}.duckdb"
    with held(path):
        ran = mended.command("publish")
    assert ran.code == 6
    assert f"{path} is open in another program" in the_message(ran) and "PID" in the_message(ran)
    assert "Close it and run again" in the_message(ran)
    assert file_at(mended) == file


# the gate -------------------------------------------------------------------------------------------------------------
def test_a_closed_gate_keeps_the_last_good_file_and_says_since_when(mended: Connected) -> None:
    deal, file = open_deal(mended), file_at(mended)

    def pay_in_gold(rows: list[dict[str, str]]) -> None:
        for row in rows:
            if row["案件ID"] == deal:
                row["通貨"] = "XAU"

    mended.edit("activity.csv", pay_in_gold)
    mended.edit("businessplan.csv", pay_in_gold)
    ran = mended.run("esales")
    assert ran.code == 5
    closed, *rest = messages(ran)
    assert "every_amount_has_a_rate" in closed
    since = fetch(mended.published, "select strftime(published_at, '%Y-%m-%dT%H:%M:%SZ') from about.publication")[0][0]
    assert f"The file published at {since} stays" in closed
    assert [line for line in rest if "XAU has no rate" in line and "fx_rates.csv" in line]
    assert file_at(mended) == file
    again = mended.command("publish")
    assert again.code == 5 and file_at(mended) == file


# and after all of it --------------------------------------------------------------------------------------------------
def test_after_all_errors_a_good_run_ends_with_the_truth(mended: Connected, first: dict[str, tuple[int, str]]) -> None:
    for path in mended.settings.maps_dir.glob("*.csv"):
        path.unlink()
    ran = mended.run()
    assert ran.code == 0, ran.stderr
    found = compare(Path(mended.served.line["truth"]), mended.published)
    assert found.wrong == []
    now = table_hashes(mended.published)
    assert {name for name in first if now[name] != first[name]} <= {"data_health", "identity_history"}
    assert repeated_versions(mended.home) == {}
