"""Served tools that live through a whole session: a first load and a company cost more than most cases.

`living` is a tool in which something happens in every step; each wire case takes a step. `story` is a tool whose records
are told about in several cases, read four times. A world that a case left unsound is not used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from tests.contract.fields import WORDS
from tests.contract.layers import listening
from tests.contract.small_company import NOW, Records
from tests.contract.tools import Served, Tool, serving

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SWEPT = timedelta(days=14, hours=1)
"""The longest that a vendor leaves between two listings of everything."""
STEP: Mapping[str, float] = {"days": 14, "hours": 1}
STEPS = 30


class Worlds:
    """One of each per tool, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._times = folder, 0
        self._stack = ExitStack()
        self._living: dict[str, tuple[Served, ExitStack]] = {}
        self._stories: dict[str, Story | Exception] = {}

    def __enter__(self) -> Worlds:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._stack.close()

    def _serve(self, tool: Tool, records: Records, stack: ExitStack) -> Served:
        self._times += 1
        return stack.enter_context(serving(tool, records, self._folder / str(self._times)))

    def living(self, tool: Tool) -> Served:
        """The tool as the last case left it, sound and with steps left; else a new one."""
        served, stack = self._living.get(tool.name, (None, None))
        if served is not None and stack is not None:
            if served.is_sound and served.now < NOW + (STEPS - 1) * SWEPT:
                return served
            stack.close()
        own = self._stack.enter_context(ExitStack())
        served = self._serve(tool, _life(tool), own)
        self._living[tool.name] = served, own
        if served.app is not None:
            served.lay(listening(served.answers))
        served.sync()
        served.behave()
        served.has_landed()
        return served

    def story(self, tool: Tool) -> Story:
        """The told story; what went wrong with it is raised in every case of it."""
        if tool.name not in self._stories:
            with ExitStack() as stack:
                try:
                    self._stories[tool.name] = _told(tool, lambda records: self._serve(tool, records, stack))
                except Exception as problem:  # noqa: BLE001  it is each case's own trouble
                    self._stories[tool.name] = problem
        found = self._stories[tool.name]
        if isinstance(found, Exception):
            raise found
        return found


def _life(tool: Tool) -> Records:
    """Of every kind one that changes in every step, one that is born in every step, and lives for three."""
    records = tool.records()
    for kind in tool.kinds:
        words = WORDS[kind.table]
        changing, *_ = records.add(kind, times=3, **words)
        for step in range(STEPS):
            at = NOW + step * SWEPT + HOUR
            records.change(changing, at)
            (born,) = records.add(kind, at, **words)
            records.delete(born, at + 3 * SWEPT)
    return records


TEXTS: Mapping[str, str] = {
    "emoji": "\N{GRINNING FACE} \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} \N{REGIONAL INDICATOR SYMBOL LETTER J}",
    "4-byte kanji": "\U00020bb7野家 \U00029e3d \U0002000b",
    "quotes and separators": "a \"b\", 'c'; d\\e\tf|g",
    "line ends": "first\nsecond\r\nthird",
    "a megabyte": "long and longer, " * 61_000 + "end",
}


@dataclass
class Story:
    """What became of the records of each case: at the third and the fourth reading, what was wrong with which."""

    numbers: dict[str, list[int]]
    wrong: tuple[dict[int, str], dict[int, str]]

    def check(self, case: str) -> None:
        """Nothing was wrong with the records of this case."""
        mine = set(self.numbers[case])
        for reading, wrong in enumerate(self.wrong, 3):
            found = {number: what for number, what in wrong.items() if number in mine}
            assert not found, f"after reading {reading}: {found}"


def _told(tool: Tool, serve: object) -> Story:
    records = tool.records()
    numbers: dict[str, list[int]] = {}
    for name, merges in (("delete", 0), ("merge", 1), ("chain", 2)):
        numbers[name] = _gone(tool, records, merges)
    numbers["undelete"] = []
    for kind in tool.kinds:
        one, other = records.add(kind, times=2)
        records.delete(one, NOW + HOUR)
        records.change(one, NOW + DAY + SWEPT + 2 * HOUR, is_deleted=False)
        numbers["undelete"] += [one, other]
    for name, text in TEXTS.items():
        numbers[name] = [records.add_text(kind, text) for kind in tool.kinds]
    served: Served = serve(records)  # type: ignore[operator]
    served.sync()
    served.later(days=1)
    served.sync()
    served.later(**STEP)
    served.sync()
    third = served.wrong()
    served.later(days=1)
    served.sync()
    return Story(numbers, (third, served.wrong()))


def _gone(tool: Tool, records: Records, merges: int) -> list[int]:
    """One is gone before the first load and one after it, each by so many merges, or by a deletion."""
    found: list[int] = []
    for at in (NOW - DAY, NOW + HOUR):
        for kind in tool.kinds:
            chain = records.add(kind, times=merges + 2)
            found += chain
            if not merges:
                records.delete(chain[0], at)
            for place in range(merges):
                records.delete(chain[place], at + place * HOUR, into=chain[place + 1])
    return found
