"""What a headless run came to, and the exit codes that INTERFACE promises for it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.journal import Journal

DONE, OTHER, USAGE, CREDENTIALS, PARTIAL, GATE, HELD = range(7)


def code_of(error: BaseException) -> int:
    """The exit code that INTERFACE promises for this error."""
    from orchestration.publish import GateClosed
    from orchestration.settings import SettingsError
    from orchestration.warehouse import WarehouseHeld
    from sources.errors import ConfigurationError, CredentialsRejected

    if isinstance(error, SettingsError | ConfigurationError):
        return USAGE
    if isinstance(error, CredentialsRejected):
        return CREDENTIALS
    if isinstance(error, WarehouseHeld):
        return HELD
    if isinstance(error, GateClosed):
        return GATE
    return OTHER


@dataclass(frozen=True)
class Outcome:
    """What a headless run came to."""

    journal: Journal
    asked: tuple[str, ...]
    """Instances that were to be read."""

    @property
    def exit_code(self) -> int:
        from orchestration.warehouse import is_out_of_space

        if any(map(is_out_of_space, self.journal.errors.values())):
            return OTHER
        failed = [self.journal.errors[name] for name in self.asked if name in self.journal.errors]
        codes = {code_of(error) for name, error in self.journal.errors.items() if name not in self.asked}
        for code in (HELD, GATE, USAGE, OTHER):
            if code in codes:
                return code
        if not failed:
            return DONE
        if len(failed) < len(self.asked):
            return PARTIAL
        kinds = {code_of(error) for error in failed}
        return kinds.pop() if len(kinds) == 1 and kinds <= {CREDENTIALS, USAGE, HELD} else PARTIAL
