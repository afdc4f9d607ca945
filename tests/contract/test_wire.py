"""What the line does to a run: it comes through, or it stops with one clear error and nothing has changed."""

from __future__ import annotations

import pytest

from sources.demo.chaos import Fault
from sources.errors import CredentialsRejected, TsunaguSourceError
from tests.contract.conftest import Serve
from tests.contract.tools import Served, Tool

PASSING = ("429", "429 with Retry-After", "500", "502", "530", "reset", "truncated", "slow")
EVERY_REQUEST = tuple(range(1, 2_000, 2))
"""Every request meets the fault once: the odd ones do, and an even one is the second attempt."""


@pytest.mark.parametrize("fault", PASSING)
def test_comes_through(tool: Tool, living: Served, fault: str, no_pauses: list[float]) -> None:
    chaos = living.misbehave(Fault(fault, at=(1, 3) if fault == "slow" else EVERY_REQUEST))
    living.sync()
    assert chaos.met
    if fault == "429 with Retry-After":
        assert [pause for pause in no_pauses if pause >= 1]
    living.has_landed()


def test_a_first_load_comes_through_all_of_them(tool: Tool, serve: Serve) -> None:
    kinds = [fault for fault in PASSING if fault != "slow"]
    records = tool.records()
    for kind in tool.kinds:
        records.add(kind, times=3)
    served = serve(tool, records)
    chaos = served.misbehave(*(Fault(kind, at=EVERY_REQUEST[n :: len(kinds)]) for n, kind in enumerate(kinds)))
    served.sync()
    assert chaos.met
    served.has_landed()


def test_two_failures_in_a_row(tool: Tool, living: Served) -> None:
    chaos = living.misbehave(Fault("502", at=EVERY_REQUEST[::2]), Fault("reset", at=tuple(range(2, 2_000, 4))))
    living.sync()
    assert sum(chaos.met.values()) >= 2
    living.has_landed()


def test_a_token_that_expires_in_the_middle(tool: Tool, living: Served) -> None:
    chaos = living.misbehave(Fault("expired", at=(2,)))
    living.sync()
    assert chaos.met
    living.has_landed()


def test_html_instead_of_json(tool: Tool, living: Served) -> None:
    _stops(living, Fault("html", 1.0))


def test_down_for_good(tool: Tool, living: Served) -> None:
    _stops(living, Fault("500", 1.0))


def test_a_token_that_is_no_longer_valid(tool: Tool, living: Served) -> None:
    error = _stops(living, Fault("expired", 1.0))
    assert isinstance(error, CredentialsRejected), repr(error)


def test_quota_used_up(tool: Tool, living: Served) -> None:
    living.has_wire()
    assert "quota" in living.mount.refusals, "the vendor has no quota that refuses"
    error = _stops(living, Fault("quota", 1.0))
    assert not error.permanent
    assert "again" in str(error) or "anew" in str(error) or "renewed" in str(error), error


def _stops(served: Served, fault: Fault) -> TsunaguSourceError:
    """The run stops with one error; what was there stays; afterwards nothing is missing."""
    served.has_wire()
    before = {number: len(rows) for number, rows in served.found().items()}
    chaos = served.misbehave(fault)
    with pytest.raises(TsunaguSourceError) as caught:
        served.sync()
    assert chaos.met
    assert {number: len(rows) for number, rows in served.found().items()} == before
    served.behave()
    served.sync()
    served.has_landed()
    return caught.value
