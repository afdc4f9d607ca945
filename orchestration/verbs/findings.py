"""What a person should know of a run that did its work: rows in quarantine, words that no map knows, missing rates.

Each is one paragraph on stderr with the remedy; the exit code is not touched. Reads files that the run has let go of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration.outcome import Outcome
from orchestration.settings import Settings

REMEDIES: Mapping[str, str] = {
    "unmapped_stages": "stands as 'unmapped'. Give it a row in {maps}/stage_map.csv, then run: tsunagu publish",
    "unmapped_lifecycle_stages": (
        "stands as 'unmapped'. Give it a row in {maps}/lifecycle_authority.csv, then run: tsunagu publish"
    ),
    "unmapped_channels": "stands as 'unmapped'. Give it a row in {maps}/channels.csv, then run: tsunagu publish",
    "unmapped_pipelines": "stands as 'unmapped'. Give it a row in {maps}/pipeline_map.csv, then run: tsunagu publish",
    "idle_rows_of_identity_overrides": (
        "is no record that a tool has delivered. Write type, instance, object and id in {maps}/identity_overrides.csv as "
        "marts.identity_map has them, or remove the row"
    ),
    "idle_rows_of_field_map": (
        "gives no value. Write the field in {maps}/field_map.csv as `tsunagu init maps` would, or choose a column of its type"
    ),
    "missing_fx_rates": (
        "has no rate, so that its amounts are unknown. Give it rows in {maps}/fx_rates.csv and {maps}/budget_rates.csv, "
        "then run: tsunagu publish"
    ),
}
"""Checks of `data_health` that a person can settle with a map, and what to say after the words that they found."""
HEALTH = """
    select check_name, source_system, details from {catalog}.marts.data_health
    where status <> 'ok' and list_contains($1, check_name) order by all
"""
QUARANTINE = """
    select coalesce(file || ', line ' || line, stream || ' ' || coalesce(source_key, '(no key)'))
           || coalesce(', ' || column_name, '') || ': ' || reason
    from {catalog}."raw_{instance}".quarantine where list_contains($1, stream)
    order by list_contains($2, _dlt_load_id) desc, found_at desc, file, line
"""
SHOWN = 3


def say(settings: Settings, outcome: Outcome) -> None:
    """Print what this run found in the data, if anything."""
    for instance, report in outcome.journal.syncs.items():
        if report.quarantined:
            print(f"tsunagu: {instance}: {_quarantined(settings, instance, report)}", file=sys.stderr)
    for words in _health(settings):
        print(f"tsunagu: {words}", file=sys.stderr)


def _quarantined(settings: Settings, instance: str, report: Any) -> str:
    count = sum(report.quarantined.values())
    query = QUARANTINE.format(catalog="file", instance=instance)
    rows = _rows(settings.raw_path, query, [list(report.quarantined), report.loads])
    shown = "; ".join(" ".join(str(row[0]).split()) for row in rows[: min(SHOWN, count)])
    more = f"; and {count - SHOWN} more" if count > SHOWN else ""
    return (
        f"{count:,} rows could not be read and were left out: {shown}{more}. All others were read. Correct them where they "
        f"come from and run again; raw_{instance}.quarantine keeps each as it was."
    )


def _health(settings: Settings) -> Iterator[str]:
    """The models' own table: the published file is an older one where the gate is closed."""
    for check, source, details in _rows(settings.models_path, HEALTH.format(catalog="file"), [list(REMEDIES)]):
        yield f"{source}: {details} {REMEDIES[check].format(maps=settings.maps_dir)}"


def _rows(path: Path, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """None where the file is not there, is held, or has no such table yet: then there is nothing to say."""
    if not path.exists():
        return []
    try:
        with duckdb.connect() as con:
            con.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as file (read_only)")
            return con.execute(query, parameters).fetchall()
    except (duckdb.IOException, duckdb.CatalogException):
        return []
