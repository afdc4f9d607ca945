"""What happened in one run, as it happens: the joint between the jobs and whoever watches them.

Assets write into a journal; the command line shows it and derives the exit code from it. It must not print and must
not know Dagster: in a daemon nobody watches and the journal is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Step:
    """One step of a run: its words, its seconds and, when it failed, the error."""

    name: str
    started: float
    seconds: float = 0.0
    note: str = ""
    error: Exception | None = None
    is_done: bool = False


def _nobody(step: Step) -> None:
    """Nobody watches."""


@dataclass
class Journal:
    """Steps in order, the reports they gave, and a watcher that is told of every change."""

    watch: Callable[[Step], None] = _nobody
    steps: list[Step] = field(default_factory=list[Step])
    syncs: dict[str, Any] = field(default_factory=dict[str, Any])
    """instance -> SyncReport, of those of which anything landed"""
    errors: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """step name -> what stopped it"""
    build: Any = None
    publish: Any = None

    @contextmanager
    def step(self, name: str) -> Generator[Step]:
        """Time a step. An exception is noted and goes on up."""
        step = Step(name, time.perf_counter())
        self.steps.append(step)
        self.watch(step)
        try:
            yield step
        except Exception as error:
            step.error = error
            self.errors[name] = error
            raise
        finally:
            step.seconds = time.perf_counter() - step.started
            step.is_done = True
            self.watch(step)

    def tell(self, step: Step, note: str) -> None:
        """Say where a long step is."""
        step.note = note
        self.watch(step)
