"""Bodies become typed, stamped tables; nothing is guessed, nothing is taken for empty."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.arrow import Csv, Field, Json, Pages, Reader, column_name, envelope
from sources.errors import BadAnswer
from sources.stream import DataType

SHAPE = Json(
    ("rows",),
    {
        "id": Field(("id",)),
        "n": Field(("n",), "bigint"),
        "x": Field(("x",), "double"),
        "amount": Field(("amount",), "decimal"),
        "ok": Field(("ok",), "bool"),
        "at": Field(("deep", "at"), "timestamp"),
        "day": Field(("day",), "date"),
        "nested": Field(("nested",)),
    },
)


@pytest.fixture
def reader() -> Any:
    reader = Reader()
    yield reader
    reader.close()


def page(*rows: Any) -> Pages:
    return Pages([orjson.dumps({"rows": list(rows)})], SHAPE)


def test_values_take_the_declared_types_and_nested_things_become_json_text(reader: Reader) -> None:
    row = {
        "id": 1, "n": "5", "x": 1, "amount": "12.50", "ok": "true", "deep": {"at": "2026-01-01T09:00:00.000+0900"},
        "day": "2026-02-03", "nested": {"a": [1, {"b": None}]},
    }  # fmt: skip
    table, rejected = reader.read(page(row), {}, ("id",))
    assert rejected == []
    got = table.to_pylist()[0]
    assert got["id"] == "1"
    assert got["n"] == 5
    assert got["amount"] == 12.5
    assert got["ok"] is True
    assert got["at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert got["day"] == date(2026, 2, 3)
    assert orjson.loads(got["nested"]) == {"a": [1, {"b": None}]}
    assert table.schema.field("at").type == pa.timestamp("us", "UTC")
    assert (got["_seq"], got["_deleted"], got["_deleted_at"]) == (1, False, None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000+0000", "2026-01-01 00:00:00",
        "1767225600000", "2026-01-01T09:00:00+09:00",
    ],
)  # fmt: skip
def test_the_vendors_spellings_of_an_instant_are_one(reader: Reader, text: str) -> None:
    table, _ = reader.read(page({"id": "1", "deep": {"at": text}}), {}, ("id",))
    assert table["at"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC)]


def test_a_missing_key_and_an_empty_text_of_a_typed_column_are_null(reader: Reader) -> None:
    table, rejected = reader.read(page({"id": "1", "n": "", "deep": {"at": ""}}, {"id": "2"}), {}, ("id",))
    assert rejected == []
    assert table["n"].to_pylist() == table["at"].to_pylist() == [None, None]


@pytest.mark.parametrize(
    ("column", "value"),
    [("n", "12.7"), ("n", "many"), ("x", "1,5"), ("amount", "¥100"), ("ok", "perhaps"), ("day", "2026-13-01")],
)
def test_a_value_that_does_not_fit_rejects_its_row_only(reader: Reader, column: str, value: str) -> None:
    table, rejected = reader.read(page({"id": "a"}, {"id": "b", column: value}, {"id": "c"}), {}, ("id",))
    assert table["id"].to_pylist() == ["a", "c"]
    assert [(r.source_key, r.column_name, r.value) for r in rejected] == [("b", column, value)]
    assert '"b"' in (rejected[0].row_text or "")


def test_a_row_without_its_key_is_rejected(reader: Reader) -> None:
    table, rejected = reader.read(page({"n": 1}, {"id": "", "n": 2}, {"id": "x"}), {}, ("id",))
    assert table["id"].to_pylist() == ["x"]
    assert {r.reason for r in rejected} == {"the key is empty"}


def test_the_type_that_raw_has_overrules_what_the_vendor_says_now(reader: Reader) -> None:
    table, rejected = reader.read(page({"id": "1", "n": "5"}, {"id": "2", "n": 6}), {"n": "text"}, ("id",))
    assert (table["n"].to_pylist(), rejected) == (["5", "6"], [])


def test_keys_that_nobody_declared_become_text_columns_when_the_shape_is_open(reader: Reader) -> None:
    shape = Json(("rows",), {"id": Field(("id",))}, open=True)
    pages = Pages([orjson.dumps({"rows": [{"id": 1}, {"id": 2, "FooBar": 3, "会社": [1]}]})], shape)
    table, _ = reader.read(pages, {}, ("id",))
    assert table["foo_bar"].to_pylist() == [None, "3"]
    assert [1] in [orjson.loads(v) for name in table.column_names[2:-4] for v in table[name].to_pylist() if v]


@pytest.mark.parametrize(
    "body",
    [b'{"other":[]}', b'{"rows":null}', b'{"rows":{}}', b'{"rows":[{]}', b"", b"<html>", b'{"rows":[{"id":1}', b"\xff\xfe"],
)  # fmt: skip
def test_a_body_that_is_not_what_its_shape_says_is_never_taken_for_empty(reader: Reader, body: bytes) -> None:
    with pytest.raises(BadAnswer):
        reader.read(Pages([orjson.dumps({"rows": []}), body], SHAPE), {}, ("id",))


def test_an_empty_page_gives_an_empty_typed_table(reader: Reader) -> None:
    table, rejected = reader.read(page(), {}, ("id",))
    assert (table.num_rows, rejected) == (0, [])
    assert table.schema.field("day").type == pa.date32()


def test_csv_cells_are_typed_and_a_bad_cell_costs_one_row(reader: Reader) -> None:
    shape = Csv(
        {"id": Field(("ID",)), "n": Field(("Number",), "bigint"), "note": Field(("Note",)), "gone": Field(("No",))}
    )
    body = b'ID,Number,Note,Other\n1,5,"two\nlines",x\n2,bad,,x\n3,,"",x\n'
    table, rejected = reader.read(Pages([body, b"Number,ID,Note\n9,4,n\n"], shape), {}, ("id",))
    assert table["id"].to_pylist() == ["1", "3", "4"]
    assert table["n"].to_pylist() == [5, None, 9]
    assert table["note"].to_pylist() == ["two\nlines", "", "n"]
    assert [(r.source_key, r.value) for r in rejected] == [("2", "bad")]


def test_tables_of_a_vendor_are_cast_and_nested_columns_become_text(reader: Reader) -> None:
    given = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "at": pa.array([datetime(2026, 1, 1), None], pa.timestamp("ms")),
            "tags": pa.array([["a"], None]),
            "nothing": pa.nulls(2),
        }
    )
    table, rejected = reader.read(given, {"id": "text", "at": "timestamp"}, ("id",))
    assert rejected == []
    assert table["id"].to_pylist() == ["1", "2"]
    assert table["at"].to_pylist()[0] == datetime(2026, 1, 1, tzinfo=UTC)
    assert table["tags"].to_pylist() == ['["a"]', None]
    assert table.schema.field("nothing").type == pa.string()


def hash_of(reader: Reader, row: dict[str, Any], shape: Json = SHAPE, **more: Any) -> int:
    table, _ = reader.read(Pages([orjson.dumps({"rows": [row]})], shape), {}, ("id",), **more)
    return table["_hash"].to_pylist()[0]


def test_rows_lie_in_arrows_own_memory_and_not_in_the_databases_larger_blocks(reader: Reader) -> None:
    before = pa.total_allocated_bytes()
    table, _ = reader.read(page(*({"id": str(n), "nested": "x" * 100} for n in range(5_000))), {}, ("id",))
    assert pa.total_allocated_bytes() - before >= table.nbytes


def test_a_vendors_own_table_gets_the_same_rows_and_hashes_as_its_json(reader: Reader) -> None:
    kinds: dict[str, DataType] = {"id": "text", "n": "bigint", "at": "timestamp", "note": "text", "none": "text"}
    rows = [
        {"id": "1", "n": "7", "at": "2026-01-01T00:00:00Z", "note": "a"},
        {"id": "", "n": "8"},
        {"id": "3", "n": "9"},
    ]
    body = orjson.dumps({"rows": rows})
    pages = Pages([body], Json(("rows",), {name: Field((name,), kind) for name, kind in kinds.items()}))
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in kinds}
    columns |= {"n": columns["n"].cast(pa.int64())}  # one column is what it shall be, another is still text
    theirs, refused = reader.read(pa.table(columns), kinds, ("id",), seq=4)
    ours, as_json_refused = reader.read(pages, kinds, ("id",), seq=4)
    assert theirs.select(ours.column_names).to_pylist() == ours.to_pylist()
    assert theirs.column_names == [*kinds, "_hash", "_seq", "_deleted", "_deleted_at"]
    assert [row.reason for row in refused] == [row.reason for row in as_json_refused] == ["the key is empty"]


def test_the_hash_ignores_a_column_that_came_later_and_is_empty(reader: Reader) -> None:
    wider = Json(("rows",), {**SHAPE.fields, "new": Field(("new",)), "score": Field(("score",), "double")})
    row = {"id": "1", "n": 3}
    assert hash_of(reader, row) == hash_of(reader, row, wider)
    assert hash_of(reader, row) != hash_of(reader, {**row, "new": "x"}, wider)


def test_the_hash_ignores_volatile_columns_and_knows_deleted_from_alive(reader: Reader) -> None:
    row = {"id": "1", "x": 1.0}
    assert hash_of(reader, row, volatile=("x",)) == hash_of(reader, {**row, "x": 2.0}, volatile=("x",))
    assert hash_of(reader, row) != hash_of(reader, {**row, "x": 2.0})
    assert hash_of(reader, row) != hash_of(reader, row, deleted=True)


def test_two_columns_that_exchange_their_values_make_another_version(reader: Reader) -> None:
    shape = Json(("rows",), {"id": Field(("id",)), "a": Field(("a",)), "b": Field(("b",))})
    assert hash_of(reader, {"id": "1", "a": "x", "b": "y"}, shape) != hash_of(
        reader, {"id": "1", "a": "y", "b": "x"}, shape
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8), lambda c: st.lists(c, max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["id", "note", 'quo"te', "日本"]), JSON, max_size=4), max_size=6),
    tail=st.dictionaries(st.sampled_from(["paging", "next", "done"]), st.none() | st.text(max_size=6) | st.booleans()),
)
def test_an_envelope_is_what_a_full_parse_gives_without_the_rows(rows: list[Any], tail: dict[str, Any]) -> None:
    body = orjson.dumps({"total": 5, "rows": rows, **tail})
    whole = orjson.loads(body)
    assert {k: v for k, v in envelope(body, "rows").items() if k != "rows"} == {
        k: v for k, v in whole.items() if k != "rows"
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("AccountId", "account_id"), ("Foo__c", "foo_c"), ("hs_object_id", "hs_object_id"), ("Id", "id")],
)
def test_column_names_are_dlts(theirs: str, ours: str) -> None:
    assert column_name(theirs) == ours
