"""The contract suite's subjects (every vendor folder), what becomes of a vendor's reasons, and the table at the end.

A test is a case; its name is the case's. A vendor that cannot have a case says why in `Vendor.cannot`: then the case must
fail, and counts as explained. A reason for a case that works makes it red.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sources.http import Http
from tests.contract.small_company import Records
from tests.contract.tools import Served, Tool, discovered, serving

EVERY = "every case"
KEPT: pytest.StashKey[dict[tuple[str, str], str]] = pytest.StashKey()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tool" in metafunc.fixturenames:
        metafunc.parametrize("tool", discovered(), ids=lambda tool: tool.name, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only `pytest -m soak tests/contract` runs the suite for now: it takes more than ten minutes, and cases are missing."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.soak)


def case_of(item: pytest.Function) -> str:
    """The words of the test's name, and the kind of fault where it has several."""
    words = item.originalname.removeprefix("test_").replace("_", " ")
    fault = item.callspec.params.get("fault")
    return f"{words}: {fault}" if fault else words


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    tool = pyfuncitem.funcargs.get("tool")
    if not isinstance(tool, Tool):
        return (yield)
    case, table = case_of(pyfuncitem), pyfuncitem.config.stash.setdefault(KEPT, {})
    cannot = tool.vendor.cannot
    reason = cannot.get(case) or cannot.get(EVERY)
    table[case, tool.name] = "✗"
    try:
        result = yield
    except Exception:
        if reason is None:
            raise
        table[case, tool.name] = reason
        return True
    assert reason is None, f"{case}: works for {tool.name}, which says that it cannot ({reason}); take the reason out"
    table[case, tool.name] = "✓"
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    table = config.stash.get(KEPT, {})
    if not table:
        return
    names = sorted({name for _, name in table})
    cases = list(dict.fromkeys(case for case, _ in table))
    reasons: dict[str, int] = {}
    terminalreporter.section("contract: vendor and case")
    width = max(map(len, cases))
    terminalreporter.write_line(" " * width + "  " + "  ".join(names))
    for case in cases:
        cells = []
        for name in names:
            found = table.get((case, name), "")
            if found not in ("", "✓", "✗"):
                found = str(reasons.setdefault(found, len(reasons) + 1))
            cells.append(f"{found:<{len(name)}}")
        terminalreporter.write_line(f"{case:<{width}}  " + "  ".join(cells).rstrip())
    for reason, number in reasons.items():
        terminalreporter.write_line(f"{number}: {reason}")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that a source takes between attempts are noted, not taken."""
    taken: list[float] = []
    begin = Http.__init__

    def quick(self: Http, *args: Any, **more: Any) -> None:
        begin(self, *args, **{**more, "sleep": taken.append})

    monkeypatch.setattr(Http, "__init__", quick)
    return taken


class Serve:
    """Serves a tool with records until the test ends."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder, self._times = stack, folder, 0

    def __call__(self, tool: Tool, records: Records) -> Served:
        self._times += 1
        return self._stack.enter_context(serving(tool, records, self._folder / str(self._times)))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:
        yield Serve(stack, tmp_path)
