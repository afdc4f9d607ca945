"""A sandbox under a profile of chaos: what was read through it is what would have been read without it."""

from __future__ import annotations

import random

import pytest

from sources.demo.chaos import PROFILES, Chaos, chaos_of
from sources.errors import TsunaguSourceError
from tests.contract.tools import Served, Tool

SURE = 2
"""The first so many requests of a run: there are always as many."""


def _unlucky(profile: str, instance: str) -> Chaos:
    """The profile with the first seed by which one of the first requests is met."""
    for seed in range(10_000):
        chance = random.Random(f"{seed}/{instance}")
        chaos = chaos_of(profile, seed)
        if any(chance.random() < sum(fault.share for fault in chaos.faults) for _ in range(SURE)):
            return chaos
    return chaos_of(profile, 1)  # its faults have fixed places


@pytest.mark.parametrize("profile", PROFILES)
def test_through_chaos(tool: Tool, living: Served, profile: str) -> None:
    """A run may stop for what a vendor says of its allowance, or for an answer that is none; the next one goes on."""
    chaos = living.be_in(_unlucky(profile, tool.instance))
    for _ in range(5):
        try:
            living.sync()
            break
        except TsunaguSourceError as problem:
            assert chaos.met, problem
    assert chaos.met or profile == "quota"
    living.has_landed()
