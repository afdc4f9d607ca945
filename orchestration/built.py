"""What stands in the models file after a build: rows of each table, result of each check. Only for Dagster's records.

Reading only. A result stands until its table changes: the build then leaves the check alone, and Dagster, which counts a
planned check without a result as skipped, is told the standing one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestration.warehouse import WarehouseHeld, hold

if TYPE_CHECKING:
    import duckdb

    from orchestration.settings import Settings


@dataclass(frozen=True)
class CheckState:
    """The last result of one check: `status` as in dbt (pass, warn, fail, error, skipped), `as_of` of that build."""

    status: str
    failures: int
    message: str
    as_of: str


@dataclass(frozen=True)
class Standing:
    """Rows by "schema.table" (no views: counting one runs it), and checks by dbt's unique id."""

    row_counts: Mapping[str, int] = field(default_factory=dict[str, int])
    checks: Mapping[str, CheckState] = field(default_factory=dict[str, CheckState])


def read_standing(settings: Settings, relations: Iterable[str]) -> Standing:
    """What stands, with the rows of these relations; nothing when another process has the file by now."""
    import duckdb

    try:
        with (
            hold(settings.lock_path, "reading what was built", timeout=30),
            duckdb.connect(str(settings.models_path), read_only=True) as con,
        ):
            return Standing(_row_counts(con, set(relations)), _checks(con))
    except (WarehouseHeld, duckdb.IOException):
        return Standing()


def _row_counts(con: duckdb.DuckDBPyConnection, wanted: set[str]) -> dict[str, int]:
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    parts = [
        f"""select '{schema}.{name}', count(*) from "{schema}"."{name}" """
        for schema, name in tables
        if f"{schema}.{name}" in wanted
    ]
    if not parts:
        return {}
    return {str(name): int(count) for name, count in con.execute(" union all ".join(parts)).fetchall()}


def _checks(con: duckdb.DuckDBPyConnection) -> dict[str, CheckState]:
    rows = con.execute("select unique_id, status, failures, message, as_of::varchar from run.check_state").fetchall()
    return {
        str(unique_id): CheckState(str(status), int(failures or 0), str(message or ""), str(as_of))
        for unique_id, status, failures, message, as_of in rows
    }
