"""Processes are killed at every joint of a sync and at random moments; the next sync loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.home import Home
from tests.faults.processes import sync_process, sync_to_the_end
from tests.faults.tool import START

POINTS = (
    "while extracting",
    "before the state was saved",
    "after extracting",
    "after normalizing",
    "amid the deletion of the extract",
    "before the first file was swapped",
    "after the first file was swapped",
    "after the tombstones were swapped in",
    "after all files were filtered",
    "after rows with a key were loaded",
    "after rows without a key were loaded",
    "after the counts were loaded",
    "after the load",
    "after the stamp",
)
IN_A_FIRST_SYNC = [point for point in POINTS if "swapped" not in point]  # it has nothing to swap


def change(home: Home, chance: random.Random, tag: str) -> None:
    """The company works on: new records, changed ones, deleted ones, some back to what they were."""
    at = home.later(minutes=10)
    for kind in ("Fed", "Swept"):
        live = sorted(home.store.live(kind))
        home.store.put_all(at, kind, [{"id": f"{tag}{i}", "name": tag} for i in range(chance.randint(1, 40))])
        for key in chance.sample(live, min(20, len(live))):
            home.store.put(at, kind, {"id": key, "name": chance.choice(("a", "b"))})
        for key in chance.sample(live, min(5, len(live))):  # several versions in one window, back to the first
            for second, name in enumerate(("a", "b", "a")):
                home.store.put(at + timedelta(seconds=second), kind, {"id": key, "name": name})
        home.store.put(at, kind, {"id": f"{tag}bad", "name": "bad", "amount": "much"})
        for key in chance.sample(live, min(5, len(live))):
            home.store.delete(at + timedelta(seconds=9), kind, key)
    home.later(minutes=10)


def begin(folder: Path, rows: int) -> Home:
    home = Home(folder)
    for kind in ("Fed", "Swept", "Whole"):
        home.store.put_all(START - timedelta(days=1), kind, [{"id": str(i), "name": "a"} for i in range(rows)])
    return home


@pytest.mark.parametrize(
    ("point", "first"),
    [pytest.param(point, False, id=f"{point}-in a later sync") for point in POINTS]
    + [pytest.param(point, True, id=f"{point}-in the first sync", marks=pytest.mark.slow) for point in IN_A_FIRST_SYNC],
)
def test_a_kill_at_a_joint_loses_nothing_and_doubles_nothing(tmp_path: Path, point: str, first: bool) -> None:
    chance = random.Random(f"{point}{first}")
    home = begin(tmp_path, 300)
    if not first:
        home.sync()
        change(home, chance, "before")
        home.later(hours=2)  # beyond the look-back, which would heal what a kill lost
        change(home, chance, "now")
    process = sync_process(home, point)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, errors
    change(home, chance, "after")
    home.sync()
    home.check()
    assert [path.name for path in home.pipelines_dir.glob("*/normalize/*/")] == ["extracted"], (
        "rows of a dead extraction"
    )
    change(home, chance, "later")
    home.sync()
    home.check()


def kill_at_random(folder: Path, kills: int) -> None:
    """So many syncs of a changed tool die at moments drawn over the time that such a sync takes; the seed is printed."""
    seed = int(os.environ.get("TSUNAGU_FAULT_SEED") or time.time())
    print(f"TSUNAGU_FAULT_SEED={seed}")
    chance = random.Random(seed)
    home = begin(folder, 2_000)
    sync_to_the_end(home)
    change(home, chance, "usual")
    began = time.monotonic()
    sync_to_the_end(home)
    usual = time.monotonic() - began
    killed = 0
    for number in range(3 * kills):  # a drawn moment may lie behind the end
        if killed == kills:
            break
        change(home, chance, f"r{number}x")
        home.later(hours=chance.choice((0, 2)))  # beyond the look-back nothing heals what a kill lost
        process = sync_process(home)
        moment = chance.uniform(0.3, 1.0) * usual
        time.sleep(moment)
        process.kill()
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), (seed, number, moment, errors)
        killed += process.returncode == -signal.SIGKILL  # one that had ended was not killed
        if number % 3 == 2:  # sometimes a run comes through between two deaths
            sync_to_the_end(home)
            home.check()
    change(home, chance, "end")
    sync_to_the_end(home)
    home.check()
    assert killed == kills, seed


@pytest.mark.soak
def test_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 3)


@pytest.mark.soak
def test_twenty_kills_at_random_moments_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    kill_at_random(tmp_path, 20)
