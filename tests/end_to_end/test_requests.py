"""No run takes more requests than the vendors' rules need, and their rate limits are used without being broken."""

from __future__ import annotations

import pytest

from sources.demo.company import build
from tests.bench.requests import GOAL, USED, counts, used_rates


@pytest.mark.soak
@pytest.mark.parametrize("seed", [5, 6])
def test_a_first_load_and_an_increment_take_hardly_more_requests_than_the_fewest(seed: int) -> None:
    for vendor, runs in counts(build(seed), 3, []).items():
        for name, one in runs.items():
            assert 1 <= one["ratio"] <= GOAL, (vendor, name, one)


def test_nine_tenths_of_each_rate_limit_are_used_and_nothing_is_refused() -> None:
    for name, one in used_rates().items():
        assert one["used"] >= USED and one["refused"] == 0, (name, one)
