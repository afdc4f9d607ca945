"""A real `tsunagu` process on a home of its own, for tests that look at what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

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
