"""What a vendor says that it cannot have is a case that exists: a misspelt one would explain nothing."""

from __future__ import annotations

from dataclasses import replace

from sources.stream import load_vendor, vendors
from tests.contract.cases import EVERY, case_name, cases, unknown_reasons


def test_every_reason_is_of_a_case_that_exists() -> None:
    unknown = {name: found for name in vendors() if (found := unknown_reasons(load_vendor(name)))}
    assert not unknown, f"no such case: {unknown}; there are: {sorted(cases())}"


def test_a_misspelt_reason_is_found() -> None:
    vendor = load_vendor(vendors()[0])
    said = {"a late comit": "misspelt", "a late commit": "known", EVERY: "known"}
    assert unknown_reasons(replace(vendor, cannot=said)) == {"a late comit"}


def test_a_case_is_named_by_its_test_and_its_variant() -> None:
    assert case_name("test_comes_through", ["429"]) == "comes through: 429"
    assert {"a late commit", "comes through: 429", "time zones and daylight saving: Europe/Berlin"} <= cases()
