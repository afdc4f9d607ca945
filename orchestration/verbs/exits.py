"""How an error reaches a person: one paragraph on stderr; the traceback, without secrets, goes to the log."""

from __future__ import annotations

import shutil
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

from orchestration.outcome import OTHER, Outcome, code_of

NEARLY_FULL = 5_000_000
"""Free bytes under which an unknown error is taken for the full disk that it is: SQLite calls it "disk I/O error"."""


def explain(error: BaseException, log_folder: Path | None) -> int:
    """Print the error as one paragraph, keep its traceback in the log, and return the exit code."""
    code = code_of(error)
    where = keep_traceback(error, log_folder) if code == OTHER else None
    error = plain(error, log_folder)
    print(f"tsunagu: {sentence(error)}" + (f" (details: {where})" if where else ""), file=sys.stderr)
    return code


def plain(error: BaseException, log_folder: Path | None) -> BaseException:
    """The same error in our words where a library's own words would not help: a disk that filled up on the way."""
    from orchestration.warehouse import NoSpace, is_out_of_space

    home = log_folder.parent if log_folder else None
    nearly_full = home is not None and home.exists() and shutil.disk_usage(home).free < NEARLY_FULL
    if isinstance(error, NoSpace) or not (is_out_of_space(error) or (nearly_full and code_of(error) == OTHER)):
        return error
    place = f" of {home}" if home else ""
    return NoSpace(
        f"The disk{place} filled up on the way. Free some space and run again: what was read is kept and lands then, and "
        "the last good file stays."
    )


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
    where = log_folder / "tsunagu.log"
    text = redact("".join(traceback.format_exception(error)))
    try:
        log_folder.mkdir(parents=True, exist_ok=True)
        with where.open("a", encoding="utf-8") as log:
            log.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
    except OSError:  # a full disk must not hide what went wrong
        return None
    return where


def explain_outcome(outcome: Outcome, log_folder: Path) -> int:
    """Say on stderr what failed, a sentence each, and what stands all the same. Returns the exit code."""
    named: dict[str, list[str]] = {}  # a full disk stops several steps, and is one trouble
    logs: dict[str, Path | None] = {}
    for name, error in outcome.journal.errors.items():
        where = keep_traceback(error, log_folder)
        words = sentence(plain(error, log_folder)).removeprefix(f"{name}: ")
        named.setdefault(words, []).append(name)
        logs[words] = where
    for words, names in named.items():
        details = f" (details: {logs[words]})" if logs[words] else ""
        print(f"tsunagu: {', '.join(names)}: {words}{details}", file=sys.stderr)
    if any(name in outcome.journal.errors for name in outcome.asked) and outcome.journal.publish is not None:
        print("tsunagu: the models ran on the last load of what failed, and were published.", file=sys.stderr)
    return outcome.exit_code
