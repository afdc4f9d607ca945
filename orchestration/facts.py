"""What the precious file is like now, as far as models depend on it: as-of, loads, columns, sizes of the ledgers.

Reads only, over an open connection to raw; decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb

from orchestration.lineage import Facts

BEFORE_ALL = "1970-01-01 00:00:00"
"""As-of of a warehouse without loads."""
ENGINE = "engine"
"""Source name of the tables that the extraction engine makes in every instance's dataset."""
ENGINE_TABLES = ("vendor_count", "quarantine")


@dataclass(frozen=True)
class Instant:
    """What a build may see: loads up to `through_seq`, and `as_of` (UTC, as text) for "now"."""

    as_of: str
    through_seq: int


def instant(raw: duckdb.DuckDBPyConnection, as_of: datetime | None = None) -> Instant:
    """The wanted instant with the loads committed by then; without one, the newest load's."""
    limit = None if as_of is None else _utc(as_of)
    row = raw.execute(
        """select max(committed_at at time zone 'UTC')::varchar, coalesce(max(seq), 0) from ledger.loads
        where $1 is null or committed_at at time zone 'UTC' <= $1::timestamp""",
        [limit],
    ).fetchone()
    newest, through = row if row else (None, 0)
    return Instant(limit or str(newest or BEFORE_ALL), int(through))


def read_facts(
    raw: duckdb.DuckDBPyConnection,
    now: Instant,
    folders: Mapping[str, Sequence[str]],
    *,
    timezone: str,
    environment: str,
    identity_rules: str,
    identity_reads: tuple[str, ...],
) -> Facts:
    """`folders`: staging folder -> instances that it unites."""
    columns = _columns(raw)
    newest = _newest(raw, now.through_seq)
    whole = {instance: newest.get((instance, ""), 0) for instances in folders.values() for instance in instances}
    tables: dict[str, tuple[str, int]] = {}
    everywhere = [instance for instances in folders.values() for instance in instances]
    for folder, instances in [*folders.items(), (ENGINE, everywhere)]:
        names = {table for (schema, table) in columns if schema in {f"raw_{i}" for i in instances}}
        for table in names.intersection(ENGINE_TABLES) if folder == ENGINE else names:
            shape = [columns.get((f"raw_{i}", table), "") for i in instances]
            seqs = [max(newest.get((i, table), 0), whole[i]) for i in instances]
            tables[f"{folder}.{table}"] = (_digest(shape), max(seqs))
    return Facts(
        raw=tables,
        as_of=now.as_of,
        as_of_date=_day(now.as_of, timezone),
        through_seq=now.through_seq,
        history_rows=count_history(raw, "", now.through_seq),
        map_versions=_map_versions(raw, now.as_of),
        environment=environment,
        identity_rules=identity_rules,
        identity_reads=identity_reads,
    )


def _columns(raw: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    rows = raw.execute(
        """select schema_name, table_name, string_agg(column_name || ' ' || data_type, ', ' order by column_name)
        from duckdb_columns() where schema_name like 'raw\\_%' escape '\\' and table_name not like '\\_dlt%' escape '\\'
        group by all"""
    ).fetchall()
    return {(str(schema), str(table)): str(text) for schema, table, text in rows}


def _newest(raw: duckdb.DuckDBPyConnection, through_seq: int) -> dict[tuple[str, str], int]:
    """(instance, table) -> newest load that brought rows; table '' = newest load of which the tables are not known
    (one that a killed run left and a later one stamped)."""
    rows = raw.execute(
        """select source_system, table_name, max(seq) from ledger.load_tables
        where row_count > 0 and seq <= $1 group by all
        union all
        select source_system, '', max(seq) from ledger.loads l
        where seq <= $1 and not exists (from ledger.load_tables t where t.seq = l.seq) group by all""",
        [through_seq],
    ).fetchall()
    return {(str(instance), str(table)): int(seq) for instance, table, seq in rows}


def _map_versions(raw: duckdb.DuckDBPyConnection, as_of: str) -> dict[str, str]:
    """Map -> its newest version read by then, by what is in it: a version that only gives back old rows is known."""
    rows = raw.execute(
        """select map_name, md5(string_agg(row_json, chr(10) order by row_json)) from ledger.map_versions
        where (map_name, version_seq) in (
            select map_name, max(version_seq) from ledger.map_versions
            where read_at at time zone 'UTC' <= $1::timestamp or seen_as_of at time zone 'UTC' = $1::timestamp
            group by all)
        group by all""",
        [as_of],
    ).fetchall()
    return {str(name): str(digest) for name, digest in rows}


def count_history(con: duckdb.DuckDBPyConnection, catalog: str, through_seq: int) -> int:
    """Rows of the ledger of merges and splits up to a load. `catalog`: "" or the attached raw file's name and a point."""
    row = con.execute(
        f"select count(*) from {catalog}ledger.identity_history where run_seq <= ?", [through_seq]
    ).fetchone()
    return int(row[0]) if row else 0


def _day(as_of: str, timezone: str) -> str:
    """As macro `as_of_date` cuts it."""
    return datetime.fromisoformat(as_of).replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date().isoformat()


def _utc(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:20]
