"""Real processes for fault tests: a sync that is killed, and a program that holds the warehouse's file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.faults.home import Home

ROOT = Path(__file__).resolve().parents[2]


def sync_process(home: Home, point: str | None = None, **config: Any) -> subprocess.Popen[str]:
    task = {"home": str(home.folder), "now": home.now.isoformat(), "point": point, "config": config}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.worker", json.dumps(task)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sync_to_the_end(home: Home) -> dict[str, Any]:
    process = sync_process(home)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program has the database open for writing."""
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "open"
    try:
        yield
    finally:
        process.kill()
        process.wait()  # the kernel has let go of its locks then
