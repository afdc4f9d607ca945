"""A file that cannot be read, seen from the sync: the rest lands, the run says so, and the file stays new."""

from __future__ import annotations

from pathlib import Path

from orchestration.journal import Journal
from orchestration.outcome import Outcome
from orchestration.sync_report import PartlyRead
from sources.files import VENDOR
from tests.faults.home import Home

MAPPING = """
streams:
  - {entity: account, files: accounts*.csv, key: id, delivery: changes, columns: {name: name}}
  - {entity: person, files: people*.csv, key: id, delivery: changes, columns: {full_name: name}}
"""


def test_the_rest_lands_the_file_is_named_once_and_it_lands_when_it_is_mended(tmp_path: Path) -> None:
    drops = tmp_path / "drops"
    drops.mkdir()
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    home = Home(tmp_path, VENDOR, instance="shop", config={"folder": str(drops), "mapping": str(mapping)})
    (drops / "accounts_1.csv").write_text("id,name\n1,Asahi\n")
    (drops / "accounts_2.csv").write_bytes(b"id,name\x00\n2,Bando\n")
    (drops / "people.csv").write_text("id,name\n1,Mori\n")

    for expected in (1, 0):
        report = home.try_sync()
        assert (report.rows["account"], report.rows["person"]) == (expected, expected)
        error = report.error()
        assert isinstance(error, PartlyRead) and error.permanent
        assert str(error).count("accounts_2.csv") == 1 and "export it again" in str(error)
        home.later(hours=1)
    assert home.rows("select file, count(*) from quarantine group by all") == [("accounts_2.csv", 1)]
    journal = Journal()
    journal.errors["shop"] = error
    assert Outcome(journal, ("shop",)).exit_code == 4

    (drops / "accounts_2.csv").write_text("id,name\n2,Bando\n")
    report = home.sync()
    assert report.rows["account"] == 1
