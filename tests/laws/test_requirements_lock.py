"""`requirements.lock` and `pyproject.toml` say the same thing, and neither names where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = {
    canonicalize_name(name): version for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", LOCK, re.M)
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_direct_dependency_is_bounded() -> None:
    for text in PROJECT["project"]["dependencies"]:
        requirement = Requirement(text)
        operators = {spec.operator for spec in requirement.specifier}
        assert operators & {"<", "==", "~="} or requirement.name == "tzdata", f"{text} has no upper bound"


def test_the_lock_holds_a_version_that_each_requirement_allows() -> None:
    for text in PROJECT["project"]["dependencies"]:
        requirement = Requirement(text)
        pinned = PINS.get(canonicalize_name(requirement.name))
        assert pinned, f"{requirement.name} is missing: run the command at the head of requirements.lock"
        assert requirement.specifier.contains(pinned), f"{text}, but requirements.lock has {pinned}"


def test_the_lock_has_hashes_and_no_addresses() -> None:
    assert LOCK.count("--hash=sha256:") > len(PINS)
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links", LOCK)
