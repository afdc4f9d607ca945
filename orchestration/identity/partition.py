"""A component whose matches would join records that are to be kept apart: which part does each record belong to?

Pure: the answer depends on the set of matches and pairs alone, never on their order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

Match = tuple[str, str, str, str, float]
"""rule, evidence, left, right, probability"""


def partition(
    matches: Iterable[Match], apart: Iterable[tuple[str, str]], ranked: Sequence[str], grouped: Iterable[str]
) -> list[Match]:
    """The matches that hold, strongest rule first: one that would bring a pair of `apart` together holds not.

    Matches of a rule in `grouped` are stars: all records of one (rule, evidence, left) are joined with each other, so
    those that remain without the star's middle are joined still.
    """
    parts = _Parts(apart)
    strength = {rule: rank for rank, rule in enumerate(ranked)}
    stars = set(grouped)
    units: dict[tuple[int, str, str, str], dict[str, float]] = defaultdict(dict)
    for rule, evidence, left, right, sure in matches:
        units[strength[rule], evidence, left, "" if rule in stars else right][right] = sure
    held: list[Match] = []
    for (rank, evidence, left, _), rights in sorted(units.items()):
        members = [left, *sorted(rights)]
        for place, member in enumerate(members):
            friend = next((one for one in members[:place] if parts.join(one, member)), None)
            if friend is not None:
                low, high = sorted((friend, member))
                held.append((ranked[rank], evidence, low, high, rights.get(member, 1.0)))
    return held


class _Parts:
    """Sets of records that grow together unless a pair forbids it."""

    def __init__(self, apart: Iterable[tuple[str, str]]) -> None:
        self._of: dict[str, set[str]] = {}
        self._strangers: dict[str, set[str]] = defaultdict(set)
        for left, right in apart:
            self._strangers[left].add(right)
            self._strangers[right].add(left)

    def join(self, one: str, other: str) -> bool:
        """Whether the two are in one part afterwards."""
        left, right = self._of.setdefault(one, {one}), self._of.setdefault(other, {other})
        if left is right:
            return True
        small, large = sorted((left, right), key=len)
        if any(not self._strangers[record].isdisjoint(large) for record in small if record in self._strangers):
            return False
        large |= small
        for record in small:
            self._of[record] = large
        return True
