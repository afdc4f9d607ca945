"""The meaning of a cell: text → date, instant, number, flag. The reference that the fast SQL casts must agree with.

One function a type, each returning the value or raising `ValueError` with a reason and remedy in one sentence.
Nothing here guesses: a date that could be read in two ways is refused until the mapping says which way.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

DATE_ORDERS = ("iso", "jp", "us", "eu")

# First day of each era (the National Diet's era law and cabinet orders); 元年 is year 1.
_ERAS: dict[str, date] = {
    "令和": date(2019, 5, 1),
    "平成": date(1989, 1, 8),
    "昭和": date(1926, 12, 25),
    "大正": date(1912, 7, 30),
    "明治": date(1868, 1, 25),
}
_ERA_NAMES = {
    "R": "令和",
    "H": "平成",
    "S": "昭和",
    "T": "大正",
    "M": "明治",
    "令": "令和",
    "平": "平成",
    "昭": "昭和",
    "大": "大正",
    "明": "明治",
}

_YEAR_FIRST = re.compile(r"(\d{4})([-/.年])(\d{1,2})[-/.月](\d{1,2})日?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_ERA_DATE = re.compile(
    r"(令和|平成|昭和|大正|明治|[RHSTM令平昭大明])\.?(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.I
)
_CLOCK = re.compile(
    r"(午前|午後)?(\d{1,2})[:時](\d{1,2})(?:[:分](\d{1,2}))?[分秒]?(?:[.,](\d{1,9}))? ?([AaPp]\.?[Mm]\.?)?"
    r" ?(Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+")
_UNITS = {"千": 10**3, "万": 10**4, "百万": 10**6, "億": 10**8}
_CURRENCY = re.compile(r"^(?:[¥$€£]|JPY|USD|EUR|GBP|\\)\s*|\s*(?:円|ドル|JPY|USD|EUR|GBP|€)$")

_TRUE = {
    "true",
    "t",
    "yes",
    "y",
    "1",
    "1.0",
    "on",
    "はい",
    "有",
    "有り",
    "あり",
    "済",
    "済み",
    "可",
    "○",
    "〇",
    "◯",
    "✓",
}
_FALSE = {"false", "f", "no", "n", "0", "0.0", "off", "いいえ", "無", "無し", "なし", "未", "不可", "×", "✗"}


def plain(text: str) -> str:
    """Full-width digits and signs made narrow (NFKC), the several dashes made one, surrounding space gone."""
    narrow = unicodedata.normalize("NFKC", text)
    return re.sub("[−‐‑–—]", "-", narrow).strip()


def parse_date(text: str, order: str | None = None) -> date:
    """The day that a cell names. `order` (us: month first, eu: day first) is needed only where the year stands last."""
    cell = plain(text)
    if found := _match_date(cell):
        kind, parts, rest = found
        if not rest or _CLOCK.fullmatch(rest):
            return _build_date(kind, parts, order, text)
    raise ValueError(
        f"{text!r} is no date; known forms are 2026-04-01, 2026/4/1, 20260401, 2026年4月1日, 令和8年4月1日 and, "
        "with `format: us` or `format: eu` in the mapping, 4/1/2026"
    )


def parse_timestamp(text: str, order: str | None = None, zone: str = "Asia/Tokyo") -> datetime:
    """The instant (UTC) that a cell names; a time without an offset is read in `zone`, a bare day as its midnight there."""
    cell = plain(text)
    found = _match_date(cell)
    if not found:
        parse_date(text, order)  # raises, and says which forms are known
        raise AssertionError("unreachable")
    kind, parts, rest = found
    day = _build_date(kind, parts, order, text)
    clock = _CLOCK.fullmatch(rest) if rest else None
    if rest and not clock:
        raise ValueError(f"{text!r} is no date-time: after the day comes {rest!r}, expected a time such as 13:05:00")
    try:
        return _at(day, clock, zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no date-time: {error}; give hours 0-23, minutes and seconds 0-59") from error


def _match_date(cell: str) -> tuple[str, tuple[str, ...], str] | None:
    for kind, pattern in (
        ("year first", _YEAR_FIRST),
        ("era", _ERA_DATE),
        ("year last", _YEAR_LAST),
        ("year first", _COMPACT),
    ):
        if match := pattern.match(cell):
            rest = cell[match.end() :]
            if rest[:1].isdigit() and not (pattern is _YEAR_FIRST and match.group(2) == "年"):
                continue
            groups = match.groups()
            parts = (groups[0], groups[2], groups[3]) if pattern is _YEAR_FIRST else groups
            return kind, parts, re.sub(r"^[T,\s]*(?:\([^)]{1,3}\))?\s*", "", rest)
    return None


def _build_date(kind: str, parts: tuple[str, ...], order: str | None, text: str) -> date:
    if kind == "year last":
        if order not in ("us", "eu"):
            raise ValueError(
                f"{text!r} can be read as month/day or day/month; say `format: us` or `format: eu` for this column "
                "(or `dates:` for the whole mapping)"
            )
        year, month, day = (parts[2], parts[0], parts[1]) if order == "us" else (parts[2], parts[1], parts[0])
    elif kind == "era":
        era = _ERA_NAMES.get(parts[0].upper(), parts[0])
        year = str(_ERAS[era].year - 1 + (1 if parts[1] == "元" else int(parts[1])))
        month, day = parts[2], parts[3]
    else:
        year, month, day = parts
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        hint = f" with `format: {order}`" if kind == "year last" else ""
        raise ValueError(f"{text!r} is no day of the calendar{hint} ({error}); correct it in the file") from error


def _at(day: date, clock: re.Match[str] | None, zone: str) -> datetime:
    hour = minute = second = micro = 0
    offset: timezone | ZoneInfo = ZoneInfo(zone)
    if clock:
        half_jp, hours, minutes, seconds, fraction, half, shift = clock.groups()
        hour, minute, second = int(hours), int(minutes), int(seconds or 0)
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        if half or half_jp:
            if hour > 12:
                raise ValueError("an hour above 12 with a.m. or p.m.")
            hour = hour % 12 + (12 if half_jp == "午後" or (half or "").upper().startswith("P") else 0)
        offset = _shift(shift) or offset
    return datetime(day.year, day.month, day.day, hour, minute, second, micro, tzinfo=offset).astimezone(UTC)


def _shift(text: str | None) -> timezone | None:
    if not text:
        return None
    if text in ("Z", "UTC"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    return timezone((1 if text[0] == "+" else -1) * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def parse_decimal(text: str) -> Decimal:
    """A number with its ornaments: 1,234.5 · ¥1,200 · 1,200円 · 120万円 · △300 · (300) · 12.5% (= 0.125)."""
    cell = plain(text)
    negative = bool(re.match(r"^[△▲]|^\(.*\)$", cell))
    cell = re.sub(r"^[△▲]\s*|^\(|\)$", "", cell) if negative else cell
    sign = ""
    if re.match(r"[+-][¥$€£\\]", cell):
        sign, cell = cell[0], cell[1:]
    cell = sign + _CURRENCY.sub("", _CURRENCY.sub("", cell)).strip()
    factor = Decimal(1)
    if cell.endswith("%"):
        factor, cell = Decimal("0.01"), cell[:-1].strip()
    elif unit := re.search("(百万|千|万|億)$", cell):
        factor, cell = Decimal(_UNITS[unit.group(1)]), cell[: unit.start()].strip()
    if not _NUMBER.fullmatch(cell):
        raise ValueError(f"{text!r} is no number; known forms are 1234.5, 1,234, ¥1,234, 1,234円, 120万円, △300, 12.5%")
    try:
        number = Decimal(cell.replace(",", "")) * factor
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number ({error})") from error
    return -number if negative else number


def parse_money(text: str) -> Decimal:
    """A number as an amount: up to nine decimals (rounded half up) and 15 digits before the point."""
    number = parse_decimal(text)
    if abs(number) >= Decimal(10) ** 15:
        raise ValueError(f"{text!r} is above the largest amount (15 digits before the point); correct it in the file")
    return number.quantize(Decimal("1e-9"), rounding="ROUND_HALF_UP")


def parse_integer(text: str) -> int:
    """A whole number; 12.0 is one, 12.5 is not."""
    number = parse_decimal(text)
    if number != number.to_integral_value() or abs(number) >= 2**63:
        raise ValueError(f"{text!r} is no whole number below 2^63; correct it or map it to a column of type double")
    return int(number)


def parse_double(text: str) -> float:
    return float(parse_decimal(text))


def parse_bool(text: str) -> bool:
    """はい/いいえ, true/false, yes/no, 1/0, 有/無, 済/未, ○/×."""
    cell = plain(text).lower()
    if cell in _TRUE:
        return True
    if cell in _FALSE:
        return False
    raise ValueError(
        f"{text!r} is neither true nor false; use true/false, 1/0 or はい/いいえ, or a `values:` map to them"
    )


def parser(kind: str, order: str | None, zone: str) -> Callable[[str], object]:
    """The reference parser of a dlt type. Text has none: every cell is text."""
    if kind == "date":
        return lambda cell: parse_date(cell, order)
    if kind == "timestamp":
        return lambda cell: parse_timestamp(cell, order, zone)
    return {"decimal": parse_money, "bigint": parse_integer, "double": parse_double, "bool": parse_bool}[kind]
