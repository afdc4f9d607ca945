"""The file that people read: the gate, the copy of schema `marts`, the swap.

Readers keep the file that they opened and new ones get the new file whole. Nothing but marts leaves the warehouse.
Freshness is computed here, with the clock that is handed in, because it is the one thing that passes while nothing
happens. Must not build models.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import health, model_state
from orchestration.health import HealthRow
from orchestration.model_state import Trouble
from orchestration.warehouse import (
    NoSpace,
    check_space,
    hold,
    is_out_of_space,
    memory_limit,
    open_file,
    raw_connection,
)

if TYPE_CHECKING:
    import duckdb

    from orchestration.settings import Settings

Clock = Callable[[], datetime]
STORAGE_VERSION = "v1.0.0"
"""Any DuckDB 1.x reads it (https://duckdb.org/docs/stable/internals/storage)."""
SCHEMA = "marts"


class GateClosed(Exception):
    """Not published, because an error-severity check or a model failed; the last good file stays."""

    def __init__(self, message: str, troubles: Sequence[Trouble], since: str | None) -> None:
        super().__init__(message)
        self.troubles = list(troubles)
        self.since = since


@dataclass(frozen=True)
class PublishReport:
    """What is at the published path now."""

    path: Path
    published_at: str
    as_of: str
    is_new: bool
    """False when nothing had changed and the file was left alone."""
    tables: Mapping[str, int] = field(default_factory=dict[str, int])
    size_bytes: int = 0
    seconds: float = 0.0

    def in_words(self) -> str:
        """One line for a person."""
        if not self.is_new:
            return f"unchanged since {self.published_at}"
        return f"{len(self.tables)} tables, {sum(self.tables.values()):,} rows, {self.size_bytes / 1e6:,.1f} MB"

    def metadata(self) -> dict[str, Any]:
        """For an asset's materialization."""
        return {
            "path": str(self.path),
            "published_at": self.published_at,
            "as_of": self.as_of,
            "is_new": self.is_new,
            "tables": len(self.tables),
            "dagster/row_count": sum(self.tables.values()),
            "size_bytes": self.size_bytes,
        }


@dataclass(frozen=True)
class Publication:
    """What `published.json` beside the file says of it; the same row is in the file, as about.publication."""

    published_at: str
    as_of: str
    through_seq: int
    code_version: str
    content: str
    """Hash of what the file was made of; equal means nothing to publish."""
    tables: dict[str, int] = field(default_factory=dict[str, int])


def publish(settings: Settings, clock: Clock) -> PublishReport:
    """Copy marts into a new file and put it in the place of the published one, unless nothing changed.

    Raises GateClosed, NoSpace or WarehouseHeld; in each case the file that is there stays as it is.
    """
    started = time.perf_counter()
    settings.published_path.parent.mkdir(parents=True, exist_ok=True)
    with hold(settings.lock_path, "publishing"):
        report = _publish(settings, clock())
    return replace(report, seconds=time.perf_counter() - started)


def last_publication(settings: Settings) -> Publication | None:
    """What stands at the published path, or None."""
    path = note_path(settings)
    if not path.exists() or not settings.published_path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    document.pop("held", None)
    return Publication(**document)


def note_path(settings: Settings) -> Path:
    return settings.published_path.with_name("published.json")


def _publish(settings: Settings, now: datetime) -> PublishReport:
    if not settings.models_path.exists():
        raise GateClosed("Not published: the models were never built. Run: tsunagu run", [], None)
    last = last_publication(settings)
    with raw_connection(settings, read_only=True) as raw:
        freshness = health.freshness(raw, [i.name for i in settings.instances], now)
    with open_file(settings.models_path, read_only=True) as con:
        _check_gate(con, settings, last)
        rows = [*freshness, *health.check_warnings(con, now)]
        wanted = _publication(con, settings, now, rows)
    if last is not None and last.content == wanted.content:
        _write_note(settings, last, held=None)
        return PublishReport(settings.published_path, last.published_at, last.as_of, is_new=False, tables=last.tables)
    _check_disk(settings)
    made = _copy(settings, wanted, rows)
    _write_note(settings, made, held=None)
    size = settings.published_path.stat().st_size
    return PublishReport(settings.published_path, made.published_at, made.as_of, True, made.tables, size)


def _check_gate(con: duckdb.DuckDBPyConnection, settings: Settings, last: Publication | None) -> None:
    troubles = model_state.troubles(con)
    if not troubles:
        return
    since = last.published_at if last else None
    stays = f"The file published at {since} stays." if since else "There is no published file yet."
    names = "; ".join(str(trouble) for trouble in troubles[:5])
    more = f"; and {len(troubles) - 5} more" if len(troubles) > 5 else ""
    if last is not None:
        _write_note(settings, last, held=[str(trouble) for trouble in troubles])
    raise GateClosed(f"Not published: {len(troubles)} failed: {names}{more}. {stays}", troubles, since)


def _publication(
    con: duckdb.DuckDBPyConnection, settings: Settings, now: datetime, rows: Sequence[HealthRow]
) -> Publication:
    from orchestration.transform import project_version

    row = con.execute("select as_of::varchar, through_seq from run.context").fetchone()
    as_of, through = (str(row[0]), int(row[1])) if row else ("", 0)
    tokens = con.execute(
        "select relation_name, data_token from run.model_state where relation_schema = ? order by all", [SCHEMA]
    ).fetchall()
    code = f"{_package_version()}+{project_version(settings.dbt_project_dir)}"
    content = _digest([code, tokens, [health.what_matters(row) for row in rows]])
    return Publication(_text(now), as_of, through, code, content)


def _check_disk(settings: Settings) -> None:
    """The new file and the old one stand side by side for a moment; the models' file is an upper bound of its size."""
    size = max(
        settings.models_path.stat().st_size,
        settings.published_path.stat().st_size if settings.published_path.exists() else 0,
    )
    check_space(settings.published_path.parent, 2 * size)


def _copy(settings: Settings, wanted: Publication, rows: Sequence[HealthRow]) -> Publication:
    import duckdb

    target = settings.published_path
    unfinished = target.with_name(f".{target.stem}.publishing.duckdb")
    _remove(unfinished)
    try:
        made = _write_file(settings, unfinished, wanted, rows)
        _sync(unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    except (duckdb.IOException, duckdb.FatalException, OSError) as problem:
        if not is_out_of_space(problem):
            raise
        raise NoSpace(
            f"The disk of {target.parent} filled up while publishing. Free some space and run: tsunagu publish. The last "
            "good file stays."
        ) from problem
    finally:
        _remove(unfinished)
    return made


def _write_file(settings: Settings, path: Path, wanted: Publication, rows: Sequence[HealthRow]) -> Publication:
    import duckdb

    con = duckdb.connect()
    try:
        con.execute(f"set TimeZone = 'UTC'; set memory_limit = '{memory_limit()}'")
        con.execute(f"attach '{_quoted(settings.models_path)}' as models (read_only)")
        con.execute(f"attach '{_quoted(path)}' as published (storage_version '{STORAGE_VERSION}')")
        con.execute(f"create schema published.{SCHEMA}")
        names = [
            str(name)
            for (name,) in con.execute(
                "select relation_name from models.run.model_state where relation_schema = ? order by 1", [SCHEMA]
            ).fetchall()
        ]
        for name in names:
            con.execute(f'create table published.{SCHEMA}."{name}" as from models.{SCHEMA}."{name}"')
        if health.TABLE in names:
            health.add_rows(con, f"published.{SCHEMA}.{health.TABLE}", rows)
        _comment(con, settings, names)
        made = replace(wanted, tables=_counts(con, names))
        _about(con, made)
        con.execute("checkpoint published")
        con.execute("detach published")
    finally:
        con.close()
    if path.with_name(path.name + ".wal").exists():
        raise OSError(f"{path}.wal was left behind: the file is not whole")
    return made


def _comment(con: duckdb.DuckDBPyConnection, settings: Settings, names: Sequence[str]) -> None:
    """Descriptions of dbt's YAML as comments of tables and columns: what a BI tool shows."""
    from orchestration.transform import manifest

    described = {
        node["alias"]: node
        for node in manifest(settings)["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == SCHEMA
    }
    for name in names:
        node = described.get(name)
        if node is None:
            continue
        place = f'published.{SCHEMA}."{name}"'
        if node["description"]:
            con.execute(f"comment on table {place} is {_literal(node['description'])}")
        present = {str(row[0]) for row in con.execute(f"describe {place}").fetchall()}
        for column, details in node["columns"].items():
            if details["description"] and column in present:
                con.execute(f'comment on column {place}."{column}" is {_literal(details["description"])}')


def _counts(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        row = con.execute(f'select count(*) from published.{SCHEMA}."{name}"').fetchone()
        counts[name] = int(row[0]) if row else 0
    return counts


def _about(con: duckdb.DuckDBPyConnection, made: Publication) -> None:
    con.execute("create schema published.about")
    con.execute(
        """create table published.about.publication as
        select $1::timestamp as published_at, $2::timestamp as as_of, $3::bigint as through_seq, $4 as code_version""",
        [made.published_at.rstrip("Z"), made.as_of, made.through_seq, made.code_version],
    )
    con.execute("comment on table published.about.publication is 'When this file was published, of which instant'")


def _write_note(settings: Settings, publication: Publication, held: Sequence[str] | None) -> None:
    """`published.json`, whole or not at all; `held` names what keeps a newer file back."""
    path = note_path(settings)
    document = {**asdict(publication), **({"held": list(held)} if held else {})}
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    unfinished.replace(path)


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _package_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tsunagu")
    except PackageNotFoundError:
        return "0"


def _text(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _literal(text: str) -> str:
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:20]
