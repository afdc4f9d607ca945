"""Homes for tests that look at what `tsunagu` did: run by a real process, or in this one where only the chain matters."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import requests

from orchestration.cli import main
from orchestration.settings import Settings
from orchestration.verbs.demo import Life, Sandbox, write_home
from sources.stream import load_vendor

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = Path(__file__).parent / "offline"


@dataclass(frozen=True)
class Ran:
    """One finished `tsunagu` process and the home that it worked on."""

    home: Path
    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def published(self) -> Path:
        return self.home / "published" / "tsunagu.duckdb"

    @property
    def truth(self) -> Path:
        return next((self.home / "sandbox").rglob("company.json")).parent

    @property
    def life(self) -> dict[str, object]:
        return json.loads((self.home / "demo.json").read_text(encoding="utf-8"))

    @property
    def outside_requests(self) -> str:
        log = self.home.parent / f"{self.home.name}.outside"
        return log.read_text(encoding="utf-8") if log.exists() else ""


def tsunagu(home: Path, *arguments: str, timeout: float = 600, **environment: str) -> Ran:
    """Run the command in a process of its own, from a foreign directory, without a way out of this machine."""
    env = {
        **os.environ,
        "TSUNAGU_HOME": str(home),
        "HOME": str(home.parent),
        "PYTHONPATH": str(OFFLINE),
        "OUTSIDE_REQUESTS": str(home.parent / f"{home.name}.outside"),
        **environment,
    }
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        cwd=home.parent,
        env={**env, "PYTHONPATH": f"{OFFLINE}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Ran(home, done.returncode, done.stdout, done.stderr, time.perf_counter() - started)


def here(home: Path, *arguments: str, now: datetime | None = None) -> Ran:
    """Run the command in this process, which spares some seconds of imports; `now` replaces the real clock."""
    out, err = io.StringIO(), io.StringIO()
    started = time.perf_counter()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {"TSUNAGU_HOME": str(home)}))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        if now is not None:
            stack.enter_context(patch("orchestration.definitions._real_clock", lambda: now))
        try:
            code = main(arguments)
        except SystemExit as end:  # the arguments' own refusal
            code = int(end.code or 0)
    return Ran(home, code, out.getvalue(), err.getvalue(), time.perf_counter() - started)


def limited(home: Path, size: int, *arguments: str, now: datetime) -> Ran:
    """The command in a process of its own that cannot make a file larger than `size` bytes."""
    task = (
        "import sys; from datetime import datetime; from pathlib import Path; from tests.end_to_end.homes import here\n"
        "ran = here(Path(sys.argv[1]), *sys.argv[3:], now=datetime.fromisoformat(sys.argv[2]))\n"
        "sys.stdout.write(ran.stdout); sys.stderr.write(ran.stderr); sys.exit(ran.code)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", task, str(home), now.isoformat(), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        timeout=300,
    )
    return Ran(home, done.returncode, done.stdout, done.stderr, time.perf_counter() - started)


@dataclass(frozen=True)
class Connected:
    """A home whose tools answer: copied from a demo's, with the addresses of a sandbox that is served now."""

    home: Path
    life: Life
    served: Sandbox

    @staticmethod
    def copy_of(model: Path, home: Path, life: Life, served: Sandbox) -> Connected:
        """The home in another place, with file drops of its own."""
        shutil.copytree(model, home, symlinks=True, ignore=shutil.ignore_patterns("sandbox"))
        connected = Connected(home, life, served)
        connected.deliver()
        connected.connect()
        return connected

    @property
    def settings(self) -> Settings:
        return Settings.load(self.home)

    @property
    def published(self) -> Path:
        return self.home / "published" / "tsunagu.duckdb"

    @property
    def drops(self) -> Path:
        return self.home / "exports"

    def days_later(self, days: int) -> Connected:
        """The same home after its company lived on: the tools show the new day, and new exports are delivered."""
        control = self.served.line["control"]["base_url"]
        answer = requests.post(f"{control}/_company/advance", json={"days": days}, timeout=60)
        answer.raise_for_status()
        later = Connected(self.home, self.life, Sandbox(self.served.child, answer.json()))
        later.deliver()
        later.connect()
        return later

    def deliver(self) -> None:
        """Put the files of the served company into this home's own folder."""
        shutil.copytree(self.served.line["files"]["esales"]["folder"], self.drops, dirs_exist_ok=True)

    def connect(self, **changes: Mapping[str, str]) -> None:
        """Write settings and secrets of all tools; `changes` are settings of an instance that shall differ."""
        line = copy.deepcopy(self.served.line)
        parts: dict[str, Any] = {**line, **line["files"]}
        for instance, options in {"esales": {"folder": str(self.drops)}, **changes}.items():
            parts[instance].update(options)
        write_home(self.home, self.life, Sandbox(self.served.child, line))

    def run(self, *sources: str) -> Ran:
        """`tsunagu run`, of all instances or of these, at the company's own time."""
        named = [word for source in sources for word in ("--source", source)]
        return self.command("run", *named)

    def command(self, *arguments: str) -> Ran:
        return here(self.home, *arguments, now=self.served.company_now)

    def edit(self, file: str, change: Callable[[list[dict[str, str]]], None]) -> None:
        """Change the rows of one exported file, as its people would in the tool before the next export."""
        path = self.drops / file
        with path.open(encoding="cp932", newline="") as lines:
            rows = list(csv.DictReader(lines))
        columns = list(rows[0])
        change(rows)
        with path.open("w", encoding="cp932", newline="") as lines:
            table = csv.DictWriter(lines, columns, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
            table.writeheader()
            table.writerows(rows)


def fetch(path: Path, query: str, parameters: object = None) -> list[tuple[Any, ...]]:
    """Rows of a query on a file that nobody writes to just now."""
    with duckdb.connect(str(path), read_only=True) as file:
        file.execute("set TimeZone = 'UTC'")
        return file.execute(query, parameters).fetchall()


def stream_tables(home: Path) -> list[tuple[str, str]]:
    """(schema, table) of the raw log; the vendors' counts, the quarantine and dlt's own tables hold no versions."""
    return fetch(
        home / "warehouse" / "raw.duckdb",
        "select schema_name, table_name from duckdb_tables() where schema_name like 'raw\\_%' escape '\\' "
        "and table_name not like '\\_dlt%' escape '\\' and table_name not in ('vendor_count', 'quarantine') order by all",
    )


def committed(schema: str, table: str) -> str:
    """Rows of committed loads only: a killed load leaves rows of a load that is not there."""
    return (
        f'(select v.*, l.seq as load_seq from "{schema}"."{table}" v join ledger.loads l '
        f"on l.load_id = v._dlt_load_id and l.source_system = '{schema.removeprefix('raw_')}')"
    )


def raw_versions(home: Path) -> dict[str, int]:
    """Stream table -> committed versions in the raw log."""
    tables = stream_tables(home)
    counts = ", ".join(f"(select count(*) from {committed(s, t)})" for s, t in tables)
    row = fetch(home / "warehouse" / "raw.duckdb", f"select {counts}")[0]
    return dict(zip((f"{s}.{t}" for s, t in tables), row, strict=True))


def repeated_versions(home: Path) -> dict[str, int]:
    """Stream table -> versions that equal the one before them of the same key; empty when nothing was doubled."""
    found: dict[str, int] = {}
    keys = {
        f"raw_{instance.name}.{stream.name}": stream.key
        for instance in Settings.load(home).instances
        for stream in load_vendor(instance.vendor).streams
    }
    for schema, table in stream_tables(home):
        key = ", ".join(keys.get(f"{schema}.{table}", ()))
        if not key:
            continue
        query = (
            f"select count(*) from (select _hash, lag(_hash) over (partition by {key} order by load_seq, _seq) as previous "
            f"from {committed(schema, table)}) where _hash = previous"
        )
        count = fetch(home / "warehouse" / "raw.duckdb", query)[0][0]
        if count:
            found[f"{schema}.{table}"] = count
    return found


def table_hashes(path: Path, leave_out: Mapping[str, str] = {}) -> dict[str, tuple[int, str]]:
    """Mart -> (rows, hash of all rows whatever their order); `leave_out`: mart -> columns that are not looked at."""
    found: dict[str, tuple[int, str]] = {}
    with duckdb.connect(str(path), read_only=True) as file:
        for (name,) in file.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall():
            rest = f"exclude ({leave_out[name]})" if name in leave_out else ""
            row = file.execute(
                f"select count(*), sum(hash(t)::hugeint)::varchar from (select * {rest} from marts.{name}) t"
            ).fetchone()
            assert row is not None
            found[name] = row
    return found
