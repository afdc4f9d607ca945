"""The names of the cases, which are the names of the tests, and a vendor's reasons why it cannot have some of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from sources.stream import Vendor

EVERY = "every case"


def case_name(function: str, variants: Iterable[Any] = ()) -> str:
    """The words of a test's name, and which of its variants it is."""
    words = function.removeprefix("test_").replace("_", " ")
    return ": ".join([words, *map(str, variants)])


def cases() -> set[str]:
    """Every case there is, whatever was chosen to run."""
    return {case for file in Path(__file__).parent.glob("test_*.py") for case in _cases_in(file.stem)}


def _cases_in(module: str) -> Iterator[str]:
    for name, function in vars(importlib.import_module(f"tests.contract.{module}")).items():
        if name.startswith("test_") and "tool" in function.__code__.co_varnames[: function.__code__.co_argcount]:
            marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
            for variants in product(*(mark.args[1] for mark in reversed(marks))):
                yield case_name(name, variants)


def reason_of(vendor: Vendor, case: str) -> str | None:
    """Why the vendor cannot have the case; None when it can."""
    return vendor.cannot.get(case) or vendor.cannot.get(EVERY)


def unknown_reasons(vendor: Vendor) -> set[str]:
    """Cases that the vendor explains and nobody knows: misspelt, or gone."""
    return set(vendor.cannot) - cases() - {EVERY}
