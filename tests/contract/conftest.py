"""The contract suite's subjects (every vendor folder), what becomes of a vendor's reasons, and the table at the end.

A test is a case; its name is the case's. A vendor that cannot have a case says why in `Vendor.cannot`: then the case must
fail, and counts as explained. A reason for a case that works makes it red, and so does one for a case that nobody knows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sources.http import Http
from tests.contract.cases import case_name, reason_of
from tests.contract.small_company import Records
from tests.contract.tools import Served, Tool, discovered, serving
from tests.contract.worlds import STEP, Worlds

CELL = "contract"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tool" in metafunc.fixturenames:
        metafunc.parametrize("tool", discovered(), ids=lambda tool: tool.name, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only `pytest -m soak tests/contract` runs the cases: they take four minutes of processor time."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "tool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.soak)


def case_of(item: pytest.Function) -> str:
    return case_name(item.originalname, [v for name, v in item.callspec.params.items() if name != "tool"])


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    tool = pyfuncitem.funcargs.get("tool")
    if not isinstance(tool, Tool):
        return (yield)
    case = case_of(pyfuncitem)
    reason = reason_of(tool.vendor, case)
    cell = [case, tool.name, "✗"]
    pyfuncitem.user_properties.append((CELL, cell))  # travels with the report, from another process too
    try:
        result = yield
    except Exception:
        if reason is None:
            raise
        cell[2] = reason
        return True
    assert reason is None, f"{case}: works for {tool.name}, which says that it cannot ({reason}); take the reason out"
    cell[2] = "✓"
    return result


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    cells = [
        value for report in reports if report.when == "call" for name, value in report.user_properties if name == CELL
    ]
    if cells:
        terminalreporter.section("contract: vendor and case")
        for line in lines_of(cells):
            terminalreporter.write_line(line)


def lines_of(cells: list[list[str]]) -> list[str]:
    """The table; a reason is a number, and is told in full beneath it."""
    table = {(case, name): shown for case, name, shown in cells}
    names = sorted({name for _, name in table})
    cases = list(dict.fromkeys(case for case, _ in table))
    width = max(map(len, cases))
    reasons: dict[str, int] = {}
    lines = [" " * width + "  " + "  ".join(names)]
    for case in cases:
        row = []
        for name in names:
            found = table.get((case, name), "")
            if found not in ("", "✓", "✗"):
                found = str(reasons.setdefault(found, len(reasons) + 1))
            row.append(f"{found:<{len(name)}}")
        lines.append(f"{case:<{width}}  " + "  ".join(row).rstrip())
    return lines + [f"{number}: {reason}" for reason, number in reasons.items()]


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


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with Worlds(tmp_path_factory.mktemp("worlds")) as found:
        yield found


@pytest.fixture
def living(tool: Tool, worlds: Worlds) -> Iterator[Served | None]:
    """A loaded tool in which every kind has changed since: one was born, one was changed, one was deleted. None where
    nothing can be served: the case fails then, which a reason may explain."""
    if not tool.has_sandbox:
        yield None
        return
    served = worlds.living(tool)
    served.later(**STEP)
    yield served
    served.behave()
