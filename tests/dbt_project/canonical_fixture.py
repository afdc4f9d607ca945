"""Builds staging and canonical over a raw file made by hand, in this process.

For tests of the translation of vendors' records into canonical tables. It must not contain rules of the product.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb import connections
from dbt.cli.main import dbtRunner

from tests.dbt_project.raw_fixture import INSTANCES, Load, instances_json, make_raw

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SELECTION = ("staging", "canonical", "resource_type:seed")


@dataclass(frozen=True)
class Files:
    """A raw file and a models file in one folder; `raw` may be shared."""

    folder: Path
    raw: Path
    instances: Sequence[Mapping[str, str]] = INSTANCES

    @property
    def models(self) -> Path:
        return self.folder / "tsunagu.duckdb"

    @property
    def compiled(self) -> Path:
        return self.folder / "target" / "compiled" / "tsunagu" / "models"

    def land(self, *loads: Load) -> None:
        """Add loads to the raw file."""
        make_raw(self.raw, loads, self.instances)

    def build(self, *arguments: str, as_of: str = "") -> None:
        """`dbt build` of staging and canonical as a person would run it; every model and test must pass."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with _environment(self, as_of):
                result = dbtRunner().invoke(
                    [
                        "build",
                        "--select",
                        *SELECTION,
                        "--indirect-selection",
                        "cautious",
                        "--exclude-resource-type",
                        "unit_test",
                        *arguments,
                        "--project-dir",
                        str(PROJECT),
                        "--profiles-dir",
                        str(PROJECT),
                        "--target-path",
                        str(self.folder / "target"),
                        "--log-path",
                        str(self.folder / "logs"),
                        "--quiet",
                    ]
                )
        finally:
            # A run in this process otherwise keeps raw locked even with keep_open: false.
            connections.DuckDBConnectionManager.close_all_connections()
        if result.exception:
            raise result.exception
        broken = [
            f"{one.node.name}: {one.message}" for one in result.result if str(one.status) not in ("success", "pass")
        ]
        assert not broken, broken

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.models), read_only=True) as con:
            return con.execute(query).fetchall()

    def differences(self, other: Files) -> dict[str, int]:
        """Canonical tables that differ between two models files, with the number of rows that only one has."""
        with duckdb.connect() as con:
            con.execute(f"attach '{self.models}' as mine (read_only); attach '{other.models}' as theirs (read_only)")
            names = con.execute(
                "select table_name from duckdb_tables() where database_name = 'mine' and schema_name = 'canonical'"
            ).fetchall()
            assert names
            found = {name: _different_rows(con, name) for (name,) in names}
        return {name: count for name, count in found.items() if count}


def _different_rows(con: duckdb.DuckDBPyConnection, name: str) -> int:
    mine, theirs = f"from mine.canonical.{name}", f"from theirs.canonical.{name}"
    counted = con.execute(
        f"select (select count(*) from ({mine} except all {theirs})) + (select count(*) from ({theirs} except all {mine}))"
    ).fetchone()
    return int(counted[0]) if counted else 0


@contextmanager
def _environment(files: Files, as_of: str) -> Iterator[None]:
    values = {
        "TSUNAGU_MODELS_PATH": str(files.models),
        "TSUNAGU_RAW_PATH": str(files.raw),
        "TSUNAGU_INSTANCES": instances_json(files.instances),
        "TSUNAGU_RUN_CONTEXT": "",
        "TSUNAGU_AS_OF": as_of,
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
