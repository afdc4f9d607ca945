"""How a text file is cut into cells: the delimiter and the header line. Decided from the first lines, never guessed from names.

The delimiter is the candidate that cuts the first lines into the same number (above one) of cells most often; a header that
a mapping names is the stronger evidence, so the columns it needs are a hint.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection

_CANDIDATES = (",", "\t", ";", "|")
_SAMPLE_LINES = 50


def detect_delimiter(text: str, wanted: Collection[str] = ()) -> str:
    """The delimiter of `text`. `wanted` are header names that must be found; a one-column file gives a comma."""
    sample = _sample(text)
    scored = [(_score(sample, candidate, wanted), -place, candidate) for place, candidate in enumerate(_CANDIDATES)]
    return max(scored)[2]


def _sample(text: str) -> str:
    end = 0
    for _ in range(_SAMPLE_LINES):
        cut = text.find("\n", end)
        if cut < 0:
            return text
        end = cut + 1
    return text[:end]


def _score(sample: str, delimiter: str, wanted: Collection[str]) -> tuple[int, float, int]:
    try:
        rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row]
    except csv.Error:
        return (0, 0.0, 0)
    if not rows:
        return (0, 0.0, 0)
    width, times = Counter(len(row) for row in rows).most_common(1)[0]
    found = len({cell.strip() for cell in rows[0]} & set(wanted))
    return (found, times / len(rows) if width > 1 else 0.0, width)
