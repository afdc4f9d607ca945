"""A delimited text file → blocks of text cells with the line of each row, and the lines that could not be cut into cells.

Every row of the file is in exactly one of the two. A block that is plain goes through Arrow's reader; one with a bad line or
a value of several lines is read record by record, and a record that does not fit costs its first line only.
This file knows nothing of mappings, types or dlt.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from sources.files.dialect import detect_delimiter
from sources.files.encoding import UNREADABLE, detect, text_of

# pyarrow's compute functions are made at run time, so a type checker does not know them.
pc: Any = compute

# Memory per file is a few blocks, whatever the file's size.
BLOCK_BYTES = 8 << 20
_HEAD_BYTES = 1 << 18
# One that strayed into a note is a character of it; a file of another kind, or UTF-16 without its mark, is full of them.
_MOST_NULS = 0.01
# An opened quotation mark that is never closed would swallow the rest of the file; a real note is never this long.
_LONGEST_RECORD_LINES = 500


@dataclass(frozen=True)
class Dialect:
    """What a mapping may fix instead of having it detected."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_line: int = 1


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no row: its number (1-based), its text and what is wrong with it."""

    line: int
    text: str
    reason: str
    cells: list[str] = field(default_factory=list[str])
    """What stands between its delimiters, as far as one can tell."""


@dataclass(frozen=True)
class Cells:
    """`table`: one text column per header name, blank cells NULL. `lines`: the line of each row in the file."""

    table: pa.Table
    lines: pa.ChunkedArray
    broken: list[BrokenLine] = field(default_factory=list[BrokenLine])


class Unreadable(ValueError):
    """The file as a whole cannot be read; the message says why and what to do."""


def read_text(data: bytes, dialect: Dialect, wanted: Collection[str] = (), name: str = "file") -> Iterator[Cells]:
    """The cells of the bytes of a text file; at least one block, so that the header is always known.

    `wanted` are header names that the mapping needs. Raises `Unreadable`.
    """
    encoding, data = _bytes(data, dialect.encoding, name)
    # Python's own limit, 131,072 characters, is less than a long note.
    csv.field_size_limit(max(csv.field_size_limit(), len(data)))
    start = 0
    for _ in range(dialect.header_line - 1):
        start = data.find(b"\n", start) + 1
    head = text_of(data[start : start + _HEAD_BYTES], encoding)
    if not head.strip():
        raise Unreadable(f"{name}: no header line was found; export it again, or correct `header_line:` in the mapping")
    delimiter = dialect.delimiter or detect_delimiter(head, wanted)
    first = _header_record(_lines(head), delimiter)
    names = header_names(first.cells, name)
    for _ in range(first.next_line):
        start = data.find(b"\n", start) + 1 or len(data)
    line = dialect.header_line + first.next_line
    if start >= len(data):
        yield make_cells(names, [[] for _ in names], [], [])
    while start < len(data):
        cells, start, line = _block(data, start, _Format(encoding, delimiter, names), line)
        yield cells


@dataclass(frozen=True)
class _Format:
    encoding: str
    delimiter: str
    names: list[str]


def _block(data: bytes, start: int, form: _Format, line: int) -> tuple[Cells, int, int]:
    """The cells of the next block, and where (byte and line) the one after it starts: with a record, never inside one."""
    end = _line_end(data, start + BLOCK_BYTES)
    while True:
        text = text_of(data[start:end], form.encoding)
        cells = _fast(text, form, line)
        if cells:
            return cells, end, line + cells.table.num_rows
        cells, used = _careful(text, form, line, end == len(data))
        if used:
            break
        end = _line_end(data, end + BLOCK_BYTES)  # one record longer than the block
    following = start
    for _ in range(used):
        following = _line_end(data, following + 1)
    return cells, following, line + used


def _header_record(lines: list[str], delimiter: str) -> "_Record":
    at = 0
    while not lines[at].strip():
        at += 1
    return _record_at(lines, at, delimiter, 0)


def _bytes(data: bytes, declared: str | None, name: str) -> tuple[str, bytes]:
    """The encoding, and the bytes without mark, in an encoding in which a line feed is one byte, with line feeds as ends."""
    try:
        encoding, mark = detect(data, declared)
    except ValueError as error:
        raise Unreadable(f"{name}: {error}") from error
    data = data[mark:] if mark else data
    if encoding.startswith(("utf-16", "utf-32")):
        encoding, data = "utf-8", data.decode(encoding, "replace").encode()
    if data.count(0, 0, _HEAD_BYTES) > _MOST_NULS * len(data[:_HEAD_BYTES]):
        raise Unreadable(f"{name}: it has NUL bytes, so it is no text file; export it again as CSV or .xlsx")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")  # line ends of the old Mac, which Excel still offers
    return encoding, data


def header_names(row: list[str], name: str) -> list[str]:
    """The column names of a header row. A name that stands twice makes the file unreadable."""
    names = [" ".join(cell.split()) for cell in row]
    twice = sorted({cell for cell in names if cell and names.count(cell) > 1})
    if twice:
        raise Unreadable(f"{name}: the header names {', '.join(twice)} more than once; rename one of the columns")
    return [cell or f"column_{place}" for place, cell in enumerate(names, 1)]


def _line_end(data: bytes, position: int) -> int:
    return data.find(b"\n", position - 1) + 1 or len(data)


def _fast(text: str, form: _Format, line: int) -> Cells | None:
    """Arrow's own CSV reader; None when the block is not one row a line."""
    names = form.names
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a byte that is no character
        return None
    if b'"' in data and not _is_plain(data, form.delimiter):
        return None
    count = data.count(b"\n") + (0 if data.endswith(b"\n") else 1)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            # One thread and one piece: the block is small, and threads cost more CPU than they save time.
            arrow_csv.ReadOptions(column_names=names, block_size=len(data) + 1, use_threads=False),
            arrow_csv.ParseOptions(delimiter=form.delimiter, newlines_in_values=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types={column: pa.string() for column in names},
                check_utf8=False,  # Python has just written it
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != count:
        return None
    # Arrow takes a blank line for a row without values; so does every line of commas alone.
    if _has_empty_row(table) and (data[:1] in b"\r\n" or b"\n\n" in data or b"\n\r\n" in data):
        return None
    cells = pa.table({column: blank_to_null(table[column]) for column in names})
    return Cells(cells, pa.chunked_array([pa.array(numpy.arange(line, line + count))]))


def _has_empty_row(table: pa.Table) -> bool:
    """Most tables have a column that is never empty, often the first: then one look is enough."""
    rest: Any = None
    for cells in table.columns:
        empty = pc.is_null(cells)
        rest = empty if rest is None else pc.and_(rest, empty)
        if not pc.any(rest).as_py():
            return False
    return True


def _is_plain(data: bytes, delimiter: str) -> bool:
    """Whether each line is whole cells: Arrow's reader takes a stray or open quotation mark without a word."""
    cut = re.escape(delimiter).encode()
    pattern = rb'(?:(?:"(?:[^"\n]++|"")*+"|[^"\n' + cut + rb"]*+)(?:" + cut + rb"|\r?\n|\Z))*+"
    return re.fullmatch(pattern, data) is not None


def blank_to_null(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Surrounding space (also the full-width one) off, and NULL where nothing is left."""
    trimmed = pc.utf8_trim_whitespace(cells)
    empty = pc.equal(trimmed, "")
    if not pc.any(empty).as_py():
        return cast(pa.ChunkedArray, trimmed)
    return cast(pa.ChunkedArray, pc.if_else(empty, pa.scalar(None, pa.string()), trimmed))


def make_cells(names: list[str], columns: list[list[str]], numbers: list[int], broken: list[BrokenLine]) -> Cells:
    """Cells of Python lists, one a column."""
    table = pa.table(
        {
            name: blank_to_null(pa.chunked_array([pa.array(cells, pa.string())]))
            for name, cells in zip(names, columns, strict=True)
        }
    )
    return Cells(table, pa.chunked_array([pa.array(numbers, pa.int64())]), broken)


def _careful(text: str, form: _Format, line: int, is_last: bool) -> tuple[Cells, int]:
    """Record by record; and how many lines that took, fewer than all where the last record goes on in the next block."""
    lines = _lines(text)
    columns: list[list[str]] = [[] for _ in form.names]
    numbers: list[int] = []
    broken: list[BrokenLine] = []
    at = 0
    while at < len(lines):
        record = _record_at(lines, at, form.delimiter, len(form.names), is_last)
        if record.next_line == at:
            break
        if record.problem:
            whole = "".join(lines[at : record.next_line]).rstrip("\r\n")
            shown = whole.encode("utf-8", "backslashreplace").decode()
            broken.append(BrokenLine(line + at, shown, record.problem, _rough_cells(shown, form.delimiter)))
        elif record.cells:
            numbers.append(line + at)
            for column, cell in zip(columns, record.cells, strict=True):
                column.append(cell)
        at = record.next_line
    return make_cells(form.names, columns, numbers, broken), at


def _rough_cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(delimiter)]


def _lines(text: str) -> list[str]:
    """Cut at line feeds only: `splitlines` also cuts at vertical tabs and U+2028, and those stand inside notes."""
    return list(io.StringIO(text, newline="\n"))


@dataclass(frozen=True)
class _Record:
    """`cells` empty and no `problem`: a blank line, which is no row."""

    next_line: int
    cells: list[str]
    problem: str = ""


def _record_at(lines: list[str], at: int, delimiter: str, width: int, is_last: bool = True) -> _Record:
    """The record that starts at line `at`, with `width` cells (0: any number).

    One whose quotation marks do not fit ends with its first line, so that an opened quote costs one line, not the file.
    """
    if not lines[at].strip():
        return _Record(at + 1, [])
    if bad := UNREADABLE.search(lines[at]):
        byte = f"0x{ord(bad.group()) - 0xDC00:02x}"
        return _Record(
            at + 1, [], f"byte {byte} is no character of the file's encoding; export the file again as UTF-8"
        )
    limit = min(len(lines), at + _LONGEST_RECORD_LINES)
    reader = csv.reader((lines[place] for place in range(at, limit)), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
        end = at + reader.line_num
    except csv.Error as error:
        is_open = "end of data" in str(error)
        if is_open and limit == len(lines) and limit < at + _LONGEST_RECORD_LINES and not is_last:
            return _Record(at, [])  # it may go on in the next block
        if is_open or lines[at].count('"') % 2:
            return _Record(
                at + 1, [], "a quotation mark is opened and not closed; close it, or double it inside a value"
            )
        cells = next(csv.reader([lines[at]], delimiter=delimiter))
        end = at + 1
    if width and len(cells) != width:
        problem = f"the line has {len(cells)} cells, the header has {width}; put values that hold {delimiter!r} in quotation marks"
        return _Record(end, [], problem)
    return _Record(end, cells)
