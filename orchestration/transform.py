"""The models: dbt in two selections around identity, under the warehouse's lock, skipping what did not change.

The order is all that is here; what must be built is decided in `lineage`, how dbt runs in `dbt_runs`. It writes the
disposable file only, except for rows of ledgers (identity's history, maps). No clock but for the seconds it reports.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import maps, model_state
from orchestration.dbt_runs import Dbt, NodeEvent, NodeResult, OnEvent, project_files
from orchestration.facts import Instant, count_history, instant, read_facts
from orchestration.identity import Summary, clear_changed, content_of, ensure_tables, overrides, resolve
from orchestration.identity.resolve import rules_version
from orchestration.identity.tables import ENTITIES
from orchestration.lineage import IDENTITY, MODELS, Facts, Lineage, Plan, plan
from orchestration.model_state import Trouble
from orchestration.warehouse import check_space, hold, memory_limit, migrate, open_file, raw_connection

if TYPE_CHECKING:
    import duckdb

    from orchestration.settings import Settings

Step = Callable[["duckdb.DuckDBPyConnection"], None]
IDENTITY_EVENTS = ("keys", "matches", "clusters", "changed_entities")
IDENTITY_READS = tuple(
    dict.fromkeys(
        [entity.table for entity in ENTITIES.values()]
        + [table for entity in ENTITIES.values() for table, _ in entity.dependents]
        + ["canonical_record_link", overrides.TABLE]
    )
)


@dataclass
class BuildReport:
    """What a build did. `failed` and `warnings` say what stands now, also from checks that did not run again."""

    as_of: str = ""
    through_seq: int = 0
    models_path: Path = Path()
    models_run: list[str] = field(default_factory=list[str])
    models_skipped: list[str] = field(default_factory=list[str])
    """Left as they were, because nothing that they depend on changed."""
    checks_run: int = 0
    failed: list[Trouble] = field(default_factory=list[Trouble])
    warnings: list[Trouble] = field(default_factory=list[Trouble])
    identity: Summary | None = None
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds of parse, plan, before, identity and after."""

    @property
    def is_unchanged(self) -> bool:
        return not self.models_run and not self.checks_run and self.identity is None

    def in_words(self) -> str:
        """One line for a person."""
        words = [f"{len(self.models_run)} models built", f"{len(self.models_skipped)} unchanged"]
        if self.failed:
            words.append(f"{len(self.failed)} failed: {'; '.join(str(trouble) for trouble in self.failed[:3])}")
        if self.warnings:
            words.append(f"{len(self.warnings)} warnings")
        return ", ".join(words)


def build(
    settings: Settings,
    *,
    as_of: datetime | None = None,
    full_refresh: bool = False,
    on_event: OnEvent | None = None,
    clock: Callable[[], datetime] | None = None,
) -> BuildReport:
    """Bring the models up to the loads in raw, or rebuild a past instant into a file of its own.

    `as_of` builds `warehouse/past/<instant>/tsunagu.duckdb` from nothing, with the loads committed by then; the models
    of today are not touched. `full_refresh` forgets every incremental table. A model that fails stops what depends on
    it; the report says which. `clock` says when a company's map was read (without one, at as-of). Raises WarehouseHeld,
    NoSpace, DbtFailed, or SettingsError for a map that cannot be right: nothing is built then.
    """
    started = time.perf_counter()
    run = _Build(settings, as_of, full_refresh=full_refresh, on_event=on_event or _ignore, clock=clock)
    settings.make_folders()
    with hold(settings.lock_path, "the models"):
        report = run.go()
    report.seconds = time.perf_counter() - started
    return report


def manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of the project for this home, parsed anew only when project or settings changed."""
    settings.make_folders()
    return _Build(settings, None, full_refresh=False, on_event=_ignore).dbt.manifest()


def past_path(settings: Settings, as_of: datetime) -> Path:
    """Where the models of a past instant are built; the stem stays, compiled SQL carries the catalog's name."""
    moment = as_of if as_of.tzinfo else as_of.replace(tzinfo=UTC)
    return settings.models_path.parent / "past" / f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" / settings.models_path.name


def _ignore(event: NodeEvent) -> None:
    """Nobody watches."""


def _nothing(con: duckdb.DuckDBPyConnection) -> None:
    """No step."""


