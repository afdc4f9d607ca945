"""A build killed at random moments: the next one ends where an undisturbed one ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.transform import build
from tests.orchestration.small_home import SmallSettings, account, load, person, rows, small_home

NUMBER = "7000012050002"
BUILD = """
import os, signal, sys
from pathlib import Path
from orchestration.settings import Instance
from orchestration.transform import build
from tests.orchestration.small_home import SmallSettings
import dbt.cli.main
import dbt.parser.manifest
def half(manifest, target_path, which=None):
    (Path(target_path) / "manifest.json").write_text('{"nodes": {"model')
    os.kill(os.getpid(), signal.SIGKILL)
if "die writing the manifest" in sys.argv:
    dbt.parser.manifest.write_manifest = half
print("ready", flush=True)
build(SmallSettings(home=Path(sys.argv[1]), instances=(Instance("shop", "shop"),)))
print("done", flush=True)
"""
COMPARED = (
    "marts.customers",
    "marts.ages",
    "identity.clusters",
    "identity.matches",
    "canonical.canonical_account",
    "canonical.canonical_person",
)
HISTORY = "select entity_type, old_entity_id, new_entity_id, reason, run_seq from ledger.identity_history order by all"


def _loads(settings: SmallSettings, day: int) -> None:
    numbers = [NUMBER, None]
    accounts = [account(n, f"Company {n} of {day}", numbers[(n + day) % 2], day=1 + n) for n in range(1, 6)]
    people = [person(n, f"山田 {n}郎", f"p{(n + day) % 3}@example.co.jp") for n in range(1, 4)]
    load(settings, day, account=accounts, person=people)


@pytest.mark.soak
def test_a_build_killed_at_random_moments_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("TSUNAGU_FAULT_SEED") or random.SystemRandom().randint(1, 10**6))
    print(f"TSUNAGU_FAULT_SEED={seed}")
    rng = random.Random(seed)
    killed, calm = small_home(tmp_path / "killed"), small_home(tmp_path / "calm")
    for settings in (killed, calm):
        _loads(settings, 0)
        build(settings)
    kills = 0
    for day in range(1, 6):
        _loads(killed, day)
        _loads(calm, day)
        began = time.monotonic()
        assert build(calm).failed == []
        kills += _killed_build(killed, rng.uniform(0.0, 0.8 * (time.monotonic() - began)))
        assert build(killed).failed == []
        for table in COMPARED:
            query = f"select * from {table} order by all"
            assert rows(killed, query) == rows(calm, query), f"{table} differs on day {day}, seed {seed}"
        assert rows(killed, HISTORY, killed.raw_path) == rows(calm, HISTORY, calm.raw_path), f"seed {seed}"
    assert kills >= 3, f"{kills} of 5 builds were killed before their end, seed {seed}"


def test_half_a_manifest_of_a_killed_run_is_never_read(tmp_path: Path) -> None:
    settings = small_home(tmp_path / "home")
    _loads(settings, 0)
    dead = _start(settings, "die writing the manifest")
    assert dead.wait(300) == -signal.SIGKILL, "a first build parses the project and writes the manifest"
    assert build(settings).failed == []
    _loads(settings, 1)
    alive = _start(settings, "die writing the manifest")
    assert alive.wait(300) == 0, "a later one leaves the manifest alone"
    assert build(settings).failed == []


def _killed_build(settings: SmallSettings, after: float) -> bool:
    process = _start(settings)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    told = process.communicate()[0]
    return process.returncode == -signal.SIGKILL and "done" not in told


def _start(settings: SmallSettings, *how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(settings.home), *how],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
