"""Working days and hours of the demo company; instants are whole epoch seconds (UTC), days are epoch days in Japan.

Nothing here reads a clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import numpy as np
from numpy.typing import NDArray

from sources.demo.distributions import HOUR_WEIGHTS

DAY, HOUR, JAPAN = 86_400, 3_600, 9 * 3_600
START = int(datetime(2023, 11, 1, tzinfo=UTC).timestamp())
FIRST_NOW = int(datetime(2026, 10, 30, 9, 0, tzinfo=UTC).timestamp())
END = FIRST_NOW + 200 * DAY

Ints = NDArray[np.int64]
_FIRST_DAY = START // DAY - 60
_LAST_DAY = END // DAY + 2_000
_EPOCH = date(1970, 1, 1).toordinal()


def _free(day: int) -> bool:
    on = date.fromordinal(_EPOCH + day)
    year_end = (on.month == 12 and on.day >= 29) or (on.month == 1 and on.day <= 3)
    return (
        on.weekday() >= 5 or year_end or (on.month == 5 and 3 <= on.day <= 5) or (on.month == 8 and 13 <= on.day <= 15)
    )


def _next_workdays() -> Ints:
    out, following = np.zeros(_LAST_DAY - _FIRST_DAY, dtype=np.int64), _LAST_DAY
    for day in range(_LAST_DAY - 1, _FIRST_DAY - 1, -1):
        if not _free(day):
            following = day
        out[day - _FIRST_DAY] = following
    return out


NEXT_WORKDAY: Ints = _next_workdays()
_NEXT: list[int] = NEXT_WORKDAY.tolist()


def day_of(at: int) -> int:
    """The day in Japan."""
    return (at + JAPAN) // DAY


def whole_minute(at: int) -> int:
    """The minute that the instant is in."""
    return at // 60 * 60


def date_of(day: int) -> date:
    return date.fromordinal(_EPOCH + day)


def day_number(on: date) -> int:
    return on.toordinal() - _EPOCH


def workday(day: int) -> int:
    """The day itself or the next one that is worked."""
    return _NEXT[min(max(day - _FIRST_DAY, 0), len(_NEXT) - 1)]


_HOURS = tuple(range(9, 9 + len(HOUR_WEIGHTS)))


def at_work(rng: Random, day: int, emea: bool = False) -> int:
    """An instant in business hours of that day or the next worked one (Japan 9-18, Europe 8-17 UTC)."""
    hour = rng.choices(_HOURS, HOUR_WEIGHTS)[0]
    offset = (hour - 1) * HOUR if emea else hour * HOUR - JAPAN
    return workday(day) * DAY + offset + rng.randrange(HOUR)


def later(rng: Random, at: int, days: float, emea: bool = False) -> int:
    """An instant in business hours some days after `at`, never before it."""
    moved = at_work(rng, day_of(at) + int(days), emea)
    return moved if moved > at else at_work(rng, day_of(at) + int(days) + 1, emea)


def many_at_work(gen: np.random.Generator, days: Ints, emea: NDArray[np.bool_]) -> Ints:
    """The same for many days at once."""
    worked = NEXT_WORKDAY[np.clip(days - _FIRST_DAY, 0, len(NEXT_WORKDAY) - 1)]
    hours = gen.choice(np.array(_HOURS), size=len(days), p=np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS))
    offset = np.where(emea, (hours - 1) * HOUR, hours * HOUR - JAPAN)
    return worked * DAY + offset + gen.integers(0, HOUR, size=len(days))


def month_end(day: int) -> int:
    """The last day of that day's month."""
    on = date_of(day)
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return day_number(following) - 1


def add_months(day: int, months: int) -> int:
    """The first day of the month that many months after that day's month."""
    on = date_of(day)
    index = on.year * 12 + on.month - 1 + months
    return day_number(date(index // 12, index % 12 + 1, 1))
