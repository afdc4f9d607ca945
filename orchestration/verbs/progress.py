"""Shows a journal on the terminal while it is written: one line a step, with its seconds."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.text import Text

from orchestration.journal import Journal, Step


class Progress:
    """A live line for the step that runs, a settled line for each that ended.

    Without a terminal (a log file, CI) only the settled lines are printed.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self.journal = Journal(watch=self._watch)
        self._status = self.console.status("starting", spinner="dots")

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def _watch(self, step: Step) -> None:
        if not step.is_done:
            self._status.update(f"{step.name}  {step.note}")
            return
        mark, style = ("✗", "red") if step.error else ("✓", "green")
        self.console.print(
            Text.assemble((f" {mark} ", style), f"{step.name:<22}", (f"{step.seconds:6.1f} s  ", "dim"), step.note)
        )
