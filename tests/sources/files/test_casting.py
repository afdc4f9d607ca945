"""The vectorised casts: they agree with the reference parsers, and refuse what those refuse."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.files.casting import Cast, cast_column, cast_columns
from sources.files.values import parser

KINDS = [
    ("date", None), ("date", "us"), ("timestamp", None), ("timestamp", "us"), ("decimal", None), ("double", None),
    ("bigint", None), ("bool", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


_DIGITS = st.from_regex(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}", fullmatch=True)
_CLOCKED = st.from_regex(
    r"[0-9]{4}[-/][01]?[0-9][-/][0-3]?[0-9][ T][0-2]?[0-9]:[0-6][0-9](:[0-6][0-9])?(Z|\+09:00)?", fullmatch=True
)
_NUMERIC = st.from_regex(r"[-+]?[0-9]{1,3}(,?[0-9]{3}){0,5}(\.[0-9]{0,8})?", fullmatch=True)
CELLS = st.one_of(
    _DIGITS,
    _CLOCKED,
    _NUMERIC,
    st.sampled_from(["はい", "いいえ", "TRUE", "1", "0", "1e3"]),
    st.text(min_size=1, max_size=8),
)


@pytest.mark.parametrize(("kind", "order"), KINDS)
@given(texts=st.lists(CELLS, min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_the_fast_path_reads_each_cell_as_the_reference_does(
    kind: str, order: str | None, texts: list[str], con: duckdb.DuckDBPyConnection
) -> None:
    typed, refusals = cast_column(pa.chunked_array([texts]), Cast(kind, order), con)
    read = parser(kind, order, "Asia/Tokyo")
    refused = {refusal.row for refusal in refusals}
    for row, (text, value) in enumerate(zip(texts, typed.to_pylist(), strict=True)):
        try:
            expected = read(text)
        except ValueError:
            assert row in refused
        else:
            assert row not in refused
            assert value == expected, (text, value, expected)


_PLAIN = st.one_of(
    st.from_regex(r"[0-9]{4}[-/][01][0-9][-/][0-3][0-9]([ T][0-2][0-9](:[0-6][0-9](:[0-6][0-9])?)?)?", fullmatch=True),
    st.from_regex(r"(19|20)[0-9]{2}-(03|04|10|11)-[0-3][0-9] 0[0-3]:[0-5][0-9]:00", fullmatch=True),  # clocks change
    st.from_regex(r"[-+]?(0[xX])?[0-9]{1,20}( |\.|e1)?", fullmatch=True),
    st.text("0123456789-/: T+Z", min_size=10, max_size=19),
)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Europe/Berlin"])
@pytest.mark.parametrize("kind", ["date", "timestamp", "bigint"])
@given(text=_PLAIN)
@settings(max_examples=150, deadline=None)
def test_a_column_that_is_plain_throughout_is_read_as_the_reference_does(
    kind: str, zone: str, text: str, con: duckdb.DuckDBPyConnection
) -> None:
    typed, refusals = cast_column(pa.chunked_array([[text]]), Cast(kind, None, zone), con)
    try:
        expected = parser(kind, None, zone)(text)
    except ValueError:
        assert refusals
    else:
        assert (typed.to_pylist(), refusals) == ([expected], [])


def test_blank_cells_are_null_and_no_refusal(con: duckdb.DuckDBPyConnection) -> None:
    typed, refusals = cast_column(pa.chunked_array([pa.array([None, "2026-04-01", None])]), Cast("timestamp"), con)
    assert typed.to_pylist() == [None, datetime(2026, 3, 31, 15, tzinfo=UTC), None]
    assert refusals == []


def test_a_refusal_names_row_value_and_remedy(con: duckdb.DuckDBPyConnection) -> None:
    _, refusals = cast_column(pa.chunked_array([["1", "2", "x"]]), Cast("bigint"), con)
    assert [(refusal.row, refusal.value) for refusal in refusals] == [(2, "x")]
    assert "known forms" in refusals[0].reason


def test_a_column_of_several_chunks_keeps_its_order(con: duckdb.DuckDBPyConnection) -> None:
    typed, _ = cast_column(pa.chunked_array([["1"], ["２", "3"], ["4万"]]), Cast("bigint"), con)
    assert typed.to_pylist() == [1, 2, 3, 40000]


def test_columns_read_together_keep_their_own_types_values_and_refusals(con: duckdb.DuckDBPyConnection) -> None:
    cells = {
        "number": pa.chunked_array([["1", "x", None]]),
        "day": pa.chunked_array([["2026/4/1", "令和8年4月2日", "2026-04-03"]]),
        "empty": pa.chunked_array([pa.nulls(3, pa.string())]),
        "text": pa.chunked_array([["a", "b", None]]),
    }
    how = {"number": Cast("bigint"), "day": Cast("date"), "empty": Cast("decimal"), "text": Cast("text")}
    columns, refusals = cast_columns(cells, how, con)
    assert columns["number"].to_pylist() == [1, None, None]
    assert columns["day"].to_pylist() == [date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 3)]
    assert columns["empty"].type == pa.decimal128(38, 9) and columns["empty"].null_count == 3
    assert columns["text"].to_pylist() == ["a", "b", None]
    assert {name: [refusal.row for refusal in found] for name, found in refusals.items()} == {"number": [1]}
