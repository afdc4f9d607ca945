"""Homes that a real `tsunagu` process made, shared by the tests that only look at them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.homes import Ran, tsunagu


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The demo of one seed, run once; tests must not change its home."""
    ran = tsunagu(tmp_path_factory.mktemp("demo") / "home", "demo", "--seed", "11")
    assert ran.code == 0, ran.stdout + ran.stderr
    return ran


@pytest.fixture
def demo_copy(demo: Ran, tmp_path: Path) -> Callable[[], Ran]:
    """A home of one's own, copied from the demo's: tests may run and break it."""

    def copy() -> Ran:
        home = tmp_path / "home"
        shutil.copytree(demo.home, home, symlinks=True)
        return Ran(home, demo.code, demo.stdout, demo.stderr, demo.seconds)

    return copy
