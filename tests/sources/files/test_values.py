"""What a cell means: tables of examples, and laws over random values."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.files.values import (
    parse_bool,
    parse_date,
    parse_decimal,
    parse_double,
    parse_integer,
    parse_money,
    parse_timestamp,
)

DATES = [
    ("2026-04-01", None, date(2026, 4, 1)),
    ("2026/4/1", None, date(2026, 4, 1)),
    ("2026.04.01", None, date(2026, 4, 1)),
    ("20260401", None, date(2026, 4, 1)),
    ("2026年4月1日", None, date(2026, 4, 1)),
    ("２０２６年４月１日", None, date(2026, 4, 1)),
    ("2026/04/01(水)", None, date(2026, 4, 1)),
    ("2026-04-01 13:05", None, date(2026, 4, 1)),
    ("10/20/2016", "us", date(2016, 10, 20)),
    ("3/1/2017", "us", date(2017, 3, 1)),
    ("1.3.2017", "eu", date(2017, 3, 1)),
    ("令和8年4月1日", None, date(2026, 4, 1)),
    ("令和元年5月1日", None, date(2019, 5, 1)),
    ("R8.4.1", None, date(2026, 4, 1)),
    ("平成31/4/30", None, date(2019, 4, 30)),
    ("S64.1.7", None, date(1989, 1, 7)),
    ("2026-04-01", "us", date(2026, 4, 1)),
]


@pytest.mark.parametrize(("text", "order", "day"), DATES)
def test_a_date_is_read_in_every_form_that_files_carry(text: str, order: str | None, day: date) -> None:
    assert parse_date(text, order) == day


@pytest.mark.parametrize(
    ("text", "order", "said"),
    [
        ("3/1/2017", None, "format: us"),
        ("13/1/2017", "us", "no day of the calendar"),
        ("2026-02-30", None, "no day of the calendar"),
        ("soon", None, "no date"),
        ("2026-04-01x", None, "no date"),
        ("202604011", None, "no date"),
    ],
)
def test_a_date_that_is_none_or_could_be_two_is_refused_with_the_remedy(
    text: str, order: str | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        parse_date(text, order)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026/04/01 09:00:00", datetime(2026, 4, 1, 0, 0, tzinfo=UTC)),
        ("2026/4/1 9:00", datetime(2026, 4, 1, 0, 0, tzinfo=UTC)),
        ("2026-04-01T09:00:00Z", datetime(2026, 4, 1, 9, 0, tzinfo=UTC)),
        ("2026-04-01 09:00:00+09:00", datetime(2026, 4, 1, 0, 0, tzinfo=UTC)),
        ("2026-04-01T09:00:00.250+0900", datetime(2026, 4, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
        ("2026年4月1日 午後1時5分", datetime(2026, 4, 1, 4, 5, tzinfo=UTC)),
        ("2026年4月1日13時5分6秒", datetime(2026, 4, 1, 4, 5, 6, tzinfo=UTC)),
        ("2026-04-01 12:30 AM", datetime(2026, 3, 31, 15, 30, tzinfo=UTC)),
        ("2026-04-01", datetime(2026, 3, 31, 15, 0, tzinfo=UTC)),
        ("令和8年4月1日 9:00", datetime(2026, 4, 1, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_the_companys_own_and_becomes_utc(text: str, instant: datetime) -> None:
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    "text", ["2026-04-01 25:00", "2026-04-01 9:75", "2026-04-01 at noon", "13:00", "2026-04-01 13:00 PM"]
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no da"):
        parse_timestamp(text)


NUMBERS = [
    ("1234.5", "1234.5"), ("1,234,567", "1234567"), ("¥1,200", "1200"), ("￥１，２００", "1200"), ("\\1,200", "1200"),
    ("1,200円", "1200"), ("120万円", "1200000"), ("3億", "300000000"), ("５百万円", "5000000"), ("△300", "-300"),
    ("▲ 1,300", "-1300"), ("(300)", "-300"), ("-5", "-5"), ("−5", "-5"), ("-¥5", "-5"), ("+7", "7"), ("12.5%", "0.125"),
    ("$1,054.00", "1054.00"), ("USD 5", "5"), (".5", "0.5"), ("1e3", "1000"), ("0", "0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_a_number_is_read_with_its_ornaments(text: str, number: str) -> None:
    assert parse_decimal(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["12,34", "1,2345", "1.234,5", "abc", "1 234", "--1", "円", "", "1,234,", "NaN", "inf", "1_000"]
)
def test_a_number_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("はい", True), ("いいえ", False), ("TRUE", True), ("0", False), ("１", True), ("済", True), ("×", False)],
)
def test_a_flag_is_read_in_japanese_and_english(text: str, value: bool) -> None:
    assert parse_bool(text) is value


def test_a_word_that_is_no_flag_names_the_remedy() -> None:
    with pytest.raises(ValueError, match="values:"):
        parse_bool("maybe")


def test_a_fraction_is_no_whole_number() -> None:
    assert parse_integer("12.0") == 12
    with pytest.raises(ValueError, match="whole number"):
        parse_integer("12.5")


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_written_in_any_order_is_read_back(day: date) -> None:
    assert parse_date(day.isoformat()) == day
    assert parse_date(f"{day.year}年{day.month}月{day.day}日") == day
    assert parse_date(f"{day.month}/{day.day}/{day.year}", "us") == day
    assert parse_date(f"{day.day}.{day.month}.{day.year}", "eu") == day


@given(st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(microsecond=0)))
def test_tokyo_is_nine_hours_ahead_all_year(at: datetime) -> None:
    assert parse_timestamp(f"{at:%Y/%m/%d %H:%M:%S}") == at.replace(tzinfo=UTC) - timedelta(hours=9)


@given(st.decimals(-(10**14), 10**14, allow_nan=False, allow_infinity=False, places=2))
def test_a_number_with_separators_is_read_back(number: Decimal) -> None:
    assert parse_money(f"{number:,}") == number
    assert parse_double(f"{number:,}") == float(number)


@given(st.text(max_size=20))
def test_no_text_makes_a_parser_fail_in_another_way_than_by_refusing(text: str) -> None:
    for parse in (parse_date, parse_timestamp, parse_money, parse_integer, parse_double, parse_bool):
        try:
            parse(text)
        except ValueError as refusal:
            assert str(refusal)
