"""One delivered file of any known format → blocks of text cells. It knows formats only: no mapping, no types, no dlt."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sources.files.text import BrokenLine, Cells, Dialect, Unreadable, header_names, make_cells, read_text

EXCEL_SUFFIXES = (".xlsx", ".xlsm")
_ROWS_A_BLOCK = 51_200


def read_file(path: Path, data: bytes, dialect: Dialect, wanted: Collection[str] = ()) -> Iterator[Cells]:
    """The cells of a CSV file or workbook; `data` are the file's bytes. Raises `Unreadable` before or between blocks."""
    suffix = path.suffix.lower()
    if suffix in EXCEL_SUFFIXES:
        return _read_workbook(path.name, data, dialect)
    if suffix == ".xls":
        raise Unreadable(f"{path.name} is in Excel's format before 2007; save it as .xlsx or as CSV")
    return read_text(data, dialect, wanted, path.name)


def _read_workbook(name: str, data: bytes, dialect: Dialect) -> Iterator[Cells]:
    """Values of a sheet, as text in the forms that `values.py` reads (ISO dates, whole numbers without `.0`)."""
    import io
    import zipfile
    import zlib

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError) as error:
        raise Unreadable(f"{name} is no Excel workbook ({error}); save it again as .xlsx, or as CSV") from error
    try:
        if dialect.sheet and dialect.sheet not in book.sheetnames:
            raise Unreadable(f"{name} has no sheet {dialect.sheet!r}; it has {', '.join(book.sheetnames)}")
        sheet = book[dialect.sheet or book.sheetnames[0]]
        # Files of other programs state a wrong size, and openpyxl then stops there.
        sheet.reset_dimensions()
        yield from _sheet_cells((list(row) for row in sheet.iter_rows(values_only=True)), dialect.header_line, name)
    except (zipfile.BadZipFile, zlib.error, KeyError, SyntaxError, EOFError) as error:
        raise Unreadable(f"{name} is a broken workbook ({error}); save it again as .xlsx, or as CSV") from error
    finally:
        book.close()


def _sheet_cells(rows: Iterator[list[Any]], header_line: int, name: str) -> Iterator[Cells]:
    for _ in range(header_line - 1):
        next(rows, None)
    first = [_cell_text(value) for value in next(rows, [])]
    while first and not first[-1]:
        first.pop()
    if not first:
        raise Unreadable(
            f"{name}: line {header_line} of the sheet is empty; set `header_line:` to the line of the names"
        )
    names = header_names(first, name)
    columns: list[list[str]] = [[] for _ in names]
    numbers: list[int] = []
    broken: list[BrokenLine] = []
    for line, values in enumerate(rows, header_line + 1):
        row = [_cell_text(value) for value in values]
        if any(row[len(names) :]):
            reason = f"the row has values beyond the {len(names)} columns of the header; name the column or clear it"
            broken.append(BrokenLine(line, ",".join(row), reason, row))
        elif any(row):
            numbers.append(line)
            for place, column in enumerate(columns):
                column.append(row[place] if place < len(row) else "")
        if len(numbers) == _ROWS_A_BLOCK:
            yield make_cells(names, columns, numbers, broken)
            columns, numbers, broken = [[] for _ in names], [], []
    yield make_cells(names, columns, numbers, broken)


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        if value.time() == time(0):
            return value.date().isoformat()
        return value.isoformat(" ", "microseconds" if value.microsecond else "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
