"""What the line does to a run: it comes through, or it stops with one clear error and nothing has changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sources.demo.chaos import Fault
from sources.errors import CredentialsRejected, TsunaguSourceError
from tests.contract.conftest import Serve
from tests.contract.small_company import NOW
from tests.contract.tools import Served, Tool

PASSING = ("429", "429 with Retry-After", "500", "502", "530", "reset", "truncated", "slow")


def changed_since(tool: Tool, serve: Serve) -> Served:
    """A loaded tool in which every kind has changed since, with a deletion."""
    records = tool.records()
    for kind in tool.kinds:
        first, second, _ = records.add(kind, times=3)
        records.change(first, NOW + timedelta(hours=1))
        records.delete(second, NOW + timedelta(hours=1))
        records.add(kind, NOW + timedelta(hours=1))
    served = serve(tool, records)
    served.sync()
    served.later(days=1)
    return served


@pytest.mark.parametrize("fault", PASSING)
def test_comes_through(tool: Tool, serve: Serve, fault: str, no_pauses: list[float]) -> None:
    records = tool.records()
    for kind in tool.kinds:
        records.add(kind, times=3)
    served = serve(tool, records)
    chaos = served.misbehave(Fault(fault, at=(1, 3)))
    served.sync()
    assert chaos.met
    if fault == "429 with Retry-After":
        assert [pause for pause in no_pauses if pause >= 1]
    served.has_landed()


def test_two_failures_in_a_row(tool: Tool, serve: Serve) -> None:
    served = changed_since(tool, serve)
    chaos = served.misbehave(Fault("502", at=(2,)), Fault("reset", at=(3,)))
    report = served.sync()
    assert sum(chaos.met.values()) == 2
    assert report.rows
    served.later(days=14, hours=1)
    served.behave()
    served.sync()
    served.has_landed()


def test_a_token_that_expires_in_the_middle(tool: Tool, serve: Serve) -> None:
    served = changed_since(tool, serve)
    chaos = served.misbehave(Fault("expired", at=(2,)))
    served.sync()
    assert chaos.met
    served.later(days=14, hours=1)
    served.behave()
    served.sync()
    served.has_landed()


def test_html_instead_of_json(tool: Tool, serve: Serve) -> None:
    _stops(tool, serve, Fault("html", 1.0))


def test_down_for_good(tool: Tool, serve: Serve) -> None:
    _stops(tool, serve, Fault("500", 1.0))


def test_a_token_that_is_no_longer_valid(tool: Tool, serve: Serve) -> None:
    error = _stops(tool, serve, Fault("expired", 1.0))
    assert isinstance(error, CredentialsRejected), repr(error)


def test_quota_used_up(tool: Tool, serve: Serve, no_pauses: list[float]) -> None:
    error = _stops(tool, serve, Fault("quota", 1.0))
    assert not error.permanent
    assert "again" in str(error) or "anew" in str(error) or "renewed" in str(error), error


def _stops(tool: Tool, serve: Serve, fault: Fault) -> TsunaguSourceError:
    """The run stops with one error; what was there stays; afterwards nothing is missing."""
    served = changed_since(tool, serve)
    before = {number: len(rows) for number, rows in served.found().items()}
    if fault.kind == "quota":
        assert "quota" in served.mount.refusals, "the vendor has no quota that refuses"
    chaos = served.misbehave(fault)
    with pytest.raises(TsunaguSourceError) as caught:
        served.sync()
    assert chaos.met
    assert {number: len(rows) for number, rows in served.found().items()} == before
    served.behave()
    served.later(days=14, hours=1)
    served.sync()
    served.has_landed()
    return caught.value
