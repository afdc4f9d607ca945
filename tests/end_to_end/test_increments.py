"""Increments end where a full refresh begins: after random changes of a living company every table is the same.

The changes are random but repeatable: TSUNAGU_INCREMENTS_SEED chooses others. What differs is named by table and row.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from orchestration.settings import Settings
from orchestration.syncs import sync
from orchestration.transform import build
from orchestration.verbs.demo import Life, Sandbox, write_home
from tests.end_to_end.company_life import KINDS, Kind, plan
from tests.end_to_end.conftest import SEED as COMPANY
from tests.end_to_end.homes import Ran, fetch, here
from tests.end_to_end.more_life import MAP_KINDS, TOOL_KINDS
from tests.end_to_end.written_loads import Difference, differences, open_log

SEED = int(os.environ.get("TSUNAGU_INCREMENTS_SEED") or 20286)
BUILT = ("maps", "canonical", "identity", "work", "marts")
"""Schemas of the models file, causes first. No column is left out: as-of is the same, and models read no clock."""

BOOKKEEPING = ("identity.changed_entities",)
"""What the last run changed, kept until all that reads it has succeeded: of the run, not of the data."""

EVERY_KIND: Sequence[Kind] = (*KINDS, *TOOL_KINDS, *MAP_KINDS)

COUNTED = ("no_difference_to_the_vendors_count_stands",)
"""Checks that know what the tools count: to the tools the invented changes are unknown."""


def models(home: Path) -> Path:
    return Settings.load(home).models_path


def live_through(home: Path, chance: Random, increments: int, known: Sequence[Kind] = EVERY_KIND) -> None:
    """Let the company live on: loads of several kinds of changes, then a normal build, so many times."""
    build(Settings.load(home))
    for kinds in plan(chance, increments, known):
        names = ", ".join(kind.__name__ for kind in kinds)
        print(f"changes: {names}")
        with open_log(home, chance) as log:
            for kind in kinds:
                before = log.written
                kind(log)
                assert log.written > before, kind.__name__
        report = build(Settings.load(home))
        failed = [str(trouble) for trouble in report.failed if trouble.name not in COUNTED]
        assert not failed, (names, failed)
        since, through = fetch(models(home), "select since_seq, through_seq from run.context")[0]
        assert 0 < since <= through, "the build was no increment"
        assert since < through or set(kinds) <= set(MAP_KINDS), "the build saw no load"


def live_on(home: Path, days: int) -> None:
    """Let the made-up company itself live on, and read all its tools."""
    life = Life(COMPANY, "small", days)
    served = Sandbox.start(life, 0, home)
    try:
        with patch.dict(os.environ):
            settings = write_home(home, life, served)
            settings.activate()
            for instance in settings.instances:
                report = sync(settings, instance.name, lambda: served.company_now)
                assert report.error() is None, report
    finally:
        served.stop()


def told(found: dict[str, Difference], seed: int) -> str:
    """What differs, the causes first."""
    lines = [f"TSUNAGU_INCREMENTS_SEED={seed}: {len(found)} tables differ between increments and a full refresh"]
    for schema in BUILT:
        for name, one in found.items():
            if name.startswith(f"{schema}."):
                lines += [f"{name}: {one.mine} rows only after increments, {one.theirs} only after a full refresh"]
                lines += [f"  {row}" for row in one.rows]
    return "\n  ".join(lines)


@pytest.mark.soak
def test_increments_of_every_kind_end_where_a_full_refresh_begins(demo_copy: Callable[[], Ran], tmp_path: Path) -> None:
    print(f"TSUNAGU_INCREMENTS_SEED={SEED}")
    ran = demo_copy()
    home, now = ran.home, datetime.fromisoformat(str(ran.life["now"]))
    live_through(home, Random(SEED), 2)
    published = here(home, "publish", now=now)
    assert published.code == 0, published.stderr
    after_increments = {path: tmp_path / f"{path.parent.name}.duckdb" for path in (models(home), ran.published)}
    for path, kept in after_increments.items():
        shutil.copy(path, kept)
    again = here(home, "publish", "--full-refresh", now=now)
    assert again.code == 0, again.stderr
    for path, schemas in ((models(home), BUILT), (ran.published, ("marts",))):
        found = differences(after_increments[path], path, schemas, BOOKKEEPING)
        assert not found, told(found, SEED)
    reasons = {why for (why,) in fetch(ran.published, "select distinct reason from marts.identity_history")}
    assert "split" in reasons and any(why.startswith("merge") for why in reasons)
    assert any("override" in why for why in reasons), reasons


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 3))
def test_twenty_random_increments_end_where_a_full_refresh_begins(
    demo_copy: Callable[[], Ran], tmp_path: Path, seed: int
) -> None:
    home, chance = demo_copy().home, Random(seed)
    live_through(home, chance, 10)
    live_on(home, 30)
    live_through(home, chance, 10)
    kept = tmp_path / "after_increments.duckdb"
    shutil.copy(models(home), kept)
    build(Settings.load(home), full_refresh=True)
    found = differences(kept, models(home), BUILT, BOOKKEEPING)
    assert not found, told(found, seed)
