"""Fixtures of the HubSpot tests: the hand-made company, and both its portals served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.demo.company import Company
from tests.sources.hubspot.portal import Served, hand_made_company, serving


@pytest.fixture
def company() -> Company:
    return hand_made_company()


@pytest.fixture
def served(company: Company, tmp_path: Path) -> Iterator[Served]:
    with serving(company, tmp_path) as running:
        yield running
