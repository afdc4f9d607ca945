"""What the models file says of itself: the run's context, the tokens of what was built, the results of checks.

Schema `run` of the disposable file. Reading and writing rows only; what follows from them is decided in `transform`
and `publish`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from orchestration.lineage import Token

TABLES: Mapping[str, str] = {
    "context": "as_of timestamp, since_seq bigint, through_seq bigint",
    "built": "through_seq bigint, as_of timestamp, fingerprint varchar",
    "model_state": (
        "unique_id varchar, relation_schema varchar, relation_name varchar, code_token varchar, data_token varchar, "
        "status varchar, message varchar, seconds double, as_of timestamp"
    ),
    "check_state": (
        "unique_id varchar, name varchar, status varchar, failures bigint, message varchar, data_token varchar, "
        "as_of timestamp"
    ),
}
FAILED = ("error", "fail", "runtime error")


@dataclass(frozen=True)
class Trouble:
    """A model that failed or a check that found something, in one line."""

    unique_id: str
    name: str
    status: str
    message: str

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


def ensure(con: duckdb.DuckDBPyConnection) -> None:
    """Create schema `run` and its tables where they are missing."""
    con.execute("create schema if not exists run")
    for name, columns in TABLES.items():
        con.execute(f"create table if not exists run.{name} ({columns})")


def tokens(con: duckdb.DuckDBPyConnection) -> dict[str, Token]:
    """Tokens of what stands in the file; a part that cannot be relied on is ''."""
    rows = con.execute(
        """select unique_id, code_token, data_token from run.model_state
        union all select unique_id, '', data_token from run.check_state where status in ('pass', 'warn')"""
    ).fetchall()
    return {str(unique_id): Token(str(code), str(data)) for unique_id, code, data in rows}


def relations(con: duckdb.DuckDBPyConnection) -> set[str]:
    """ "schema.name" of every table and view in the file."""
    rows = con.execute(
        """select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()
        union select schema_name || '.' || view_name from duckdb_views() where database_name = current_database()"""
    ).fetchall()
    return {str(name) for (name,) in rows}


def troubles(con: duckdb.DuckDBPyConnection, statuses: Iterable[str] = FAILED) -> list[Trouble]:
    """Models and checks whose last result is one of these."""
    wanted = list(statuses)
    rows = con.execute(
        """select unique_id, relation_name as name, status, message from run.model_state where list_contains($1, status)
        union all select unique_id, name, status, message from run.check_state where list_contains($1, status)
        order by name, unique_id""",
        [wanted],
    ).fetchall()
    return [Trouble(*(str(value or "") for value in row)) for row in rows]


def through_seq(con: duckdb.DuckDBPyConnection) -> int:
    """The last load that the whole canonical layer holds; 0 for none."""
    row = con.execute("select coalesce(max(through_seq), 0) from run.built").fetchone()
    return int(row[0]) if row else 0


def write_context(con: duckdb.DuckDBPyConnection, as_of: str, since_seq: int, through: int) -> None:
    con.execute("delete from run.context")
    con.execute("insert into run.context values (?::timestamp, ?, ?)", [as_of, since_seq, through])


def write_built(con: duckdb.DuckDBPyConnection, as_of: str, through: int) -> None:
    """Move on the last load that canonical holds. No fingerprint: a bare `dbt build` then reads every load again."""
    con.execute("delete from run.built")
    con.execute("insert into run.built values (?, ?::timestamp, '')", [through, as_of])


def doubt(con: duckdb.DuckDBPyConnection, unique_ids: Iterable[str], *, is_fresh: bool) -> None:
    """Before a build: what is about to be built stands for no data until it is recorded, and where it begins from
    nothing for no code either. A run that is killed is thus repeated, and no incremental table is trusted too far."""
    doubtful = list(unique_ids)
    con.execute(
        f"""update run.model_state set data_token = '' {", code_token = ''" if is_fresh else ""}
        where list_contains(?, unique_id)""",
        [doubtful],
    )


def keep_only(con: duckdb.DuckDBPyConnection, unique_ids: Iterable[str]) -> None:
    """Drop the rows of nodes that the project no longer has."""
    kept = list(unique_ids)
    for table in ("model_state", "check_state"):
        con.execute(f"delete from run.{table} where not list_contains(?, unique_id)", [kept])
