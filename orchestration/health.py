"""Rows of `data_health` that are made at publishing: freshness, by the clock, and checks that only warn.

The other rows come from the models. Freshness is measured against the clock of the home (the wall clock, or a
demo company's own) and never against the newest load, which can never be late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

import duckdb

TABLE = "data_health"
WARN_HOURS, ERROR_HOURS = 26.0, 50.0
"""A little above the cadence: a daily job may be late by two hours; a second missed day is an error."""


@dataclass(frozen=True)
class HealthRow:
    """One row of data_health, in the order of its columns."""

    check_name: str
    source_system: str
    status: str
    severity: str
    measured_value: float | None
    expected_value: float | None
    details: str
    checked_at: datetime


def freshness(raw: duckdb.DuckDBPyConnection, instances: Sequence[str], now: datetime) -> list[HealthRow]:
    """Hours since the last load of each instance, one row each; an instance that never loaded is an error."""
    there = raw.execute(
        "select 1 from duckdb_tables() where schema_name = 'ledger' and table_name = 'loads'"
    ).fetchone()
    newest: dict[str, datetime] = {}
    if there:
        rows = raw.execute(
            "select source_system, max(committed_at at time zone 'UTC') from ledger.loads group by all"
        ).fetchall()
        newest = {str(instance): moment for instance, moment in rows}
    return [_fresh(instance, newest.get(instance), _naive(now)) for instance in sorted({*instances, *newest})]


def check_warnings(con: duckdb.DuckDBPyConnection, now: datetime) -> list[HealthRow]:
    """Checks of the models that found something and do not stop publishing."""
    rows = con.execute(
        "select name, failures, message from run.check_state where status = 'warn' order by name"
    ).fetchall()
    moment = _naive(now)
    return [
        HealthRow(f"check: {name}", "all", "warn", "warn", float(failures), 0.0, str(message or ""), moment)
        for name, failures, message in rows
    ]


def what_matters(row: HealthRow) -> tuple[object, ...]:
    """The part of a row whose change is worth a new file: hours pass, a status changes."""
    return (row.check_name, row.source_system, row.status) + (
        () if row.check_name == "freshness" else (row.measured_value, row.details)
    )


def add_rows(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[HealthRow]) -> None:
    """Append to the table, by column name."""
    con.execute(f"delete from {table} where check_name = 'freshness' or check_name like 'check: %'")
    columns = ", ".join(HealthRow.__dataclass_fields__)
    marks = ", ".join("?" * len(HealthRow.__dataclass_fields__))
    for row in rows:
        con.execute(f"insert into {table} ({columns}) values ({marks})", list(astuple(row)))


def _fresh(instance: str, newest: datetime | None, now: datetime) -> HealthRow:
    if newest is None:
        return HealthRow("freshness", instance, "error", "warn", None, WARN_HOURS, "never loaded", now)
    hours = max(0.0, (now - newest).total_seconds() / 3600)
    status = "ok" if hours <= WARN_HOURS else "warn" if hours <= ERROR_HOURS else "error"
    return HealthRow(
        "freshness",
        instance,
        status,
        "warn",
        round(hours, 2),
        WARN_HOURS,
        f"last load {newest:%Y-%m-%d %H:%M} UTC",
        now,
    )


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
