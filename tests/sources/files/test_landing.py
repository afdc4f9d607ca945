"""The source by plain dlt in a temporary DuckDB: tables, types, state, and the real files where they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sources.files.entities import ENTITIES
from tests.sources.files.conftest import Folder

REAL = Path(__file__).resolve().parents[4] / "shared" / "real"
MAPPINGS = Path(__file__).resolve().parents[2] / "end_to_end" / "real"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"the real data sets are not there ({REAL})")

Land = Callable[[Folder], Any]


def test_every_entity_has_an_empty_typed_table_before_any_file_comes(folder: Folder, land: Land) -> None:
    con = land(folder)
    for entity in ENTITIES:
        assert con.execute(f"select count(*) from raw_shop.{entity}").fetchone() == (0,)
    types = dict(
        con.execute(
            "select column_name, data_type from information_schema.columns where table_name = 'opportunity'"
        ).fetchall()
    )
    assert types["amount"].startswith("DECIMAL")
    assert (types["close_date"], types["created_at"], types["account_ref"]) == (
        "DATE",
        "TIMESTAMP WITH TIME ZONE",
        "VARCHAR",
    )


def test_the_next_run_reads_new_deliveries_only_and_quarantine_is_a_table(folder: Folder, land: Land) -> None:
    folder.put("accounts.csv", "id,name,size\n1,Asahi,10\n2,Bando,many\n")
    con = land(folder)
    assert con.execute("select id, employee_count from raw_shop.account").fetchall() == [("account|1", 10)]
    bad = con.execute(
        "select stream, source_key, file, line, column_name, value, reason from raw_shop.quarantine"
    ).fetchall()
    assert [row[:6] for row in bad] == [("account", "account|2", "accounts.csv", 3, "size", "many")]
    assert "known forms" in bad[0][6]
    con = land(folder)
    assert con.execute("select count(*) from raw_shop.account").fetchone() == (1,)
    folder.put("accounts.csv", "id,name,size\n1,Asahi,10\n2,Bando,20\n")
    con = land(folder)
    assert con.execute("select id, count(*) from raw_shop.account group by 1 order by 1").fetchall() == [
        ("account|1", 2),
        ("account|2", 1),
    ]


def test_the_same_record_in_a_later_delivery_has_the_same_hash(folder: Folder, land: Land) -> None:
    folder.put("accounts.csv", "id,name,size\n1,Asahi,10\n2,Bando,20\n")
    land(folder)
    folder.put("accounts.csv", "id,name,size\n2,Bando,21\n1,Asahi,10\n")
    con = land(folder)
    assert con.execute("select id, count(distinct _hash) from raw_shop.account group by 1 order by 1").fetchall() == [
        ("account|1", 1),
        ("account|2", 2),
    ]


def real(name: str, tmp_path: Path) -> Folder:
    return Folder(REAL / name, MAPPINGS / name / "mapping.yaml")


@needs_real
def test_the_deals_of_the_hardware_seller_are_read_whole(tmp_path: Path, land: Land) -> None:
    con = land(real("maven", tmp_path))
    assert con.execute("select count(*) from raw_shop.quarantine").fetchone() == (0,)
    stages = dict(con.execute("select stage, count(*) from raw_shop.opportunity group by 1").fetchall())
    assert stages == {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
    assert con.execute("select sum(amount) from raw_shop.opportunity where stage = 'Won'").fetchone() == (10_005_534,)
    assert con.execute("select count(*) from raw_shop.opportunity where account_ref is null").fetchone() == (1425,)
    assert con.execute("select max(abs(amount)) from raw_shop.opportunity where stage = 'Lost'").fetchone() == (0,)
    days = con.execute(
        "select avg(date_diff('day', created_at, stage_entered_at)) from raw_shop.opportunity where stage = 'Won'"
    ).fetchone()
    assert round(days[0], 2) == 51.78
    lines = "select count(*) from raw_shop.opportunity_line l anti join raw_shop.product p on l.product_ref = p.id"
    assert con.execute(lines).fetchone() == (0,)
    owners = "select count(*) from raw_shop.opportunity o anti join raw_shop.sales_user u on o.owner_ref = u.id"
    assert con.execute(owners).fetchone() == (0,)


@needs_real
def test_the_leads_of_the_marketplace_are_read_whole(tmp_path: Path, land: Land) -> None:
    con = land(real("olist", tmp_path))
    assert con.execute("select count(*) from raw_shop.quarantine").fetchone() == (0,)
    won = con.execute(
        "select coalesce(lead_source, ''), count(*), count(opportunity_ref) from raw_shop.person p"
        " left join raw_shop.opportunity_person o on o.person_ref = p.id group by 1"
    ).fetchall()
    found = {origin: (leads, deals) for origin, leads, deals in won}
    assert found["organic_search"] == (2296, 271)
    assert found["unknown"] == (1099, 179)
    assert found[""] == (60, 14)
    assert (sum(leads for leads, _ in found.values()), sum(deals for _, deals in found.values())) == (8000, 842)


def test_a_list_that_lacks_a_record_names_the_ones_that_live_for_the_landing(folder: Folder, land: Land) -> None:
    folder.put("accounts.csv", "id,name,size\n1,Asahi,10\n2,Bando,20\n")
    land(folder)
    folder.put("accounts.csv", "id,name,size\n2,Bando,x\n")
    con = land(folder)
    newest = "_dlt_load_id = (select max(_dlt_load_id) from raw_shop._seen)"
    seen = con.execute(f"select key from raw_shop._seen where stream = 'account' and {newest} order by key").fetchall()
    assert seen == [("account|2",), (None,)]


def test_a_relative_folder_and_mapping_start_at_the_home(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    from sources.config import Config
    from sources.files import VENDOR

    home = folder.mapping.parent
    monkeypatch.setenv("DLT_PROJECT_DIR", str(home))
    Container()[PluggableRunContext].reload(str(home))
    assert VENDOR.streams_of
    folder.put("accounts.csv", "id,name,size\n1,Asahi,10\n")
    try:
        streams = VENDOR.streams_of(Config("shop", {"folder": "drops", "mapping": "mapping.yaml"}))
    finally:
        monkeypatch.undo()
        Container()[PluggableRunContext].reload()
    assert next(stream for stream in streams if stream.name == "account").deletes == "sweep"