class _Build:
    """One build; `go` takes its steps in order."""

    def __init__(
        self,
        settings: Settings,
        as_of: datetime | None,
        *,
        full_refresh: bool,
        on_event: OnEvent,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.as_of = as_of
        self.full_refresh = full_refresh
        self.tell = on_event
        self.models_path = settings.models_path if as_of is None else past_path(settings, as_of)
        # A past day has a target folder of its own: its file is named in the profile, and dbt would parse again.
        target = settings.dbt_target_dir if as_of is None else settings.dbt_target_dir / "past"
        self.dbt = Dbt(settings, self.models_path, target, self._on_event, self._environment())
        self.report = BuildReport(models_path=self.models_path)

    def go(self) -> BuildReport:
        with self._part("parse"):
            document = self.dbt.manifest()
        with self._part("plan"):
            self._make_room()
            now, facts = self._facts()
            self.report.as_of, self.report.through_seq = now.as_of, now.through_seq
            lineage = Lineage(document, replace(facts, identity_content=self._content()))
            steps = self._plan(lineage)
        self.report.models_skipped = [lineage.nodes[u]["name"] for u in steps.skipped]
        if steps.is_empty or not self._before(lineage, now, steps):
            return self._close()
        lineage = self._identity(document, lineage, steps)
        self._after(lineage, now, steps)
        built = {*steps.anew, *steps.before, *steps.after}
        self.report.models_skipped = [
            node["name"] for u, node in lineage.nodes.items() if node["resource_type"] in MODELS and u not in built
        ]
        return self._close()

    # steps ---------------------------------------------------------------------------------------------------------
    def _plan(self, lineage: Lineage) -> Plan:
        with self._models() as con:
            model_state.ensure(con)
            ensure_tables(con)
            model_state.keep_only(con, [*lineage.nodes, IDENTITY])
            return plan(lineage, model_state.tokens(con), model_state.relations(con), full_refresh=self.full_refresh)

    def _before(self, lineage: Lineage, now: Instant, steps: Plan) -> bool:
        """Seeds, staging, canonical. False when something failed: identity and marts then stay as they were.

        Tables that another code or map makes anew come first, with every load; the others then take in the new loads.
        """

        def every_load(con: duckdb.DuckDBPyConnection) -> None:
            model_state.write_context(con, now.as_of, 0, now.through_seq)

        def first(con: duckdb.DuckDBPyConnection) -> None:
            since = 0 if steps.fresh_before else min(model_state.through_seq(con), now.through_seq)
            model_state.write_context(con, now.as_of, since, now.through_seq)

        def then(con: duckdb.DuckDBPyConnection) -> None:
            model_state.write_built(con, now.as_of, now.through_seq)

        with self._part("before"):
            if steps.anew and not self._run(lineage, now, steps.anew, every_load, _nothing, full_refresh=True):
                return False
            return self._run(lineage, now, steps.before, first, then, full_refresh=steps.fresh_before)

    def _identity(self, document: Mapping[str, Any], lineage: Lineage, steps: Plan) -> Lineage:
        """Run identity when its inputs changed. What it found is an input of marts: they are planned anew after it."""
        if not steps.resolve:
            return lineage
        started = time.perf_counter()
        self.tell(NodeEvent("identity", "identity", "started", unique_id=f"{IDENTITY}.clusters"))
        with self._part("identity"), self._models() as con:
            con.execute(
                f"attach '{_quoted(self.settings.raw_path)}' as raw {'' if self.as_of is None else '(read_only)'}"
            )
            full = self.full_refresh or self.as_of is not None
            self.report.identity = resolve(con, full=full, raw="raw" if self.as_of is None else None)
            token = lineage.token(IDENTITY)
            _record_identity(con, token.code, token.data, lineage.facts.as_of)
            history_rows = count_history(con, "raw.", lineage.facts.through_seq)
            content = content_of(con)
        seconds = time.perf_counter() - started
        for table in IDENTITY_EVENTS:
            self.tell(NodeEvent(table, "identity", "success", seconds, unique_id=f"{IDENTITY}.{table}"))
        renewed = Lineage(document, replace(lineage.facts, history_rows=history_rows, identity_content=content))
        steps.after = self._plan(renewed).after
        return renewed

    def _after(self, lineage: Lineage, now: Instant, steps: Plan) -> None:
        with self._part("after"):
            self._run(lineage, now, steps.after, _nothing, clear_changed, full_refresh=steps.fresh_after)

    def _run(
        self, lineage: Lineage, now: Instant, unique_ids: Sequence[str], first: Step, then: Step, *, full_refresh: bool
    ) -> bool:
        """Build a selection and record what came of it: `first` before it, `then` if all of it succeeded, which is
        returned. They share its connections, because each opening of the file costs as much as a model."""
        models = [u for u in unique_ids if lineage.nodes[u]["resource_type"] in MODELS]
        with self._models() as con:
            first(con)
            if not unique_ids:
                then(con)
                return True
            model_state.doubt(con, models, is_fresh=full_refresh)
        chosen = set(unique_ids)
        results = self.dbt.build(
            (lineage.nodes[u]["fqn"] for u in unique_ids),
            (node["fqn"] for u, node in lineage.nodes.items() if u not in chosen),
            full_refresh=full_refresh,
        )
        good = all(result.status in ("success", "pass", "warn") for result in results)
        with self._models() as con:
            _record(con, lineage, results, now.as_of, is_fresh=full_refresh)
            if good:
                then(con)
        done = {result.unique_id: result for result in results}
        self.report.models_run += [done[u].name for u in models if u in done and done[u].status == "success"]
        self.report.checks_run += sum(result.kind == "test" for result in results)
        return good

    def _close(self) -> BuildReport:
        with self._models() as con:
            self.report.failed = model_state.troubles(con)
            self.report.warnings = model_state.troubles(con, ("warn",))
        return self.report

    # what the steps stand on ---------------------------------------------------------------------------------------
    def _facts(self) -> tuple[Instant, Facts]:
        with raw_connection(self.settings) as raw:
            migrate(raw)
            now = instant(raw, self.as_of)
            if self.as_of is None:
                seeds = self.settings.dbt_project_dir / "seeds"
                maps.record(raw, self.settings.maps_dir, seeds, self._read_at() or now.as_of, now.as_of)
            facts = read_facts(
                raw,
                now,
                self._folders(),
                timezone=self.settings.timezone,
                environment=_digest([self._instances(), self.settings.dbt_vars()]),
                identity_rules=rules_version(),
                identity_reads=IDENTITY_READS,
            )
        return now, facts

    def _content(self) -> str:
        with self._models() as con:
            ensure_tables(con)
            return content_of(con)

    def _read_at(self) -> str | None:
        return self.clock().astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ") if self.clock else None

    def _make_room(self) -> None:
        """A full disk is said before the work, not in the middle of it."""
        self.models_path.parent.mkdir(parents=True, exist_ok=True)
        if self.as_of is not None:  # a past day is built from nothing
            for leftover in self.models_path.parent.glob(f"{self.models_path.name}*"):
                leftover.unlink()
        size = self.models_path.stat().st_size if self.models_path.exists() else 0
        check_space(self.models_path, size)

    @contextmanager
    def _models(self) -> Generator[duckdb.DuckDBPyConnection]:
        with open_file(self.models_path) as con:
            yield con

    @contextmanager
    def _part(self, name: str) -> Generator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.report.parts[name] = self.report.parts.get(name, 0.0) + time.perf_counter() - started

    def _on_event(self, event: NodeEvent) -> None:
        self.tell(event)

    def _instances(self) -> list[dict[str, str]]:
        return json.loads(self.settings.export()["TSUNAGU_INSTANCES"])

    def _folders(self) -> dict[str, list[str]]:
        folders: dict[str, list[str]] = {}
        for entry in self._instances():
            folders.setdefault(entry["staging"], []).append(entry["name"])
        return folders

    def _environment(self) -> dict[str, str]:
        exported = self.settings.export()
        wanted = {name: value for name, value in exported.items() if name.startswith(("TSUNAGU_", "DBT_", "DO_NOT_"))}
        return {**wanted, "TSUNAGU_MODELS_PATH": str(self.models_path), "TSUNAGU_MEMORY_LIMIT": memory_limit()}


def _record(
    con: duckdb.DuckDBPyConnection, lineage: Lineage, results: Sequence[NodeResult], as_of: str, *, is_fresh: bool
) -> None:
    for result in results:
        node, token = lineage.nodes[result.unique_id], lineage.token(result.unique_id)
        if result.kind == "test":
            con.execute("delete from run.check_state where unique_id = ?", [result.unique_id])
            con.execute(
                "insert into run.check_state values (?, ?, ?, ?, ?, ?, ?::timestamp)",
                [result.unique_id, result.name, result.status, result.failures, _why(node, result), token.data, as_of],
            )
        else:
            con.execute("delete from run.model_state where unique_id = ?", [result.unique_id])
            stands = result.status == "success"
            code = token.code if stands or not is_fresh else ""
            place = [node["schema"], node["alias"], code, token.data if stands else ""]
            con.execute(
                "insert into run.model_state values (?, ?, ?, ?, ?, ?, ?, ?, ?::timestamp)",
                [result.unique_id, *place, result.status, result.message, result.seconds, as_of],
            )


def _record_identity(con: duckdb.DuckDBPyConnection, code: str, data: str, as_of: str) -> None:
    con.execute("delete from run.model_state where unique_id = ?", [IDENTITY])
    con.execute(
        "insert into run.model_state values (?, 'identity', 'clusters', ?, ?, 'success', '', 0, ?::timestamp)",
        [IDENTITY, code, data, as_of],
    )


def _why(node: Mapping[str, Any], result: NodeResult) -> str:
    """A check's result in one plain line: what it asks for, and how many rows break it."""
    if result.status == "pass":
        return ""
    if result.status not in ("fail", "warn"):
        return result.message
    meaning = " ".join(str(node.get("description") or "").split())
    return f"{result.failures:,} rows" + (f" ({meaning})" if meaning else "")


def project_version(folder: Path) -> str:
    """A short hash of the models' code."""
    digest = hashlib.sha256()
    for path in project_files(folder):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]
