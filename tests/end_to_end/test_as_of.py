"""A day rebuilt later has the marts that were published on it, whatever was loaded, merged, deleted or mapped since.

Left out: `data_health`, which tells of the reading itself, and `history_basis`, because what was assumed on the day may be
known by now.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from orchestration.settings import Settings
from orchestration.transform import build
from tests.end_to_end.company_life import Kind, change_of_owner, delete, late_load, merge, new_keys, split, undelete
from tests.end_to_end.homes import Ran, fetch
from tests.end_to_end.more_life import kintone_delete, map_edit, marketo_merge, override_added, override_removed
from tests.end_to_end.test_increments import COUNTED, live_on
from tests.end_to_end.written_loads import differences, open_log

LEFT_OUT = ("marts.data_health",)
WITHOUT = ("history_basis",)
DAYS: Sequence[Sequence[Kind]] = (
    (merge, map_edit),
    (delete, override_added, marketo_merge),
    (split, kintone_delete, new_keys),
    (undelete, override_removed, map_edit),
    (late_load, change_of_owner, merge),
)
"""What happens on each of five days, beside the made-up company's own life."""


def live_a_day(home: Path, number: int, kinds: Sequence[Kind], chance: Random) -> datetime:
    """The company lives two days on, its tools are read, and these changes are loaded. Returns the newest load's time."""
    live_on(home, 2 * number)
    with open_log(home, chance) as log:
        for kind in kinds:
            kind(log)
        return log.now


def built(home: Path, now: datetime, kept: Path) -> datetime:
    """Build as publishing does, and keep the file whose marts it copies. The build's as-of."""
    report = build(Settings.load(home), clock=lambda: now)
    failed = [str(trouble) for trouble in report.failed if trouble.name not in COUNTED]
    assert not failed, failed
    shutil.copy(report.models_path, kept)
    (as_of,) = fetch(kept, "select as_of from run.context")[0]
    return as_of.replace(tzinfo=UTC)


@pytest.mark.soak
def test_five_days_rebuilt_later_are_what_was_built_on_them(demo_copy: Callable[[], Ran], tmp_path: Path) -> None:
    ran, chance = demo_copy(), Random(5)
    home, now = ran.home, datetime.fromisoformat(str(ran.life["now"]))
    kept = {built(home, now, tmp_path / "day0.duckdb"): tmp_path / "day0.duckdb"}
    for number, kinds in enumerate(DAYS, 1):
        now = live_a_day(home, number, kinds, chance)
        copy = tmp_path / f"day{number}.duckdb"
        kept[built(home, now, copy)] = copy
    assert len(kept) == len(DAYS) + 1
    raw = home / "warehouse" / "raw.duckdb"
    commits = [row[0] for row in fetch(raw, "select committed_at from ledger.loads order by seq")]
    assert commits == sorted(commits), "the test's own loads are out of order"
    found: dict[str, object] = {}
    for as_of, copy in kept.items():
        past = build(Settings.load(home), as_of=as_of)
        different = differences(copy, past.models_path, ("marts",), LEFT_OUT, WITHOUT)
        found |= {f"{copy.stem} {name}": one for name, one in different.items()}
        shutil.rmtree(past.models_path.parent)
    assert not found, "\n".join(f"{name}: {one}" for name, one in found.items())
