"""A delimited text file → blocks of text cells with the line of each row, and the lines that could not be cut into cells.

Every row of the file is in exactly one of the two. A block that is plain goes through Arrow's reader; one with a bad line or
a value of several lines is read record by record, and a record that does not fit costs its first line only.
This file knows nothing of mappings, types or dlt.
"""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as arrow_csv

from sources.files.dialect import detect_delimiter
from sources.files.encoding import UNREADABLE, detect, text_of

# pyarrow's compute functions are made at run time, so a type checker does not know them.
pc: Any = compute

# Memory per file is a few blocks, whatever the file's size.
BLOCK_BYTES = 16 << 20
_HEAD_BYTES = 1 << 18
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
    for block in _blocks(data, start):
        text = text_of(block, encoding)
        yield _fast(text, names, delimiter, line) or _careful(text, names, delimiter, line)
        line += block.count(b"\n")


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
    if b"\x00" in data[:_HEAD_BYTES]:
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


def _blocks(data: bytes, start: int) -> Iterator[bytes]:
    """Pieces that end with a line and, as far as quotation marks tell, with a record."""
    while start < len(data):
        limit = min(start + BLOCK_BYTES, len(data))
        end = _line_end(data, limit)
        odd = data.count(b'"', start, end) % 2
        while odd and end < len(data) and end - limit < BLOCK_BYTES:
            following = _line_end(data, end + 1)
            odd ^= data.count(b'"', end, following) % 2
            end = following
        yield data[start:end]
        start = end


def _line_end(data: bytes, position: int) -> int:
    return data.find(b"\n", position - 1) + 1 or len(data)


def _fast(text: str, names: list[str], delimiter: str, line: int) -> Cells | None:
    """Arrow's own CSV reader; None when the block is not one row a line."""
    count = text.count("\n") + (0 if text.endswith("\n") else 1)
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(text.encode()),
            arrow_csv.ReadOptions(column_names=names, block_size=4 << 20),
            arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=False, ignore_empty_lines=False),
            arrow_csv.ConvertOptions(
                column_types={column: pa.string() for column in names}, strings_can_be_null=False, null_values=[]
            ),
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    if table.num_rows != count or (text.count('"') % 2):
        return None
    cells = pa.table({column: blank_to_null(table[column]) for column in names})
    return Cells(cells, pa.chunked_array([pa.array(range(line, line + count), pa.int64())]))


def blank_to_null(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Surrounding space (also the full-width one) off, and NULL where nothing is left."""
    trimmed = pc.utf8_trim_whitespace(cells)
    return cast(pa.ChunkedArray, pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed))


def make_cells(names: list[str], columns: list[list[str]], numbers: list[int], broken: list[BrokenLine]) -> Cells:
    """Cells of Python lists, one a column."""
    table = pa.table(
        {
            name: blank_to_null(pa.chunked_array([pa.array(cells, pa.string())]))
            for name, cells in zip(names, columns, strict=True)
        }
    )
    return Cells(table, pa.chunked_array([pa.array(numbers, pa.int64())]), broken)


def _careful(text: str, names: list[str], delimiter: str, line: int) -> Cells:
    lines = _lines(text)
    columns: list[list[str]] = [[] for _ in names]
    numbers: list[int] = []
    broken: list[BrokenLine] = []
    at = 0
    while at < len(lines):
        record = _record_at(lines, at, delimiter, len(names))
        if record.problem:
            shown = lines[at].rstrip("\r\n").encode("utf-8", "backslashreplace").decode()
            broken.append(BrokenLine(line + at, shown, record.problem, _rough_cells(shown, delimiter)))
        elif record.cells:
            numbers.append(line + at)
            for column, cell in zip(columns, record.cells, strict=True):
                column.append(cell)
        at = record.next_line
    return make_cells(names, columns, numbers, broken)


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


def _record_at(lines: list[str], at: int, delimiter: str, width: int) -> _Record:
    """The record that starts at line `at`; one that is no row of `width` cells (0: any) ends with that line."""
    if not lines[at].strip():
        return _Record(at + 1, [])
    if bad := UNREADABLE.search(lines[at]):
        return _Record(
            at + 1,
            [],
            f"byte 0x{ord(bad.group()) - 0xDC00:02x} is no character of the file's encoding; export it again as UTF-8",
        )
    end = at + 1
    quotes = lines[at].count('"')
    while quotes % 2 and end < min(len(lines), at + _LONGEST_RECORD_LINES):
        quotes += lines[end].count('"')
        end += 1
    if quotes % 2:
        return _Record(at + 1, [], "a quotation mark is opened and never closed; close it, or double it inside a value")
    source = io.StringIO("".join(lines[at:end]), newline="")
    try:
        cells = next(csv.reader(source, delimiter=delimiter, strict=end > at + 1), [])
    except csv.Error as error:
        return _Record(at + 1, [], f"the quotation marks do not fit ({error}); double the ones inside a value")
    if width and len(cells) != width:
        problem = f"the line has {len(cells)} cells, the header has {width}; put values that hold {delimiter!r} in quotation marks"
        return _Record(at + 1, [], problem)
    return _Record(end, cells)
