"""Rows of the map identity_overrides that contradict each other. Pure: rows in, sentences out."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence

Row = Mapping[str, str]
Record = tuple[str, str, str, str]
"""entity type, instance, object, id"""


def contradictions(lines: Sequence[tuple[int, Row]]) -> Iterator[str]:
    """One sentence for each line that cannot stand beside the others; "line 3: ..." with the lines that say otherwise."""
    joined: dict[Record, list[tuple[Record, int]]] = defaultdict(list)
    for number, row in lines:
        one, other = _ends(row)
        if one == other:
            yield f"line {number}: names one record twice ({_shown(one)}). Remove the line"
        elif row.get("decision") == "same":
            joined[one].append((other, number))
            joined[other].append((one, number))
    for number, row in lines:
        one, other = _ends(row)
        if row.get("decision") != "not_same" or one == other:
            continue
        way = _way(joined, one, other)
        if way:
            named = f"line {way[0]} says" if len(way) == 1 else f"lines {', '.join(map(str, way))} together say"
            yield (
                f"line {number}: says that {_shown(one)} and {_shown(other)} are not the same, but {named} that they are. "
                "Remove one of these lines"
            )


def _ends(row: Row) -> tuple[Record, Record]:
    kind = row.get("entity_type", "")
    one = (kind, *(row.get(name, "") for name in ("source_system", "source_object", "source_id")))
    other = (kind, *(row.get(name, "") for name in ("other_system", "other_object", "other_id")))
    return one, other  # pyright: ignore[reportReturnType]


def _way(joined: Mapping[Record, list[tuple[Record, int]]], start: Record, end: Record) -> list[int]:
    """Lines over which `start` and `end` are the same, the fewest; [] where they are not."""
    ways: dict[Record, list[int]] = {start: []}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for other, number in joined.get(here, ()):
            if other not in ways:
                ways[other] = [*ways[here], number]
                waiting.append(other)
    return sorted(ways.get(end, []))


def _shown(record: Record) -> str:
    return " ".join(record[1:])
