"""dbt in this process: parsing only when the project changed, running a selection, and its results as plain rows.

dbt is imported inside functions (seconds). It keeps connections to both DuckDB files open after a run; they are closed
here, otherwise the next opening in this process fails. Must be called from the step's main thread.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner

    from orchestration.settings import Settings

GOOD = ("success", "pass", "warn")


class DbtFailed(Exception):
    """dbt could not start its work: the project does not parse or a file cannot be opened."""


@dataclass(frozen=True)
class NodeEvent:
    """One node began or ended. `status`: started, success, pass, warn, fail, error, skipped."""

    node: str
    kind: str
    status: str
    seconds: float = 0.0
    message: str = ""
    unique_id: str = ""

    @property
    def is_success(self) -> bool:
        return self.status in GOOD

    def in_words(self) -> str:
        """For a progress line."""
        if self.status == "started":
            return self.node
        return f"{self.node}: {self.status}" + (f" ({self.message})" if self.message and not self.is_success else "")


OnEvent = Callable[[NodeEvent], None]


@dataclass(frozen=True)
class NodeResult:
    """How one node of a selection came out."""

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    message: str
    failures: int = 0


@dataclass
class Dbt:
    """One home's dbt: `environment` and paths of one models file."""

    settings: Settings
    models_path: Path
    target_dir: Path
    on_event: OnEvent
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    _runner: dbtRunner | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _handle: Any = None
    """An extra handle on dbt's DuckDB while it runs: without it dbt opens both files anew for every node (with some
    300 nodes 24.5 instead of 17.5 CPU s)."""

    @property
    def manifest_path(self) -> Path:
        return self.target_dir / "manifest.json"

    def parse(self) -> None:
        """Parse the project unless the target folder holds the parse of exactly this project and environment."""
        wanted = self.fingerprint()
        note = self.target_dir / "parsed.txt"
        if self.manifest_path.exists() and note.exists() and note.read_text(encoding="utf-8") == wanted:
            return
        note.unlink(missing_ok=True)
        self._invoke_parse()
        note.write_text(wanted, encoding="utf-8")

    def manifest(self) -> dict[str, Any]:
        """dbt's manifest document of the project as it is now."""
        self.parse()
        return json.loads(self.manifest_path.read_bytes())

    def fingerprint(self) -> str:
        """Changes whenever a parse could come out differently."""
        shaping = [self.environment.get("TSUNAGU_INSTANCES"), self.settings.dbt_vars()]  # paths shape no manifest
        digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode())
        for path in project_files(self.settings.dbt_project_dir):
            name = path.relative_to(self.settings.dbt_project_dir).as_posix()
            digest.update(name.encode() + path.read_bytes())
        return digest.hexdigest()

    def build(
        self, wanted: Iterable[Sequence[str]], others: Iterable[Sequence[str]], *, full_refresh: bool
    ) -> list[NodeResult]:
        """Seeds, models and tests of these qualified names, in dbt's order. `others`: those of the project that stay as
        they are. Unit tests are for the test suite."""
        if self._runner is None:  # the manifest on disk is vouched for: a killed run must not leave half of one there
            self._invoke_parse("--no-write-json")
        arguments = ["build", "--select", *selectors(wanted, others), "--indirect-selection", "empty"]
        arguments += ["--exclude-resource-type", "unit_test", "--no-write-json"]
        result = self._invoke([*arguments, *(["--full-refresh"] if full_refresh else [])])
        if result.result is None or not hasattr(result.result, "results"):
            raise DbtFailed(f"The models could not be built: {_first_line(result.exception)}")
        results = [_result(row) for row in result.result.results]
        for hook in results:
            if hook.kind == "operation" and hook.status not in GOOD:
                raise DbtFailed(f"The models could not be built: {hook.name}: {hook.message}")
        return [row for row in results if row.kind != "operation"]

    def _invoke_parse(self, *options: str) -> None:
        """A parse in this process (partial when the project is known); its manifest serves every later selection."""
        from dbt.cli.main import dbtRunner

        parsed = self._invoke(["parse", *options], dbtRunner())
        if not parsed.success:
            raise DbtFailed(f"The dbt project cannot be read: {_first_line(parsed.exception)}")
        self._runner = dbtRunner(manifest=parsed.result, callbacks=[self._tell])

    def _invoke(self, arguments: Sequence[str], runner: dbtRunner | None = None) -> Any:
        chosen = runner or self._runner
        assert chosen is not None
        project = str(self.settings.dbt_project_dir)
        common = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(self.target_dir)]
        common += ["--vars", json.dumps(self.settings.dbt_vars())]
        quiet = ["--log-path", str(self.settings.logs_dir / "dbt"), "--log-level", "none", "--log-level-file", "info"]
        with _environment({**self.environment, "TSUNAGU_RUN_CONTEXT": "given"}):
            try:
                return chosen.invoke([*quiet, "--no-use-colors", *arguments, *common])
            finally:
                self._let_go()

    def _stay_open(self) -> None:
        with self._lock:  # dbt tells from its worker threads
            if self._handle is None:
                from dbt.adapters.duckdb.connections import DuckDBConnectionManager

                self._handle = DuckDBConnectionManager.env().handle()

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None
        close_connections()

    def _tell(self, event: Any) -> None:
        name = event.info.name
        if name not in ("SQLQueryStatus", "NodeStart", "NodeFinished"):
            return
        self._stay_open()
        if name == "SQLQueryStatus":
            return
        node = event.data.node_info
        if name == "NodeStart":
            self.on_event(NodeEvent(node.node_name, node.resource_type, "started", unique_id=node.unique_id))
            return
        result = event.data.run_result
        self.on_event(
            NodeEvent(
                node.node_name,
                node.resource_type,
                str(result.status),
                float(result.execution_time),
                _one_line(result.message),
                node.unique_id,
            )
        )


def selectors(wanted: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> list[str]:
    """What dbt is asked to select: a folder's name where all of its nodes are wanted. dbt compares each with every node."""
    kept = {tuple(name[:length]) for name in others for length in range(1, len(name) + 1)}
    shortest = (
        next((name[:length] for length in range(1, len(name)) if tuple(name[:length]) not in kept), name)
        for name in wanted
    )
    return list(dict.fromkeys(".".join(name) for name in shortest))


def project_files(folder: Path) -> Iterator[Path]:
    """Files of a dbt project that a parse reads."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".sql", ".yml", ".yaml", ".csv", ".md", ".py") and path.is_file():
            parts = path.relative_to(folder).parts
            if parts[0] not in ("target", "logs"):
                yield path


def close_connections() -> None:
    """Let go of both files; after an in-process run dbt otherwise keeps raw locked."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(values: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _result(row: Any) -> NodeResult:
    return NodeResult(
        unique_id=row.node.unique_id,
        name=row.node.name,
        kind=str(row.node.resource_type),
        status=str(row.status),
        seconds=float(row.execution_time or 0),
        message=_one_line(row.message),
        failures=int(row.failures or 0),
    )


def _one_line(message: object) -> str:
    return " ".join(str(message or "").split())[:400]


def _first_line(error: object) -> str:
    lines = [line for line in str(error or "no reason given").splitlines() if line.strip()]
    return " ".join(line.strip() for line in lines)[:600]
