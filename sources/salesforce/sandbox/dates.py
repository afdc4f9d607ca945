"""SOQL's date literals (`LAST_N_DAYS:7`, `THIS_QUARTER`) as days. Knows no query and no clock.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_dateformats.htm
"""

from __future__ import annotations

import re
from datetime import date, timedelta

DATE_LITERAL = re.compile(
    r"(TODAY|YESTERDAY|TOMORROW|(LAST|THIS|NEXT)_(WEEK|MONTH|QUARTER|YEAR)|(LAST|NEXT)_90_DAYS"
    r"|(LAST|NEXT)_N_(DAYS|WEEKS|MONTHS|QUARTERS|YEARS)|N_DAYS_AGO)",
    re.I,
)


def days_of(word: str, count: int, today: date) -> tuple[date, date]:
    """The days [first, last) of a date literal, weeks beginning on Sunday as in the default locale."""
    one = timedelta(days=1)
    if word in ("TODAY", "YESTERDAY", "TOMORROW"):
        day = today + {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[word] * one
        return day, day + one
    if word == "N_DAYS_AGO":
        return today - count * one, today - (count - 1) * one
    if word.endswith("90_DAYS"):
        word, count = word.replace("90", "N"), 90
    which, unit = word.split("_")[0], word.split("_")[-1].removesuffix("S")
    if unit == "DAY":
        return (today - count * one, today + one) if which == "LAST" else (today + one, today + (count + 1) * one)
    start = _start_of(unit, today)
    if which == "THIS":
        return start, _shift(unit, start, 1)
    if which == "LAST":
        return _shift(unit, start, -count), start
    return _shift(unit, start, 1), _shift(unit, start, 1 + count)


def _start_of(unit: str, day: date) -> date:
    if unit == "WEEK":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    month = {"MONTH": day.month, "QUARTER": (day.month - 1) // 3 * 3 + 1, "YEAR": 1}[unit]
    return date(day.year, month, 1)


def _shift(unit: str, day: date, count: int) -> date:
    if unit == "WEEK":
        return day + timedelta(weeks=count)
    months = day.year * 12 + day.month - 1 + count * {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit]
    return date(months // 12, months % 12 + 1, 1)
