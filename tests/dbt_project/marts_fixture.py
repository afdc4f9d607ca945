"""Canonical tables made by hand, and the marts that dbt builds from them.

For tests of marts without any vendor: no instance is connected, so the canonical models build empty and typed, and the
rows of a test are written into them. Every record is an entity of its own unless the test says otherwise. It must not
contain rules of the product.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from dbt.cli.main import dbtRunner

from tests.dbt_project.raw_fixture import LEDGER

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
Row = Mapping[str, Any]
ENTITY_TABLES = {
    "canonical_account": "account",
    "canonical_person": "person",
    "canonical_opportunity": "opportunity",
    "canonical_campaign": "campaign",
    "canonical_interaction": "activity",
    "canonical_sales_user": "user",
}
AS_OF = "2025-06-30 03:00:00"
CLUSTERS = """
create schema if not exists identity;
create table if not exists identity.clusters (
    entity_type varchar, record_key varchar, entity_id varchar, matched_by varchar, match_probability double,
    valid_from timestamp);
"""


@dataclass
class Canonical:
    """Rows of canonical tables; `entities` joins records: record_key -> the record_key of the entity's first record."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    entities: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, table: str, key: str, **values: Any) -> str:
        """One record whose key, id and name of origin are all `key`; returns the key."""
        defaults: dict[str, Any] = {
            "record_key": key,
            "source_system": "crm",
            "vendor": "crm",
            "source_object": table.removeprefix("canonical_"),
            "source_id": key,
            "created_at": "2024-01-01",
            "updated_at": "2024-01-01",
            "is_deleted": False,
            "extra_columns": "{}",
            "load_id": "1",
            "load_seq": 1,
        }
        self.rows.setdefault(table, []).append({**defaults, **values})
        return key

    def event(self, table: str, **values: Any) -> None:
        """A row of a table without the common columns (versions, lifecycle events, counts)."""
        self.rows.setdefault(table, []).append({"source_system": "crm", "vendor": "crm", "load_seq": 1, **values})

    def deal(self, key: str, versions: Sequence[tuple[Any, ...]], **values: Any) -> str:
        """A deal and its versions (valid_from, stage, amount, owner); stage order and closure follow from the stage."""
        orders = ["inquiry", "discovery", "first_meeting", "decision_maker", "proposal", "agreement", "contract"]
        orders += ["won", "lost"]
        version_values = {
            name: values.pop(name)
            for name in ("currency", "history_basis", "probability", "forecast_category", "expected_close_date")
            if name in values
        }
        self.add("canonical_opportunity", key, **{"pipeline": "new_business", "created_at": versions[0][0], **values})
        for number, (valid_from, stage, amount, owner) in enumerate(versions):
            self.event(
                "canonical_opportunity_version",
                record_key=key,
                source_stage=stage,
                stage=stage if stage in orders else "unmapped",
                stage_order=orders.index(stage) + 1 if stage in orders else None,
                is_closed=stage in ("won", "lost"),
                is_won=stage == "won",
                amount_original=amount,
                owner_key=owner,
                valid_from=valid_from,
                valid_to=versions[number + 1][0] if number + 1 < len(versions) else None,
                **{"currency": "JPY", "history_basis": "vendor", **version_values},
            )
        return key

    def clusters(self) -> Iterator[tuple[str, str, str]]:
        """(entity_type, record_key, entity_id) of every record."""
        for table, entity_type in ENTITY_TABLES.items():
            for key in sorted({row["record_key"] for row in self.rows.get(table, [])}):
                yield entity_type, key, entity_id(entity_type, self.entities.get(key, key))


def entity_id(entity_type: str, key: str) -> str:
    """The id under which the entity of a record stands in the marts."""
    return hashlib.md5(f"{entity_type}|{key}".encode()).hexdigest()


@dataclass
class Marts:
    """A models file with marts in it."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "tsunagu.duckdb"

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(query, parameters).fetchall()

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as con:
            for statement in statements:
                con.execute(statement)

    def fill(self, canonical: Canonical, as_of: str = AS_OF) -> None:
        """Put the rows into the canonical tables, and set as-of."""
        with duckdb.connect(str(self.path)) as con:
            con.execute("set TimeZone = 'UTC'")
            for table, rows in canonical.rows.items():
                _insert(con, f"canonical.{table}", rows)
            con.executemany(
                "insert into identity.clusters values (?, ?, ?, 'single', 1.0, timestamp '2024-01-01')",
                list(canonical.clusters()) or [("account", "none", "none")],
            )
            con.execute("delete from run.context")
            con.execute("insert into run.context values (?, 0, 1)", [datetime.fromisoformat(as_of)])

    def dbt(self, *arguments: str) -> dict[str, str]:
        """Run dbt; returns the status of each node by its name. A failed test is a status, not an error."""
        result = run_dbt(self.folder, *arguments)
        if result.exception:
            raise result.exception
        return {outcome.node.name: str(outcome.status) for outcome in result.result}

    def build(self, *selection: str) -> dict[str, str]:
        """Build and test the marts; every model must come out."""
        chosen = selection or ("path:models/marts", "path:tests")
        outcome = self.dbt("build", "--exclude-resource-type", "unit_test", "--select", *chosen)
        broken = [name for name, status in outcome.items() if status in ("error", "skipped")]
        assert not broken, broken
        return outcome


def template(folder: Path) -> Marts:
    """An empty models file: maps, typed canonical tables, no rows."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(folder / "raw.duckdb")) as con:
        con.execute(LEDGER)
        con.execute("insert into ledger.loads values (1, '1', 'crm', 'crm', timestamptz '2025-06-30 03:00:00+00')")
    marts = Marts(folder)
    marts.execute(CLUSTERS)
    for arguments in (["seed"], ["run", "--exclude", "path:models/marts"]):
        outcome = marts.dbt(*arguments)
        assert "error" not in outcome.values(), outcome
    return marts


def copy(source: Marts, folder: Path) -> Marts:
    """A file of the same content for a test of its own."""
    shutil.copytree(source.folder, folder, ignore=shutil.ignore_patterns("logs"))
    return Marts(folder)


def run_dbt(folder: Path, *arguments: str) -> Any:
    """Run dbt in this process against the files in `folder`."""
    with _environment(
        TSUNAGU_MODELS_PATH=str(folder / "tsunagu.duckdb"),
        TSUNAGU_RAW_PATH=str(folder / "raw.duckdb"),
        TSUNAGU_INSTANCES="[]",
        TSUNAGU_RUN_CONTEXT="given",
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    ):
        return dbtRunner().invoke(
            [
                *arguments,
                "--project-dir",
                str(PROJECT),
                "--profiles-dir",
                str(PROJECT),
                "--target-path",
                str(folder / "target"),
                "--log-path",
                str(folder / "logs"),
                "--quiet",
            ]
        )


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    known = [name for name, *_ in con.execute(f"describe {table}").fetchall()]
    names = [name for name in known if any(name in row for row in rows)]
    given = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    con.register("given", given)
    con.execute(f"insert into {table} by name select * from given")
    con.unregister("given")


@contextmanager
def _environment(**values: str) -> Iterator[None]:
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
