"""A backfill's window as people write it, in the command line or in Dagster's launchpad, and what is wrong with it.

Must not know how a window is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sources.errors import ConfigurationError

if TYPE_CHECKING:
    from sources.stream import Vendor, Window


def backfill_window(start: str, end: str) -> Window | None:
    """The window between two ISO dates or times (UTC unless they say otherwise); None when neither is given.

    Raises ConfigurationError that names the value and what would be right.
    """
    from sources.stream import Window

    if not start and not end:
        return None
    if not start or not end:
        given, missing = ("start", "end") if start else ("end", "start")
        raise ConfigurationError(
            f"backfill: {given} = {start or end!r} is given and {missing} is not. Give both, or neither to read on."
        )
    first, last = _instant("start", start), _instant("end", end)
    if first >= last:
        raise ConfigurationError(f"backfill: start = {start!r} is not before end = {end!r}. Swap or correct them.")
    return Window(first, last, backfill=True)


def known_streams(vendor: Vendor, asked: Sequence[str]) -> None:
    """Raise ConfigurationError when the vendor has no stream of one of these names."""
    for name in asked:
        vendor.stream(name)


def _instant(name: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"backfill: {name} = {text!r} is not an ISO date or time such as 2026-04-01 or 2026-04-01T09:00:00+09:00."
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
