"""People read the published file while it is refreshed: no error, one state at a time, and only published ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.verbs.demo import Life, Sandbox
from tests.end_to_end.conftest import SEED
from tests.end_to_end.homes import Connected, Ran
from tests.end_to_end.reader import Reader, state

pytestmark = pytest.mark.soak  # tests/orchestration/test_publish.py has a small home do the same


@pytest.fixture
def company(demo: Ran, tmp_path: Path) -> Iterator[Connected]:
    """A home whose company can live on."""
    served = Sandbox.start(Life(SEED, "small"), 0, tmp_path / "tools")
    try:
        yield Connected.copy_of(demo.home, tmp_path / "home", Life(SEED, "small"), served)
    finally:
        served.stop()


def test_readers_see_no_error_and_no_mixed_state_during_three_refreshes(company: Connected) -> None:
    published, files = [state(company.published)], [company.published.stat().st_ino]
    anew, kept = Reader(company.published), Reader(company.published, is_kept_open=True)
    try:
        for sources in (("salesforce",), ("hubspot_emea", "esales"), ("salesforce",)):
            company = company.days_later(2)
            ran = company.run(*sources)
            assert ran.code == 0, ran.stderr
            published.append(state(company.published))
            files.append(company.published.stat().st_ino)
    finally:
        seen, seen_by_kept = anew.end(), kept.end()
    assert len(set(published)) == 4
    assert all(one != other for one, other in pairwise(files)), (
        "a new file each time: nobody writes into one that is read"
    )
    assert seen.states == published, "every state in its order, and nothing between two of them"
    assert seen_by_kept.states == published[:1], "what is open stays as it was"
    assert seen.times > 20 and seen_by_kept.times > 20
