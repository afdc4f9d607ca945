"""Exit codes of a headless run: INTERFACE promises them to whoever calls the command."""

from __future__ import annotations

import pytest

from orchestration.journal import Journal
from orchestration.outcome import CREDENTIALS, DONE, GATE, HELD, OTHER, PARTIAL, USAGE, Outcome, code_of
from orchestration.publish import GateClosed
from orchestration.settings import SettingsError
from orchestration.warehouse import NoSpace, WarehouseHeld
from sources.errors import (
    BadAnswer,
    ConfigurationError,
    CredentialsRejected,
    ObjectNotPermitted,
    QuotaExhausted,
    Unreachable,
)

REFUSED, WRONG, GONE = CredentialsRejected("no"), ConfigurationError("no"), Unreachable("no")
HELD_BY, CLOSED = WarehouseHeld("held"), GateClosed("closed", [], None)


def test_the_numbers_are_those_of_the_interface() -> None:
    assert (DONE, OTHER, USAGE, CREDENTIALS, PARTIAL, GATE, HELD) == (0, 1, 2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), USAGE),
        (WRONG, USAGE),
        (REFUSED, CREDENTIALS),
        (HELD_BY, HELD),
        (CLOSED, GATE),
        (GONE, OTHER),
        (QuotaExhausted("x"), OTHER),
        (BadAnswer("x"), OTHER),
        (ObjectNotPermitted("x"), OTHER),
        (NoSpace("x"), OTHER),
        (ValueError("x"), OTHER),
    ],
)
def test_each_error_has_its_code(error: Exception, code: int) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("asked", "errors", "code"),
    [
        (("a", "b"), {}, DONE),
        ((), {}, DONE),
        (("a", "b"), {"a": REFUSED}, PARTIAL),
        (("a", "b"), {"a": GONE}, PARTIAL),
        (("a", "b"), {"a": REFUSED, "b": REFUSED}, CREDENTIALS),
        (("a", "b"), {"a": REFUSED, "b": WRONG}, PARTIAL),
        (("a",), {"a": REFUSED}, CREDENTIALS),
        (("a",), {"a": WRONG}, USAGE),
        (("a",), {"a": HELD_BY}, HELD),
        (("a",), {"a": GONE}, PARTIAL),
        (("a", "b"), {"publish": CLOSED}, GATE),
        (("a", "b"), {"a": REFUSED, "publish": CLOSED}, GATE),
        (("a", "b"), {"models": HELD_BY}, HELD),
        (("a", "b"), {"a": REFUSED, "models": HELD_BY, "publish": CLOSED}, HELD),
        (("a", "b"), {"models": RuntimeError("x")}, OTHER),
        ((), {"publish": NoSpace("x")}, OTHER),
    ],
)
def test_what_a_run_came_to_is_one_code(asked: tuple[str, ...], errors: dict[str, Exception], code: int) -> None:
    assert Outcome(Journal(errors=errors), asked).exit_code == code
