"""How an error reaches a person: one paragraph on stderr; the traceback, without secrets, goes to the log."""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from orchestration.outcome import OTHER, Outcome, code_of


def explain(error: BaseException, log_folder: Path | None) -> int:
    """Print the error as one paragraph, keep its traceback in the log, and return the exit code."""
    code = code_of(error)
    where = keep_traceback(error, log_folder) if code == OTHER else None
    print(f"tsunagu: {sentence(error)}" + (f" (details: {where})" if where else ""), file=sys.stderr)
    return code


def sentence(error: BaseException) -> str:
    """The error's own words on one line. An unknown error says its type too."""
    from sources.errors import redact

    words = redact(" ".join(str(error).split()))
    return words if code_of(error) != OTHER or is_ours(error) else f"{type(error).__name__}: {words}"


def is_ours(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in {"orchestration", "sources"}


def keep_traceback(error: BaseException, log_folder: Path | None) -> Path | None:
    """Append the traceback, without secrets, to `logs/tsunagu.log` of the home."""
    from sources.errors import redact

    if log_folder is None or not log_folder.parent.exists():
        return None
    log_folder.mkdir(parents=True, exist_ok=True)
    where = log_folder / "tsunagu.log"
    text = redact("".join(traceback.format_exception(error)))
    with where.open("a", encoding="utf-8") as log:
        log.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
    return where


def explain_outcome(outcome: Outcome, log_folder: Path) -> int:
    """Say on stderr what failed, a sentence each, and what stands all the same. Returns the exit code."""
    for name, error in outcome.journal.errors.items():
        where = keep_traceback(error, log_folder)
        words = sentence(error).removeprefix(f"{name}: ")
        print(f"tsunagu: {name}: {words} (details: {where})", file=sys.stderr)
    if any(name in outcome.journal.errors for name in outcome.asked) and outcome.journal.publish is not None:
        print("tsunagu: the models ran on the last load of what failed, and were published.", file=sys.stderr)
    return outcome.exit_code
