"""A demo's home has its company's clock: its data do not grow stale while nobody runs the demo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from orchestration import health
from orchestration.definitions import _clock_of
from orchestration.settings import HOME_FILE, Settings, SettingsError
from orchestration.verbs.demo import Life, Sandbox, write_home
from orchestration.warehouse import Load, migrate, stamp_load

COMPANY_NOW = datetime(2026, 10, 30, 9, tzinfo=UTC)


def demo_home(folder: Path) -> Settings:
    line = {"company_now": COMPANY_NOW.isoformat(), "hubspot": {"base_url": "http://127.0.0.1:1", "token": "t"}}
    return write_home(folder, Life(7, "small"), Sandbox(cast(Any, None), line))


def test_the_demo_writes_its_companys_time_into_the_home_and_everything_after_reads_it(tmp_path: Path) -> None:
    demo_home(tmp_path)
    settings = Settings.load(tmp_path)
    assert settings.clock == COMPANY_NOW
    assert _clock_of(settings)() == COMPANY_NOW


def test_what_the_demo_loaded_is_fresh_by_its_own_clock_whenever_it_is_published(tmp_path: Path) -> None:
    clock = _clock_of(demo_home(tmp_path))
    with duckdb.connect() as raw:
        raw.execute("set TimeZone = 'UTC'")
        migrate(raw)
        stamp_load(raw, Load("1", "hubspot", "hubspot", {}), COMPANY_NOW)
        [row] = health.freshness(raw, ["hubspot"], clock())
        [later] = health.freshness(raw, ["hubspot"], COMPANY_NOW + timedelta(days=25))
    assert (row.status, later.status) == ("ok", "error")


def test_a_real_home_has_the_real_time(tmp_path: Path) -> None:
    (tmp_path / HOME_FILE).write_text('company = "Real"\n')
    settings = Settings.load(tmp_path)
    assert settings.clock is None
    assert abs(_clock_of(settings)() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clock = 2026-10-30T09:00:00Z\n", r"for a demo's home only.*Remove it"),
        ("demo = true\nclock = 2026-10-30T09:00:00\n", r"is no instant. Write it as 2026-10-30T09:00:00Z"),
        ('demo = true\nclock = "today"\n', r"clock = today is no instant"),
    ],
)
def test_a_clock_that_cannot_be_right_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / HOME_FILE).write_text(text)
    with pytest.raises(SettingsError, match=said):
        Settings.load(tmp_path)
