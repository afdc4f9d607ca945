"""Homes that a real `tsunagu` process made, shared by the tests that only look at them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration.verbs.demo import Life, Sandbox
from orchestration.warehouse import hold
from tests.end_to_end.homes import Connected, Ran, tsunagu

SEED = 11


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Ran:
    """The demo of one seed, run once for all test processes; tests must not change its home."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    home, note = shared / "demo" / "home", shared / "demo" / "ran.json"
    note.parent.mkdir(exist_ok=True)
    with hold(note.with_suffix(".lock"), "the demo of the tests", timeout=900):
        if not note.exists():
            ran = tsunagu(home, "demo", "--seed", str(SEED))
            note.write_text(json.dumps([ran.code, ran.stdout, ran.stderr, ran.seconds]), encoding="utf-8")
    ran = Ran(home, *json.loads(note.read_text(encoding="utf-8")))
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


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The tools of the demo's company on its first day, served until the tests end."""
    served = Sandbox.start(Life(SEED, "small"), 0, tmp_path_factory.mktemp("tools"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def company(demo: Ran, tools: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Connected:
    """A home with tools that answer, for the tests of one file; each leaves it as healthy as it was."""
    return Connected.copy_of(demo.home, tmp_path_factory.mktemp("company") / "home", Life(SEED, "small"), tools)
