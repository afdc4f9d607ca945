"""A tool that was never read, because its first run met a wrong setting, stops no model of the others."""

from __future__ import annotations

from pathlib import Path

import duckdb
import yaml

from sources.stream import load_vendor, vendors
from sources.versions import SQL_TYPES
from tests.dbt_project.canonical_fixture import PROJECT, Files
from tests.dbt_project.raw_fixture import LEDGER, stream_columns


def test_the_types_of_raw_columns_in_the_sources_files_are_the_declared_ones() -> None:
    told, declared = {}, {}
    for path in (PROJECT / "models" / "staging").glob("*/_sources.yml"):
        folder = path.parent.name
        for table in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"][0]["tables"]:
            told[folder, table["name"]] = {one["name"]: one["data_type"] for one in table.get("columns", ())}
        for table, columns in stream_columns(folder, folder).items():
            others = {name: SQL_TYPES[kind] for name, kind in columns.items() if kind != "text"}
            declared[folder, table] = others
    assert told == declared, "what is no text stands in _sources.yml with its type: a column that all tools lack has it"


def test_all_models_are_built_over_tools_of_every_vendor_that_were_never_read(tmp_path: Path) -> None:
    tools = [{"name": name, "vendor": name, "staging": load_vendor(name).staging or name} for name in vendors()]
    files = Files(tmp_path, tmp_path / "raw.duckdb", tools)
    with duckdb.connect(str(files.raw)) as raw:
        raw.execute(LEDGER)  # not even empty tables are there
    files.build()
    filled = [
        name
        for (name,) in files.rows(
            "select table_name from duckdb_tables() where schema_name = 'canonical' "
            "and estimated_size > 0 and table_name not in ('canonical_fx_rate')"
        )
    ]
    assert not filled
