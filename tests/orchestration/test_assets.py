"""What a step of the assets is given, with and without a daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.assets import RETRIES, Surroundings, source_assets
from orchestration.journal import Journal
from orchestration.settings import Instance, Settings


def around(*, is_attended: bool) -> Surroundings:
    settings = Settings(
        home=Path("/nowhere"), instances=(Instance("esales", "esales"), Instance("sf_jp", "salesforce"))
    )
    return Surroundings(settings, lambda: datetime(2026, 1, 1, tzinfo=UTC), Journal(), is_attended=is_attended)


@pytest.mark.parametrize(("is_attended", "pools"), [(True, [None, None]), (False, ["sync_esales", "sync_sf_jp"])])
def test_a_headless_run_waits_for_no_slot_of_a_pool(is_attended: bool, pools: list[str | None]) -> None:
    """A killed run keeps its slot; with no daemon to free it the next headless run waited for ever."""
    assert [each.op.pool for each in source_assets(around(is_attended=is_attended))] == pools


@pytest.mark.parametrize(("is_attended", "retries"), [(True, None), (False, RETRIES)])
def test_steps_are_tried_again_only_where_nobody_waits(is_attended: bool, retries: object) -> None:
    assert {each.op.retry_policy for each in source_assets(around(is_attended=is_attended))} == {retries}
