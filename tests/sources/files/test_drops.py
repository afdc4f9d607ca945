"""Deliveries: which files are read when, what is a row and what is quarantined, what a full list says is gone."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.errors import ConfigurationError, ObjectNotPermitted
from tests.sources.files.conftest import Folder

A = "id,name,size\n1,Asahi,10\n2,Bando,20\n"
B = "id,name,size\n1,Asahi,11\n2,Bando,20\n"


def test_a_then_b_then_a_is_read_three_times_and_a_again_is_not(folder: Folder) -> None:
    sizes: list[list[int]] = []
    for content in (A, B, A, A):
        folder.put("accounts.csv", content)
        sizes.append([row["employee_count"] for row in folder.read()[0]])
    assert sizes == [[10, 20], [11, 20], [10, 20], []]


def test_a_file_that_lies_there_is_read_once(folder: Folder) -> None:
    folder.put("accounts.csv", A)
    assert len(folder.read()[0]) == 2
    assert folder.read() == ([], [])


def test_several_new_files_are_deliveries_in_the_order_of_their_change(folder: Folder) -> None:
    folder.put("accounts_z.csv", A)
    folder.put("accounts_a.csv", B)
    assert [row["file_name"] for row in folder.read()[0]] == ["accounts_z.csv"] * 2 + ["accounts_a.csv"] * 2


def test_an_old_file_beside_a_newer_one_is_not_read_again(folder: Folder) -> None:
    folder.put("accounts_1.csv", A)
    folder.put("accounts_2.csv", B)
    folder.read()
    assert folder.read() == ([], [])
    folder.put("accounts_3.csv", A)
    assert len(folder.read()[0]) == 2


def test_a_backfill_reads_everything_and_remembers_nothing(folder: Folder) -> None:
    folder.put("accounts.csv", A)
    folder.read()
    before = str(folder.memory)
    assert len(folder.read(backfill=True)[0]) == 2
    assert str(folder.memory) == before


def test_hidden_files_and_locks_of_office_programs_are_no_deliveries(folder: Folder) -> None:
    folder.put(".accounts.csv", A)
    folder.map("  - {entity: account, files: '*.csv', key: id, columns: {name: name, employee_count: size}}\n")
    folder.put("~$accounts.csv", A)
    assert folder.read() == ([], [])


def test_a_row_says_which_record_of_which_object_it_is_and_where_it_stands(folder: Folder) -> None:
    folder.map(
        "  - {entity: account, object: firm, files: '*.csv', key: [id, name], columns: {name: name, parent_id: mother}}\n"
    )
    folder.put("accounts.csv", "id,name,mother,note\n1,Asahi,,x\n2,Bando,1,\n")
    first, second = folder.read()[0]
    assert (first["id"], first["source_object"], first["source_id"]) == ("firm|1|Asahi", "firm", "1|Asahi")
    assert (first["parent_ref"], second["parent_ref"]) == (None, "firm|1")
    assert (first["file_name"], first["file_line"], second["file_line"]) == ("accounts.csv", 2, 3)
    assert (first["unmapped_columns"], second["unmapped_columns"]) == ('{"note":"x"}', "{}")


def test_the_stamp_of_a_version_is_the_files_own_where_it_has_one_else_the_delivery(folder: Folder) -> None:
    folder.map("  - {entity: account, files: '*.csv', key: id, columns: {name: name, updated_at: changed}}\n")
    folder.put("accounts.csv", "id,name,changed\n1,Asahi,2026-04-01 09:00\n2,Bando,\n")
    first, second = folder.read()[0]
    assert first["version_at"].isoformat() == "2026-04-01T00:00:00+00:00"
    assert second["version_at"] == folder.clock


def test_one_file_may_feed_several_entities_by_the_rows_they_name(folder: Folder) -> None:
    folder.map(
        "  - {entity: account, files: all.csv, key: id, where: {kind: firm}, columns: {name: name}}\n"
        "  - {entity: person, files: all.csv, key: id, where: {kind: [lead, contact]}, columns: {full_name: name}}\n"
        "  - {entity: product, files: all.csv, key: id, unless: {kind: [firm, lead, contact]}, columns: {name: name}}\n"
    )
    folder.put("all.csv", "id,kind,name\n1,firm,Asahi\n2,lead,Mori\n3,contact,Ito\n4,thing,Pump\n")
    assert [[row["source_id"] for row in folder.read(name)[0]] for name in ("account", "person", "product")] == [
        ["1"],
        ["2", "3"],
        ["4"],
    ]


def test_an_account_that_stands_beside_each_of_its_deals_is_one_record(folder: Folder) -> None:
    folder.map("  - {entity: account, files: deals.csv, key: account, distinct: true, columns: {name: account}}\n")
    folder.put("deals.csv", "id,account\n1,Asahi\n2,Bando\n3,Asahi\n")
    rows, rejected = folder.read()
    assert [row["source_id"] for row in rows] == ["Asahi", "Bando"]
    assert rejected == []


@pytest.mark.parametrize(
    ("line", "column", "value", "said"),
    [
        ("3,Chiyoda,many", "size", "many", "no number"),
        ("3,Chiyoda,1.5", "size", "1.5", "no whole number"),
        (",Chiyoda,30", "id", "", "the key (id) is empty"),
        ("2,Bando,21", "id", "2", "stands above in this full list"),
        ("3,Chi,yoda,30", None, None, "4 cells, the header has 3"),
        ('3,"Chiyoda,30', None, None, "not closed"),
    ],
)
def test_a_row_that_cannot_be_read_is_quarantined_with_its_reason_and_the_rest_is_read(
    folder: Folder, line: str, column: str | None, value: str | None, said: str
) -> None:
    folder.put("accounts.csv", f"{A}{line}\n4,Daido,40\n")
    rows, rejected = folder.read()
    assert [row["source_id"] for row in rows] == ["1", "2", "4"]
    assert [(bad.file, bad.line, bad.column_name, bad.value) for bad in rejected] == [
        ("accounts.csv", 4, column, value)
    ]
    assert said in rejected[0].reason
    assert rejected[0].row_text


def test_all_bad_cells_of_a_row_are_named_in_one_entry(folder: Folder) -> None:
    folder.map("  - {entity: account, files: '*.csv', key: id, columns: {employee_count: size, created_at: made}}\n")
    folder.put("accounts.csv", "id,size,made\n1,x,soon\n")
    _, rejected = folder.read()
    assert len(rejected) == 1
    assert "no number" in rejected[0].reason
    assert "also created_at" in rejected[0].reason


CELLS = st.sampled_from(["1", "2", "7", "x", "", '"a"', '"two\nlines"', '"open', "1,000", "多"])


@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4).map(",".join), max_size=25), full=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_read_are_rows_landed_and_quarantined(folder: Folder, rows: list[str], full: bool) -> None:
    from datetime import UTC, datetime

    import duckdb

    from sources.files.mapping import load_mapping
    from sources.files.rows import Reader
    from sources.files.text import read_text

    delivery = "full" if full else "changes"
    folder.map(
        f"  - {{entity: account, files: '*.csv', delivery: {delivery}, key: id, columns: {{name: name, employee_count: size}}}}\n"
    )
    stream = load_mapping(folder.mapping).streams[0]
    reader = Reader(stream, "accounts.csv", datetime(2026, 1, 1, tzinfo=UTC), duckdb.connect())
    data = "\n".join(["id,name,size", *rows, ""]).encode()
    batches = [batch for cells in read_text(data, stream.dialect) for batch in reader.rows(cells)]
    landed = sum(batch.num_rows for batch in batches if hasattr(batch, "num_rows"))
    quarantined = sum(not hasattr(batch, "num_rows") for batch in batches)
    assert (landed, quarantined) == (reader.landed, reader.quarantined)
    assert reader.read == landed + quarantined + reader.left_out
    blank = sum(not cell.strip('" ,') for cell in rows)
    assert reader.left_out <= blank


def test_a_full_list_names_all_that_lives_and_counts_it(folder: Folder) -> None:
    folder.put("accounts.csv", A)
    folder.put("accounts_new.csv", "id,name,size\n2,Bando,20\n")
    assert folder.stream("account").deletes == "sweep"
    assert folder.keys() == ["account|2"]
    connection = folder.connection()
    assert connection.count(folder.stream("account")) == 1
    connection.close()


def test_a_quarantined_row_still_lives(folder: Folder) -> None:
    folder.put("accounts.csv", f"{A}3,Chiyoda,many\n4,Da,ido,40\n")
    assert folder.keys() == ["account|1", "account|2", "account|3", "account|4"]


def test_a_list_with_a_line_whose_key_cannot_be_read_deletes_nothing(folder: Folder) -> None:
    folder.put("accounts.csv", f"{A}garbage\n")
    with pytest.raises(ObjectNotPermitted, match="none is taken as deleted"):
        folder.keys()


def test_files_that_were_moved_away_delete_nothing(folder: Folder) -> None:
    assert folder.stream("account").deletes == "none"


def test_changes_say_nothing_of_what_is_gone(folder: Folder) -> None:
    folder.map("  - {entity: account, files: '*.csv', delivery: changes, key: id, columns: {name: name}}\n")
    folder.put("accounts.csv", A)
    assert folder.stream("account").deletes == "none"
    connection = folder.connection()
    assert connection.count(folder.stream("account")) is None
    connection.close()


def test_a_column_that_the_file_lacks_names_the_line_of_the_mapping_and_what_there_is(folder: Folder) -> None:
    folder.put("accounts.csv", "id,title,size\n1,Asahi,10\n")
    rows, [bad] = folder.read()
    assert rows == []
    assert "mapping.yaml, line 2: accounts.csv has no column 'name'. It has: id, title, size" in bad.reason
    assert (bad.file, bad.is_file) == ("accounts.csv", True)


def workbook_with_a_broken_sheet() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["id", "name", "size"])  # type: ignore[union-attr]
    for number in range(300):
        book.active.append([number, f"name {number}", number])  # type: ignore[union-attr]
    whole, cut = io.BytesIO(), io.BytesIO()
    book.save(whole)
    with zipfile.ZipFile(whole) as there, zipfile.ZipFile(cut, "w") as made:
        for name in there.namelist():
            data = there.read(name)
            made.writestr(name, data[: len(data) // 2] if name.endswith("sheet1.xml") else data)
    return cut.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("accounts_2.xlsx", b"this is no workbook", r"accounts_2.xlsx is no Excel workbook.*save it again"),
        ("accounts_2.xlsx", workbook_with_a_broken_sheet(), r"accounts_2.xlsx.*save it again"),
        ("accounts_2.xls", b"old", r"before 2007; save it as .xlsx or as CSV"),
        ("accounts_2.csv", b"id,name\0,size\n1,A,1\n", r"NUL bytes.*export it again"),
        ("accounts_2.csv", b"\n\n", r"no header line was found; export it again"),
        ("accounts_2.csv", b"id,name,name\n1,A,1\n", r"more than once; rename"),
        ("accounts_2.csv", b"id;title\n1;A\n", r"has no column 'name'"),
    ],
)
def test_a_file_that_cannot_be_read_stops_itself_alone_and_is_read_again_next_time(
    folder: Folder, name: str, content: bytes, said: str
) -> None:
    folder.map("  - {entity: account, files: 'accounts*', key: id, columns: {name: name, employee_count: size}}\n")
    folder.put("accounts_1.csv", A)
    folder.put(name, content)
    folder.put("accounts_3.csv", "id,name,size\n3,Chiyoda,30\n")
    rows, [bad] = folder.read()
    assert [row["source_id"] for row in rows] == ["1", "2", "3"]
    assert re.search(said, bad.reason) and (bad.file, bad.is_file) == (name, True)
    rows, [again] = folder.read()
    assert (rows, again) == ([], bad), "only the broken one is read again"
    (folder.path / name).unlink()
    assert folder.read() == ([], [])


def test_a_file_that_is_mended_is_read(folder: Folder) -> None:
    folder.put("accounts_1.csv", "no header of ours\n")
    folder.read()
    folder.put("accounts_1.csv", A)
    rows, rejected = folder.read()
    assert ([row["source_id"] for row in rows], rejected) == (["1", "2"], [])


def test_while_the_newest_full_list_cannot_be_read_nothing_is_taken_as_deleted(folder: Folder) -> None:
    folder.put("accounts_1.csv", A)
    folder.put("accounts_2.csv", "no header of ours\n")
    with pytest.raises(ObjectNotPermitted, match=r"accounts_2\.csv is the newest full list and cannot be read"):
        folder.keys()


def test_a_folder_that_is_not_there_says_what_to_do(folder: Folder, tmp_path: Path) -> None:
    folder.path = tmp_path / "elsewhere"
    with pytest.raises(ConfigurationError, match="Create it"):
        folder.connection()


def test_a_workbook_is_read_with_its_own_types(folder: Folder) -> None:
    from datetime import date, datetime

    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "表紙"  # type: ignore[union-attr]
    sheet = book.create_sheet("取引先")
    for row in (
        ["一覧"],
        ["id", "name", "size", "made", "day"],
        [1, "Asahi", 10.0, datetime(2026, 4, 1, 9, 30), date(2026, 4, 1)],
        [2, "Bando", "1,200", None, "2026/4/2"],
        [None] * 5,
    ):
        sheet.append(row)
    book.save(folder.path / "accounts.xlsx")
    folder.map(
        "  - entity: account\n    files: '*.xlsx'\n    sheet: 取引先\n    header_line: 2\n    key: id\n"
        "    columns: {name: name, employee_count: size, created_at: made}\n"
    )
    rows, rejected = folder.read()
    assert rejected == []
    assert [(row["source_id"], row["employee_count"], row["file_line"]) for row in rows] == [
        ("1", 10, 3),
        ("2", 1200, 4),
    ]
    assert rows[0]["created_at"].isoformat() == "2026-04-01T00:30:00+00:00"
    assert rows[0]["unmapped_columns"] == '{"day":"2026-04-01"}'
