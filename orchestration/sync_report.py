"""What one sync of one instance came to, and what is told of it when a part was not read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sources.errors import BadAnswer, TsunaguSourceError


class PartlyRead(TsunaguSourceError):
    """Some streams or files were not read; the others were, and landed."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass
class SyncReport:
    """What one sync did."""

    instance: str
    loads: list[str] = field(default_factory=list[str])
    rows: dict[str, int] = field(default_factory=dict[str, int])
    """Table -> new versions that landed."""
    unchanged: dict[str, int] = field(default_factory=dict[str, int])
    quarantined: dict[str, int] = field(default_factory=dict[str, int])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    """Stream -> the vendor's reason why it may not be read."""
    failed: dict[str, Exception] = field(default_factory=dict[str, Exception])
    """Stream -> why it was not read to its end, while others were and landed."""
    faults: list[TsunaguSourceError] = field(default_factory=list[TsunaguSourceError])
    """Files that could not be read, while the rest of their streams was."""
    requests: int = 0
    seconds: float = 0.0
    parts: dict[str, float] = field(default_factory=dict[str, float])
    """CPU seconds of extract, normalize, drop_unchanged and load."""

    def unchanged_of(self, table: str) -> int:
        """Rows of the table that were read again and had not changed."""
        return self.unchanged.get(table, 0)

    def error(self) -> TsunaguSourceError | None:
        """What to tell when a part was not read; None when all was. What stops the whole instance is told as it is."""
        for problem in self.failed.values():
            if isinstance(problem, TsunaguSourceError) and not isinstance(problem, BadAnswer):
                return problem
        told = [f"{stream}: {problem}" for stream, problem in self.failed.items()] + [str(one) for one in self.faults]
        told = list(dict.fromkeys(told))  # one file may feed several streams
        if not told:
            return None
        words = " ".join(f"{one.rstrip('.')}." for one in told)
        # A file does not mend itself in a minute; an endpoint may.
        return PartlyRead(f"{self.instance}: {words} Everything else was read and landed.", permanent=not self.failed)

    def in_words(self) -> str:
        """One line for a person."""
        new = sum(n for table, n in self.rows.items() if table not in ("vendor_count", "quarantine"))
        words = [f"{new:,} new versions", f"{sum(self.unchanged.values()):,} unchanged", f"{self.requests:,} requests"]
        if self.quarantined:
            words.append(f"{sum(self.quarantined.values()):,} rows in quarantine")
        if self.skipped:
            words.append(f"not permitted: {', '.join(sorted(self.skipped))}")
        return ", ".join(words)
