"""Text files cut into cells: encodings, dialects, broken lines. No row is ever lost between the two lists."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.files import text as text_module
from sources.files.dialect import detect_delimiter
from sources.files.encoding import detect
from sources.files.text import Dialect, Unreadable, read_text

JAPANESE = "会社名,金額\n㈱髙島①,100\n日本郵便～ほか,200\n"


def rows_of(data: bytes, dialect: Dialect | None = None) -> list[dict[str, str]]:
    return [row for block in read_text(data, dialect or Dialect()) for row in block.table.to_pylist()]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (JAPANESE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + JAPANESE.encode(), "utf-8"),
        (JAPANESE.encode("cp932"), "cp932"),
        (codecs.BOM_UTF16_LE + JAPANESE.encode("utf-16-le"), "utf-16-le"),
        ("お客様の名前,ひらがなのメモ\nたなか,です\n".encode("euc_jp"), "euc_jp"),
        ("会社名,部署\n青井商事,商品部\n丸商,商工課\n".encode("cp932"), "cp932"),
        ("会社名,部署\n青井商事,商品部\n丸商,商工課\n".encode("euc_jp"), "euc_jp"),
        ("ｶﾌﾞｼｷ,ｶｲｼｬ\nﾀﾅｶ,ｽｽﾞｷ\n".encode("cp932"), "cp932"),
        (b"a,b\n1,2\n", "utf-8"),
    ],
)
def test_the_encoding_is_found_from_the_bytes(data: bytes, encoding: str) -> None:
    assert detect(data)[0] == encoding
    assert len(rows_of(data)) in (1, 2)


def test_the_extension_characters_of_nec_and_ibm_are_read() -> None:
    assert rows_of(JAPANESE.encode("cp932"))[0] == {"会社名": "㈱髙島①", "金額": "100"}


@pytest.mark.parametrize("name", ["shift_jis", "SJIS", "windows-31j", "cp932"])
def test_every_name_of_shift_jis_means_the_table_that_windows_uses(name: str) -> None:
    assert rows_of(JAPANESE.encode("cp932"), Dialect(encoding=name))[0]["会社名"] == "㈱髙島①"


def test_one_byte_cut_off_by_an_export_costs_its_line_only() -> None:
    data = JAPANESE.encode("cp932").replace("ほか".encode("cp932"), "ほか".encode("cp932")[:3])
    blocks = list(read_text(data, Dialect()))
    assert [row["金額"] for block in blocks for row in block.table.to_pylist()] == ["100"]
    assert [(broken.line, "no character" in broken.reason) for broken in blocks[0].broken] == [(3, True)]


def test_an_unknown_encoding_is_named_with_the_remedy() -> None:
    with pytest.raises(Unreadable, match="'klingon' is no encoding"):
        rows_of(b"a,b\n1,2\n", Dialect(encoding="klingon"))


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a\tb\n1,5\t2\n", "\t"),
        ("a;b\n1,5;2,5\n3,5;4\n", ";"),
        ("a|b\n1|2\n", "|"),
        ("a\n1\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_every_line_alike(text: str, delimiter: str) -> None:
    assert detect_delimiter(text) == delimiter


def test_the_columns_that_the_mapping_needs_decide_between_delimiters() -> None:
    assert detect_delimiter("name, first;name, last\na, b;c, d\n", ("name, first", "name, last")) == ";"


def test_a_value_of_several_lines_is_one_row_and_the_next_keeps_its_line() -> None:
    block = next(iter(read_text(b'id,note\n1,"two\nlines"\n2,x\n', Dialect())))
    assert block.table.to_pylist() == [{"id": "1", "note": "two\nlines"}, {"id": "2", "note": "x"}]
    assert block.lines.to_pylist() == [2, 4]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2,x,too many", "3 cells, the header has 2"),
        ("2", "1 cells, the header has 2"),
        ('2,"never closed', "not closed"),
        ('2,"closed" too early"', "quotation mark"),
    ],
)
def test_a_broken_line_costs_that_line_only(line: str, said: str) -> None:
    block = next(iter(read_text(f"id,note\n1,a\n{line}\n3,c\n4,d\n".encode(), Dialect())))
    assert [row["id"] for row in block.table.to_pylist()] == ["1", "3", "4"]
    assert block.lines.to_pylist() == [2, 4, 5]
    assert [(broken.line, broken.text) for broken in block.broken] == [(3, line)]
    assert said in block.broken[0].reason


def test_a_quotation_mark_left_open_before_quoted_lines_costs_that_line_only() -> None:
    block = next(iter(read_text(b'id,note\n1,"open\n2,"fine"\n3,"also fine"\n', Dialect())))
    assert [row["id"] for row in block.table.to_pylist()] == ["2", "3"]
    assert [broken.line for broken in block.broken] == [2]


def test_blank_lines_are_no_rows() -> None:
    block = next(iter(read_text(b"id,note\n\n1,a\n\n\n2,b\n\n", Dialect())))
    assert block.table.num_rows == 2
    assert not block.broken
    assert block.lines.to_pylist() == [3, 6]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_commas_alone_is_a_row_without_values_and_a_blank_line_is_none(end: str) -> None:
    block = next(iter(read_text(end.join(["id,note", ",", "1,a", "", "2,b", ""]).encode(), Dialect())))
    assert block.table.to_pylist() == [
        {"id": None, "note": None},
        {"id": "1", "note": "a"},
        {"id": "2", "note": "b"},
    ]
    assert block.lines.to_pylist() == [2, 3, 5]


def test_space_around_values_also_full_width_goes_and_an_empty_cell_is_null() -> None:
    assert rows_of("id,note\n1 ,　あ　\n2,　\n".encode()) == [{"id": "1", "note": "あ"}, {"id": "2", "note": None}]


def test_a_title_above_the_header_is_skipped_when_the_mapping_says_so() -> None:
    blocks = list(read_text("売上一覧\n\nid,note\n1,a\n".encode(), Dialect(header_line=3)))
    assert blocks[0].table.to_pylist() == [{"id": "1", "note": "a"}]
    assert blocks[0].lines.to_pylist() == [4]


def test_a_header_name_that_stands_twice_makes_the_file_unreadable() -> None:
    with pytest.raises(Unreadable, match="name more than once"):
        rows_of(b"id,name,name\n1,a,b\n")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"id\x00,a\n1,2\n"])
def test_a_file_without_a_table_says_so(data: bytes) -> None:
    with pytest.raises(Unreadable):
        rows_of(data)


def test_a_file_with_a_header_only_has_no_rows_and_no_broken_lines() -> None:
    blocks = list(read_text(b"id,note", Dialect()))
    assert [block.table.column_names for block in blocks] == [["id", "note"]]
    assert sum(block.table.num_rows + len(block.broken) for block in blocks) == 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_known(end: str) -> None:
    assert rows_of(end.join(["id,note", "1,a", "2,b", ""]).encode()) == [
        {"id": "1", "note": "a"},
        {"id": "2", "note": "b"},
    ]


_LINE = st.lists(
    st.sampled_from(["1", "あ", '"q"', '"a,b"', '"two\nlines"', '"open', 'x"y', "", " "]), min_size=1, max_size=4
).map(",".join)


@given(lines=st.lists(_LINE, max_size=30), size=st.integers(8, 64))
@settings(max_examples=150, deadline=None)
def test_small_blocks_and_one_large_block_give_the_same_rows(lines: list[str], size: int) -> None:
    data = "\n".join(["a,b", *lines, ""]).encode()
    large = everything(data)
    kept, text_module.BLOCK_BYTES = text_module.BLOCK_BYTES, size
    try:
        assert everything(data) == large
    finally:
        text_module.BLOCK_BYTES = kept


def everything(data: bytes) -> list[tuple[int, str]]:
    """Rows and broken lines by line number."""
    found: list[tuple[int, str]] = []
    for block in read_text(data, Dialect(delimiter=",")):
        found += [(line, str(row)) for line, row in zip(block.lines.to_pylist(), block.table.to_pylist(), strict=True)]
        found += [(broken.line, broken.text) for broken in block.broken]
    return sorted(found)


@given(lines=st.lists(_LINE, max_size=30))
@settings(max_examples=150, deadline=None)
def test_every_line_with_something_in_it_is_in_a_row_or_among_the_broken(lines: list[str]) -> None:
    data = "\n".join(["a,b", *lines, ""])
    covered: set[int] = set()
    for block in read_text(data.encode(), Dialect(delimiter=",")):
        starts = sorted([*block.lines.to_pylist(), *(broken.line for broken in block.broken)])
        assert len(starts) == len(set(starts))
        covered.update(starts)
    physical = data.split("\n")
    for number, line in enumerate(physical[1:], 2):
        if line.strip() and number not in covered:  # then it must continue the row above
            assert any(row < number for row in covered), (number, line)
