"""Fixtures: the hand-made company's sandbox, as it is or with switches of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from sources.demo.company import Company
from sources.demo.mounting import SandboxOptions
from sources.demo.simulate import Simulation
from sources.salesforce.sandbox import mount
from sources.salesforce.sandbox.auth import OrgOptions
from tests.sources.salesforce.hand_made import NOW, Rows, company_rows
from tests.sources.salesforce.serving import Sandbox, serve

MakeSandbox = Callable[..., Sandbox]


def _maker(stack: ExitStack, folder: Path) -> MakeSandbox:
    def make(rows: Rows | None = None, token_life_seconds: float = 7200, **switches: Any) -> Sandbox:
        company = Company(0, "small", Simulation((rows or company_rows()).arrow(), {}))
        assert company.now == NOW.replace(tzinfo=UTC)
        options = SandboxOptions(lambda: company.now, folder, token_life_seconds)
        mounted = mount(company, ["salesforce"], options, OrgOptions(**switches))
        base_url, log = stack.enter_context(serve(mounted.apps["salesforce"]))
        return Sandbox(base_url, mounted.describe({"salesforce": base_url}), company, log)

    return make


@pytest.fixture
def make_sandbox(tmp_path: Path) -> Iterator[MakeSandbox]:
    """Makes a sandbox of the hand-written company; switches of the org as keywords."""
    with ExitStack() as stack:
        yield _maker(stack, tmp_path)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests that only read: whoever moves its clock makes one of his own."""
    with ExitStack() as stack:
        yield _maker(stack, tmp_path_factory.mktemp("sandbox"))()


@pytest.fixture
def moving_sandbox(make_sandbox: MakeSandbox) -> Sandbox:
    """A sandbox whose clock a test may move."""
    return make_sandbox()
