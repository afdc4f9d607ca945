"""`tsunagu` in a process group of its own, at the company's time, that writes down what it is doing; tests kill it there.

    python -m tests.end_to_end.run_to_kill HOME NOW NOTES ARGUMENT...

is the command itself: only the clock is the company's, and each part of the run leaves a line in NOTES when it begins and
when it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from tests.end_to_end.homes import OFFLINE, ROOT

USUAL: Mapping[str, float] = {
    "prepare": 0.5,
    "extract": 1.0,
    "normalize": 0.1,
    "drop_unchanged": 0.3,
    "load": 0.5,
    "plan": 0.3,
    "before": 4.0,
    "identity": 0.4,
    "after": 3.5,
    "publish": 0.6,
}
"""Part of a run -> its usual seconds, once a source for the first five but `prepare`. A moment beyond a part's end hits
what follows; `measured` gives those of a run on this machine."""
OF_EACH_SOURCE = ("extract", "normalize", "drop_unchanged", "load")
WHOLE = "run"


@dataclass(frozen=True)
class Moment:
    """When to kill: so far into a part (a share of its usual time), at the nth source."""

    part: str
    share: float
    turn: int = 1

    def earlier(self) -> Moment:
        """For when the run had ended before this one."""
        return replace(self, share=round(self.share / 4, 3), turn=1)

    @staticmethod
    def choose(chance: Random, part: str, sources: int = 1) -> Moment:
        return Moment(part, round(chance.random(), 3), chance.randint(1, sources) if part in OF_EACH_SOURCE else 1)


@dataclass(frozen=True)
class Death:
    """What became of a run that was to be killed; `part` is what it was doing, '' when it had ended before."""

    moment: Moment
    part: str
    seconds: float
    errors: str

    def __str__(self) -> str:
        where = f"killed after {self.seconds:.1f} s, in {self.part}" if self.part else "had ended before"
        return f"{self.moment.part} {self.moment.turn}, {self.moment.share:.0%}: {where}"


def kill(home: Path, now: datetime, moment: Moment, usual: Mapping[str, float], *arguments: str) -> Death:
    """Start the command, wait for the moment, and SIGKILL its whole process group."""
    notes = home.parent / f"{home.name}.notes"
    notes.write_text("")
    started = time.monotonic()
    process = _start(home, now, notes, arguments)
    if moment.part != WHOLE:
        _wait_for(process, notes, moment)
    _pause(process, moment.share * usual[moment.part])
    lives = process.poll() is None
    if lives:
        os.killpg(process.pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), (str(moment), process.returncode, errors)
    part = _where(notes) if process.returncode else ""
    return Death(moment, part, time.monotonic() - started, errors)


def measured(home: Path, now: datetime, *arguments: str) -> dict[str, float]:
    """Run the command to its end: part -> seconds (of one source, where each source has it), and those of all."""
    notes = home.parent / f"{home.name}.notes"
    notes.write_text("")
    started = time.monotonic()
    process = _start(home, now, notes, arguments)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == 0, errors
    spans: dict[str, list[float]] = {}
    begun: dict[str, float] = {}
    for line in notes.read_text().splitlines():
        at, what, part = line.split(" ", 2)
        if what == "begins":
            begun[part] = float(at)
        else:
            spans.setdefault(part, []).append(float(at) - begun[part])
    return {part: sum(some) / len(some) for part, some in spans.items()} | {WHOLE: time.monotonic() - started}


def _start(home: Path, now: datetime, notes: Path, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
    environment = {**os.environ, "TSUNAGU_HOME": str(home), "PYTHONPATH": f"{OFFLINE}{os.pathsep}{ROOT}"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.run_to_kill", str(home), now.isoformat(), str(notes), *arguments],
        cwd=home.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for(process: subprocess.Popen[str], notes: Path, moment: Moment) -> None:
    """Until the part begins for the nth time; fewer turns than that are waited for until the process ends."""
    give_up = time.monotonic() + 900
    while process.poll() is None and notes.read_text().count(f" begins {moment.part}\n") < moment.turn:
        assert time.monotonic() < give_up, f"{moment.part} never began, and the process does not end"
        time.sleep(0.005)


def _pause(process: subprocess.Popen[str], seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)


def _where(notes: Path) -> str:
    """The innermost part that began and did not end, else what came before."""
    inside: list[str] = []
    last = "its start"
    for line in notes.read_text().splitlines():
        _, what, part = line.split(" ", 2)
        if what == "begins":
            inside.append(part)
        else:
            inside.remove(part)
            last = f"what follows {part}"
    return " / ".join(inside) or last


# the process ----------------------------------------------------------------------------------------------------------
def _noted(original: Callable[..., Any], write: Callable[[str], Any]) -> Callable[..., Any]:
    """A context manager method whose beginning and end are written down."""

    @contextmanager
    def noted(self: Any, name: str) -> Generator[Any]:
        write(f"{time.monotonic():.3f} begins {name}\n")
        with original(self, name) as value:
            yield value
        write(f"{time.monotonic():.3f} ends {name}\n")

    return noted


def main() -> int:
    _, now, notes, *arguments = sys.argv[1:]
    from orchestration import cli
    from orchestration.journal import Journal
    from orchestration.syncs import Sync
    from orchestration.transform import _Build

    with Path(notes).open("a", buffering=1, encoding="utf-8") as lines:
        for owner, name in ((Journal, "step"), (Sync, "_part"), (_Build, "_part")):
            setattr(owner, name, _noted(getattr(owner, name), lines.write))
        with patch("orchestration.definitions._real_clock", lambda: datetime.fromisoformat(now)):
            return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
