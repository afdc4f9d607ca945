"""Fixtures of the Pipedrive tests: the small company, its account served, and a loader over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sources.demo.company import Company
from sources.demo.simulate import Simulation, simulate
from sources.pipedrive.sandbox.rest import AccountOptions
from tests.sources.pipedrive.account import Loader, Served, serving


@pytest.fixture(scope="session")
def simulation() -> Simulation:
    return simulate(7, "small")


@pytest.fixture
def company(simulation: Simulation) -> Company:
    """A company of the test's own, so that its clock may move."""
    return Company(7, "small", Simulation(tools=dict(simulation.tools), truth=dict(simulation.truth)))


@pytest.fixture
def options() -> AccountOptions:
    return AccountOptions()


@pytest.fixture
def served(company: Company, options: AccountOptions, tmp_path: Path) -> Iterator[Served]:
    with serving(company, tmp_path, options) as running:
        yield running


@pytest.fixture
def loader(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Loader(served, tmp_path)
