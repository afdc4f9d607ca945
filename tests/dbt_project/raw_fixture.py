"""A raw.duckdb made by hand: the tables that the vendors declare, the ledgers, and rows in loads of the test's choice.

For tests of models without any source running. Tables and types come from each vendor's `Stream.columns`, so that a
model cannot lean on a column that nobody declares. It must not contain rules of the product.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

Row = Mapping[str, Any]
SQL_TYPES = {
    "text": "varchar",
    "bigint": "bigint",
    "double": "double",
    "decimal": "decimal(38,9)",
    "bool": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}
STAMPS = {"_hash": "bigint", "_seq": "bigint", "_deleted": "bool", "_deleted_at": "timestamp"}
ENGINE_TABLES: Mapping[str, Mapping[str, str]] = {
    "quarantine": {
        "stream": "text",
        "source_key": "text",
        "file": "text",
        "line": "bigint",
        "column_name": "text",
        "value": "text",
        "reason": "text",
        "row_text": "text",
        "found_at": "timestamp",
    },
    "vendor_count": {
        "stream": "text",
        "object": "text",
        "live_count": "bigint",
        "status": "text",
        "message": "text",
        "counted_at": "timestamp",
    },
}
INSTANCES: tuple[Mapping[str, str], ...] = (
    {
        "name": "salesforce",
        "vendor": "salesforce",
        "staging": "salesforce",
        "base_url": "https://example.my.salesforce.com",
    },
    {"name": "hubspot", "vendor": "hubspot", "staging": "hubspot"},
    {"name": "hubspot_emea", "vendor": "hubspot", "staging": "hubspot"},
    {"name": "esales", "vendor": "esales", "staging": "files"},
)
LEDGER = """
create schema if not exists ledger;
create table if not exists ledger.loads (
    seq bigint, load_id varchar, source_system varchar, vendor varchar, committed_at timestamptz);
create table if not exists ledger.load_tables (
    seq bigint, load_id varchar, source_system varchar, table_name varchar, row_count bigint, unchanged_count bigint);
create table if not exists ledger.identity_history (
    entity_type varchar, old_entity_id varchar, new_entity_id varchar, changed_at timestamptz, reason varchar,
    run_seq bigint);
create table if not exists ledger.map_versions (
    map_name varchar, version_seq bigint, row_json varchar, read_at timestamptz, seen_as_of timestamptz);
create table if not exists ledger.builds (build_id varchar, seq bigint, as_of timestamptz);
"""


@dataclass(frozen=True)
class Load:
    """Rows that landed together: table -> rows. A row with `_deleted` is a tombstone."""

    instance: str
    committed_at: str
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict[str, Sequence[Row]])


def stream_columns(vendor: str, staging: str) -> dict[str, dict[str, str]]:
    """Raw tables of a vendor and their columns, as the vendor's folder declares them."""
    if staging == "files":
        from sources.files.entities import ENTITIES

        return {name: dict(entity.raw_columns) for name, entity in ENTITIES.items()}
    from sources.stream import load_vendor

    return {stream.name: dict(stream.columns) for stream in load_vendor(vendor).streams}


def make_raw(path: Path, loads: Sequence[Load], instances: Sequence[Mapping[str, str]] = INSTANCES) -> None:
    """Write the file, or add the loads to it: every declared table empty, then the loads in the order given."""
    with duckdb.connect(str(path)) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(LEDGER)
        for instance in instances:
            _make_tables(con, instance)
        for load in loads:
            _land(con, load, {i["name"]: i["vendor"] for i in instances})


def instances_json(instances: Sequence[Mapping[str, str]] = INSTANCES) -> str:
    """What TSUNAGU_INSTANCES holds for these instances."""
    return json.dumps(list(instances))


def at(text: str) -> datetime:
    """An aware UTC instant from ISO text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _make_tables(con: duckdb.DuckDBPyConnection, instance: Mapping[str, str]) -> None:
    schema = f"raw_{instance['name']}"
    con.execute(f"create schema if not exists {schema}")
    for table, columns in stream_columns(instance["vendor"], instance["staging"]).items():
        _make_table(con, schema, table, {**columns, **STAMPS})
    for table, columns in ENGINE_TABLES.items():
        _make_table(con, schema, table, columns)


def _make_table(con: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, str]) -> None:
    listed = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in columns.items())
    con.execute(f'create table if not exists {schema}."{table}" ({listed}, _dlt_load_id varchar)')


def _content_hash(row: Row) -> int:
    return zlib.crc32(json.dumps(row, default=str, sort_keys=True).encode())


def _land(con: duckdb.DuckDBPyConnection, load: Load, vendors: Mapping[str, str]) -> None:
    found = con.execute("select coalesce(max(seq), 0) + 1 from ledger.loads").fetchone()
    seq = int(found[0]) if found else 1
    load_id = f"{1_700_000_000 + seq}.0"
    con.execute(
        "insert into ledger.loads values (?, ?, ?, ?, ?)",
        [seq, load_id, load.instance, vendors[load.instance], at(load.committed_at)],
    )
    arrival = 0
    for table, rows in load.rows.items():
        for row in rows:
            values = {"_deleted": False, "_hash": _content_hash(row), **row}
            values |= {"_seq": arrival, "_dlt_load_id": load_id}
            if table in ENGINE_TABLES:
                values = {name: value for name, value in values.items() if name not in STAMPS}
            arrival += 1
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" for _ in values)
            con.execute(f'insert into raw_{load.instance}."{table}" ({names}) values ({marks})', list(values.values()))
        con.execute(
            "insert into ledger.load_tables values (?, ?, ?, ?, ?, 0)", [seq, load_id, load.instance, table, len(rows)]
        )
