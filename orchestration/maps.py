"""A company's own maps (home, `maps/*.csv`) as versions in the ledger, so that they obey as-of like every load.

Reads files and appends to `ledger.map_versions`; how the rows are laid over the shipped ones is the models' business.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb

from orchestration.settings import SettingsError


def record(raw: duckdb.DuckDBPyConnection, maps_dir: Path, seeds_dir: Path, read_at: str) -> list[str]:
    """Append a version of every map that differs from its newest one, and return their names.

    `read_at` (UTC, as text) is the run's as-of. A map that was taken away gets an empty version. Raises SettingsError,
    naming file, line and remedy, before anything is written.
    """
    wanted = {path.stem: _rows(path, seeds_dir) for path in sorted(maps_dir.glob("*.csv"))}
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
                "insert into ledger.map_versions values (?, ?, ?, ?::timestamp at time zone 'UTC')",
                [name, version, text, read_at],
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


def _rows(path: Path, seeds_dir: Path) -> list[str]:
    return sorted({json.dumps(row, ensure_ascii=False, sort_keys=True) for row in _read(path, seeds_dir)})


def _read(path: Path, seeds_dir: Path) -> Iterator[dict[str, str]]:
    columns = _columns(path, seeds_dir)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            header = [name.strip() for name in next(table, [])]
            for name in header:
                if name not in columns:
                    raise SettingsError(f"{path}, line 1: unknown column '{name}' (known: {', '.join(columns)})")
            for values in table:
                if len(values) > len(header):
                    raise SettingsError(
                        f"{path}, line {table.line_num}: {len(values)} values for {len(header)} columns. Quote a value "
                        "that has a comma in it"
                    )
                row = {name: value.strip() for name, value in zip(header, values, strict=False)}
                if any(row.values()):
                    yield row
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}). Save it as CSV UTF-8"
        ) from error


def _columns(path: Path, seeds_dir: Path) -> list[str]:
    seed = seeds_dir / path.name
    if not seed.exists():
        names = ", ".join(sorted(known.stem for known in seeds_dir.glob("*.csv")))
        raise SettingsError(f"{path}: there is no map '{path.stem}' (maps: {names}). Rename or remove the file")
    with seed.open(encoding="utf-8-sig", newline="") as file:
        return [name.strip() for name in next(csv.reader(file), [])]
