"""A company's own maps (home, `maps/*.csv`) as versions in the ledger, so that they obey as-of like every load.

Reads files and appends to `ledger.map_versions`; how the rows are laid over the shipped ones is the models' business.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from orchestration.map_files import Maps


def record(
    raw: duckdb.DuckDBPyConnection, maps_dir: Path, seeds_dir: Path, read_at: str, as_of: str | None = None
) -> list[str]:
    """Append a version of every map that differs from its newest one, and return their names.

    `read_at` (UTC, as text) is when it was read: no earlier instant knows of it. `as_of` is the as-of of the build that
    reads it, which lies before: that one instant, the present of the company until its next load, knows of it too. A map
    that was taken away gets an empty version. Raises SettingsError, naming file, line, column, value and remedy, before
    anything is written.
    """
    read = Maps(seeds_dir).read(maps_dir)
    wanted = {
        name: sorted({json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows})
        for name, rows in read.items()
    }
    known = _newest(raw)
    for gone in known.keys() - wanted.keys():
        wanted[gone] = []
    changed = {name: rows or ["{}"] for name, rows in wanted.items() if (rows or ["{}"]) != known.get(name, ["{}"])}
    if not changed:
        return []
    raw.execute("begin transaction")
    row = raw.execute("select coalesce(max(version_seq), 0) + 1 from ledger.map_versions").fetchone()
    version = int(row[0]) if row else 1
    for name, rows in sorted(changed.items()):
        for text in rows:
            raw.execute(
                """insert into ledger.map_versions (map_name, version_seq, row_json, read_at, seen_as_of)
                values ($1, $2, $3, greatest($4::timestamp, $5::timestamp) at time zone 'UTC',
                    $5::timestamp at time zone 'UTC')""",
                [name, version, text, read_at, as_of or read_at],
            )
    raw.execute("commit")
    return sorted(changed)


def _newest(raw: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = raw.execute(
        """select map_name, list(row_json order by row_json) from ledger.map_versions
        where (map_name, version_seq) in (select map_name, max(version_seq) from ledger.map_versions group by all)
        group by all"""
    ).fetchall()
    return {str(name): [str(text) for text in texts] for name, texts in rows}
