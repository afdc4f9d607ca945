"""eSales Manager's exports of the demo company, and the shipped mapping that reads them."""

from datetime import UTC
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sources.demo.company import Company, build
from sources.demo.mounting import SandboxOptions
from sources.esales import MAPPING, VENDOR
from sources.esales.sandbox import mount
from sources.files.drops import Drops
from sources.files.mapping import load_mapping
from sources.stream import Rejected, Window


@pytest.fixture(scope="module")
def company() -> Company:
    return build(11, "small")


@pytest.fixture
def folder(company: Company, tmp_path: Path) -> Path:
    served = mount(company, ["esales"], SandboxOptions(now=lambda: company.now, folder=tmp_path))
    served.refresh()
    return tmp_path / "esales"


def read(company: Company, folder: Path, entity: str, memory: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    drops = Drops(folder, load_mapping(MAPPING), lambda: company.now)
    batches = list(drops.pages(VENDOR.stream(entity), Window(None, company.now, memory if memory is not None else {})))
    drops.close()
    assert [batch for batch in batches if isinstance(batch, Rejected)] == []
    return [row for batch in batches if isinstance(batch, pa.Table) for row in batch.to_pylist()]


def current(company: Company, query: str) -> list[tuple[Any, ...]]:
    return company.cursor().execute(query).fetchall()


def test_the_description_gives_folder_and_mapping(company: Company, tmp_path: Path) -> None:
    served = mount(company, ["esales"], SandboxOptions(now=lambda: company.now, folder=tmp_path))
    assert served.describe({}) == {"files": {"esales": {"folder": str(tmp_path / "esales"), "mapping": str(MAPPING)}}}
    assert served.apps == {}


def test_the_exports_are_cp932_and_no_half_written_file_lies_beside_them(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "activity.csv", "businesscard.csv", "businessplan.csv", "customer.csv", "employee.csv",
    ]  # fmt: skip
    head = (folder / "businessplan.csv").read_bytes().split(b"\r\n")[0]
    assert "進捗度" in head.decode("cp932")


@pytest.mark.parametrize(
    ("entity", "table"),
    [
        ("account", "accounts"),
        ("person", "people"),
        ("opportunity", "deals"),
        ("activity", "activities"),
        ("sales_user", "users"),
    ],
)
def test_every_current_record_is_read_and_no_deleted_one(
    company: Company, folder: Path, entity: str, table: str
) -> None:
    live = current(company, f"select source_id from current.{table} where instance = 'esales' and not is_deleted")
    assert sorted(row["source_id"] for row in read(company, folder, entity)) == sorted(
        source_id for (source_id,) in live
    )
    assert live


def test_values_survive_the_way_through_japanese_words_and_formats(company: Company, folder: Path) -> None:
    deals = {row["source_id"]: row for row in read(company, folder, "opportunity")}
    expected = current(
        company,
        'select source_id, stage, amount, currency, expected_close_date, pipeline, deal_type, forecast_category, "at",'
        " owner_source_id, account_source_id from current.deals where instance = 'esales' and not is_deleted",
    )
    words = {"won": "受注", "lost": "失注"}
    for source_id, stage, amount, currency, day, pipeline, kind, forecast, at, owner, account in expected:
        row = deals[source_id]
        assert row["stage"] == words.get(stage, row["stage"])
        assert row["amount"] == amount
        assert (row["currency"], row["expected_close_date"]) == (currency, day)
        assert (row["pipeline"], row["opportunity_type"], row["forecast_category"]) == (pipeline, kind, forecast)
        assert row["updated_at"] == at.replace(tzinfo=UTC, microsecond=0)
        assert (row["owner_ref"], row["account_ref"]) == (f"employee|{owner}", f"customer|{account}")


def test_progress_reports_give_the_whole_history_of_a_deal(company: Company, folder: Path) -> None:
    reported = {
        (row["opportunity_ref"].split("|")[1], row["entered_at"]) for row in read(company, folder, "opportunity_state")
    }
    entries = current(
        company,
        'select source_id, "at", source_id in'
        " (select source_id from current.deals where instance = 'esales' and not is_deleted)"
        ' from (select *, lag(stage) over (partition by source_id order by "at") as before'
        " from visible.deal_versions where instance = 'esales') where stage is distinct from before",
    )
    assert {(source_id, at.replace(tzinfo=UTC, microsecond=0)) for source_id, at, lives in entries if lives} <= reported
    # A deal that was deleted before the export takes its reports with it.
    assert not {source_id for source_id, _, lives in entries if not lives} & {source_id for source_id, _ in reported}


def test_a_general_case_that_the_system_makes_is_no_opportunity(company: Company, folder: Path) -> None:
    path = folder / "businessplan.csv"
    lines = path.read_bytes().decode("cp932").split("\r\n")
    lines.insert(1, lines[1].replace(lines[1].split(",")[0], '"999"').replace(lines[1].split(",")[1], '"一般対応"'))
    before = len(read(company, folder, "opportunity"))
    path.write_bytes("\r\n".join(lines).encode("cp932"))
    assert len(read(company, folder, "opportunity")) == before


def test_after_the_clock_moved_the_next_export_is_one_more_delivery(tmp_path: Path) -> None:
    company = build(12, "small")
    served = mount(company, ["esales"], SandboxOptions(now=lambda: company.now, folder=tmp_path))
    served.refresh()
    memory: dict[str, Any] = {}
    first = read(company, tmp_path / "esales", "activity", memory)
    served.refresh()
    assert read(company, tmp_path / "esales", "activity", memory) == []
    company.advance(30)
    served.refresh()
    second = read(company, tmp_path / "esales", "activity", memory)
    assert len(second) > len(first)
    assert max(row["created_at"] for row in second) > max(row["created_at"] for row in first)


def test_the_raw_tables_are_those_of_files() -> None:
    assert VENDOR.staging == "files"
    assert {param.name: param.required for param in VENDOR.params} == {"folder": True, "mapping": False}
