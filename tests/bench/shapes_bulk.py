"""The wire of Salesforce's Bulk API 2.0: one page of REST that tells the number of rows, then a job's results in CSV pages."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from tests.bench.shapes import DUCKDB_TYPES, PAGE_MARK, Pages, Shape, salesforce, value

JOB = "7505e00000BenchAAA"


def _cell(name: str, kind: str, row: int, chance: random.Random) -> str:
    if name == "Id":
        return f"001{PAGE_MARK}{row:05}AAA"
    if name == "SystemModstamp":
        return "2025-06-01T09:00:00.000Z"
    if name == "IsDeleted":
        return "false"
    given = value(kind, chance)
    return "" if given is None else str(given).lower() if isinstance(given, bool) else str(given)


def _lines(rows: int, chance: random.Random) -> str:
    columns = salesforce().columns
    return "".join(
        ",".join(f'"{_cell(name, kind, row, chance)}"' for name, kind in columns.items()) + "\n" for row in range(rows)
    )


def _answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path)
    if not url.path.startswith("/services/data/v62.0/jobs/query"):
        rest = salesforce()
        if "SystemModstamp" not in url.query:  # the count, what describe shows
            return rest.answer(rest, pages, method, path, body)
        row = dict.fromkeys(shape.columns) | {"Id": "001000000000000AAA"}
        first = {"totalSize": pages.rows, "done": False, "nextRecordsUrl": "/services/data/v62.0/query/01g-1"}
        return json.dumps({**first, "records": [row] * 2_000}).encode()
    if method == "POST":
        return json.dumps({"id": JOB, "state": "UploadComplete"}).encode()
    if not url.path.endswith("/results"):
        return json.dumps({"id": JOB, "state": "JobComplete", "numberRecordsProcessed": pages.rows}).encode()
    asked = parse_qs(url.query)
    first = int(asked.get("locator", ["0"])[0])
    last = min(first + int(asked["maxRecords"][0]) // shape.page_size, pages.count)
    pages.headers = {
        "Sforce-NumberOfRecords": str((last - first) * shape.page_size),
        "Sforce-Locator": str(last) if last < pages.count else "null",
    }
    header = ",".join(f'"{name}"' for name in shape.columns) + "\n"
    return (header + "".join(pages.page(number) for number in range(first, last))).encode()


def salesforce_bulk() -> Shape:
    """Accounts as results of a job. The template's rows are lines of a page."""
    rest = salesforce()
    listed = ", ".join(f"'{name}': '{DUCKDB_TYPES[kind]}'" for name, kind in rest.columns.items())
    return replace(
        rest,
        template=_lines,
        answer=_answer,
        structure=f"{{{listed}}}",
        select="*",
        rows_key="",
        config={**rest.config, "bulk_from": "1", "bulk_poll_seconds": "0.001"},
    )
