"""`tsunagu init maps` writes the words that the data holds, with what they mean, and never over what is there."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from orchestration.cli import main
from orchestration.map_files import Maps
from orchestration.settings import Settings
from orchestration.verbs.init_maps import SEEN

CANONICAL = """
create schema canonical;
create table canonical.canonical_opportunity (record_key varchar, source_system varchar, source_pipeline varchar,
    pipeline varchar, lead_source varchar);
insert into canonical.canonical_opportunity values
    ('d1', 'crm', 'Sales', 'unmapped', 'Trade Show'), ('d2', 'crm', null, 'new_business', ' '), ('d3', 'crm', 'Sales', 'unmapped', null);
create table canonical.canonical_opportunity_version (record_key varchar, source_system varchar, source_stage varchar,
    stage varchar, valid_from timestamp);
insert into canonical.canonical_opportunity_version values
    ('d1', 'crm', '訪問済み', 'unmapped', '2026-01-01'), ('d1', 'crm', '契約', 'contract', '2026-01-02'),
    ('d2', 'crm', 'Prospecting', 'unmapped', '2026-01-01'), ('d3', 'crm', '契約', 'contract', '2026-01-01'),
    ('d3', 'crm', null, 'unmapped', '2026-01-03');
create table canonical.canonical_lifecycle_event (source_system varchar, source_field varchar, source_value varchar, stage varchar);
insert into canonical.canonical_lifecycle_event values ('crm', 'stage', 'mql', 'mql'), ('crm', 'stage', 'hot, very', 'unmapped');
create table canonical.canonical_interaction (source_system varchar, source_channel varchar, channel varchar);
insert into canonical.canonical_interaction values ('crm', 'Fax', 'unmapped'), ('crm', ' fax', 'unmapped'), ('crm', null, 'none');
create table canonical.canonical_campaign (source_system varchar, source_channel varchar, channel varchar);
create table canonical.canonical_person (source_system varchar, lead_source varchar);
create table canonical.canonical_product (source_system varchar, source_id varchar, code varchar, name varchar, family varchar);
insert into canonical.canonical_product values ('crm', '1', null, 'Widget', null), ('crm', '2', 'G-2', 'Gadget', 'Tools');
create table canonical.canonical_sales_user (team varchar, department varchar);
insert into canonical.canonical_sales_user values ('East', 'North'), (null, null), ('East', null);
"""


def with_own_fields(con: duckdb.DuckDBPyConnection, columns: list[str]) -> None:
    """Give every table that a company's own fields may fill its columns, and two of them records with such fields."""
    for word in columns:
        entity, column = word.split(".")
        table = f"canonical.canonical_{entity}"
        con.execute(f"create table if not exists {table} (source_system varchar)")
        for name in ("source_object", "extra_columns", "is_deleted", column):
            con.execute(
                f"alter table {table} add column if not exists {name} {'boolean' if name[:3] == 'is_' else 'varchar'}"
            )
    for entity, name, industry, extra in (
        ("account", "Account", "Steel", '{"industry_c": "Metal", "employee_count_c": "12", "備考": "x"}'),
        ("account", "Account", None, '{"employee_count__c": "13"}'),
        ("account", "Customer", None, '{"industry_c": "Metal"}'),
    ):
        con.execute(
            f"insert into canonical.canonical_{entity} (source_system, source_object, industry, extra_columns) "
            "values ('crm', ?, ?, ?)",
            [name, industry, extra],
        )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("TSUNAGU_HOME", str(tmp_path))
    (tmp_path / "tsunagu.toml").write_text('[instances.crm]\nvendor = "salesforce"\n')
    return Settings.load()


@pytest.fixture
def loaded(home: Settings) -> Settings:
    home.models_path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home.models_path)) as con:
        con.execute(CANONICAL)
        known = Maps(home.dbt_project_dir / "seeds").known["field_map"].rules
        with_own_fields(con, known["canonical_column"]["one_of"])
    return home


def table(settings: Settings, name: str) -> list[tuple[str, ...]]:
    with (settings.maps_dir / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def test_each_word_of_the_data_stands_with_its_meaning_or_a_proposal(loaded: Settings) -> None:
    assert main(["init", "maps"]) == 0
    assert table(loaded, "stage_map") == [
        ("crm", "*", "Prospecting", "inquiry", ""),  # as the shipped map has it for the vendor of the instance
        ("crm", "Sales", "契約", "contract", ""),
        ("crm", "Sales", "訪問済み", "", ""),  # nobody knows: a person fills it in
    ]
    assert table(loaded, "pipeline_map") == [("crm", "Sales", ""), ("crm", "none", "new_business")]
    lifecycle = {row[2]: row for row in table(loaded, "lifecycle_authority")}
    assert lifecycle["mql"][3] == "mql" and int(lifecycle["mql"][4]) > 0
    assert lifecycle["hot, very"] == ("crm", "stage", "hot, very", "", "")
    channels = {row[1]: row for row in table(loaded, "channels")}
    assert sorted(channels) == ["Fax", "Trade Show"]
    assert channels["Fax"] == ("crm", "Fax", "", "")
    assert channels["Trade Show"][2:] == ("trade_show", "true")
    assert table(loaded, "product_map") == [("crm", "G-2", "Tools", "", ""), ("crm", "Widget", "", "", "")]
    assert table(loaded, "teams") == [("East", "North", "", "")]


def test_a_companys_own_fields_are_offered_for_columns_that_the_tool_leaves_empty(loaded: Settings) -> None:
    assert main(["init", "maps"]) == 0
    assert table(loaded, "field_map") == [
        ("crm", "Account", "employee_count__c", "account.employee_count"),
        ("crm", "Account", "employee_count_c", ""),  # the column has a field already
        ("crm", "Account", "industry_c", ""),  # the tool itself fills it
        ("crm", "Account", "備考", ""),
        ("crm", "Customer", "industry_c", "account.industry"),
    ]


def test_what_is_written_can_be_read_at_once_and_every_map_has_a_file(loaded: Settings) -> None:
    main(["init", "maps"])
    maps = Maps(loaded.dbt_project_dir / "seeds")
    own = maps.read(loaded.maps_dir)
    assert set(own) == {name for name, one in maps.known.items() if one.keys} >= set(SEEN)
    assert own["targets"] == []


def test_a_file_that_is_there_is_left_alone(loaded: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    loaded.maps_dir.mkdir()
    mine = loaded.maps_dir / "stage_map.csv"
    mine.write_text("source_system,source_stage\n")
    assert main(["init", "maps"]) == 0
    assert mine.read_text() == "source_system,source_stage\n"
    assert f"kept  {mine}" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in loaded.maps_dir.iterdir()}
    assert main(["init", "maps"]) == 0
    assert {path: path.read_bytes() for path in loaded.maps_dir.iterdir()} == before


def test_before_a_first_run_it_says_what_to_do(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "maps"]) == 2
    assert "Run first: tsunagu run" in capsys.readouterr().err
    assert not list(home.maps_dir.glob("*.csv"))


def test_the_doctor_names_a_map_that_cannot_be_right(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    home.maps_dir.mkdir()
    (home.maps_dir / "teams.csv").write_text("team,is_key_account_team\nEast,true\n")
    main(["doctor"])
    assert "rows of your own in teams" in capsys.readouterr().out
    (home.maps_dir / "teams.csv").write_text("team,is_key_account_team\nEast,perhaps\n")
    assert main(["doctor"]) == 2
    assert "line 2, column is_key_account_team: 'perhaps' is neither true nor false" in capsys.readouterr().out
