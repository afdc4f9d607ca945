"""The wires of Account Engagement and Marketo: prospects in JSON pages, and leads as one bulk export in CSV."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.bench.shapes import DUCKDB_TYPES, PAGE_MARK, Pages, Shape, value

STAMP = "2025-06-01T09:00:00+00:00"


# Account Engagement ----------------------------------------------------------------------------------------------
def _prospect_fields() -> Mapping[str, str]:
    from sources.account_engagement.columns import OBJECTS

    return OBJECTS["prospects"].fields


def _prospects(rows: int, chance: random.Random) -> str:
    records = [
        {"id": int(f"1{row:03}")}
        | {name: value(kind, chance) for name, kind in _prospect_fields().items()}
        | {"createdAt": STAMP, "updatedAt": STAMP, "isDeleted": False}
        for row in range(rows)
    ]
    text = json.dumps(records, ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"id":1(\d{3})', rf'"id":1{PAGE_MARK}\1', text)


def _prospect_answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path)
    if url.path.endswith("/oauth2/token"):
        return b'{"access_token":"00Dbench!token","token_type":"Bearer"}'
    query = parse_qs(url.query)
    token = query.get("nextPageToken", ["ids-0" if query.get("fields") == ["id"] else "rows-0"])[0]
    kind, _, place = token.partition("-")
    number, last = int(place), -(-pages.rows // shape.page_size) if kind == "ids" else pages.count
    address = f'"/api/v5/objects/prospects?nextPageToken={kind}-{number + 1}"' if number + 1 < last else "null"
    if kind == "rows":
        return f'{{"nextPageToken":null,"nextPageUrl":{address},"values":{pages.page(number)}}}'.encode()
    ids = ",".join(f'{{"id":1{number:07}{row:03}}}' for row in range(shape.page_size))
    return f'{{"nextPageToken":null,"nextPageUrl":{address},"values":[{ids}]}}'.encode()


def account_engagement() -> Shape:
    """Prospects, 1,000 a page."""
    columns = {"id": "bigint", **_prospect_fields()}
    inner = ", ".join(f'"{n}" {DUCKDB_TYPES[k]}' for n, k in columns.items())
    return Shape(
        vendor="account_engagement",
        stream="prospects",
        page_size=1_000,
        columns=columns,
        template=_prospects,
        answer=_prospect_answer,
        structure=f"struct({inner})[]",
        select=", ".join(f'r."{n}"' for n in columns),
        rows_key="values",
        config={"business_unit_id": "0Uv000000000001AAA", "client_id": "bench", "client_secret": "bench-secret"},
        other_addresses=("login_url",),
    )


# Marketo ---------------------------------------------------------------------------------------------------------
_MARKETO_TYPES = {"text": "string", "bigint": "integer", "double": "float", "bool": "boolean", "timestamp": "datetime"}


def _lead_columns() -> dict[str, str]:
    """REST name -> type, from the raw columns that staging reads, and four fields of the subscription's own."""
    from sources.marketo.columns import LEADS

    names = {_camel(column): kind for column, kind in LEADS.items()}
    return {**names, **{f"leadField{number}": "text" for number in range(4)}}


def _camel(column: str) -> str:
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _cell(given: Any) -> str:
    """As the export writes it: `null` for no value, quotes where they are needed."""
    if given is None:
        return "null"
    text = str(given).lower() if isinstance(given, bool) else str(given)
    return f'"{text}"' if "," in text or '"' in text else text


def _leads(rows: int, chance: random.Random) -> str:
    """The lines of a part of the file."""
    lines: list[str] = []
    for row in range(rows):
        cells = {name: _cell(value(kind, chance)) for name, kind in _lead_columns().items()}
        cells |= {
            "id": f"1{PAGE_MARK}{row:03}",
            "createdAt": "2025-12-10T09:00:00Z",
            "updatedAt": "2025-12-11T09:00:00Z",
        }
        lines.append(",".join(cells.values()) + "\n")
    return "".join(lines)


def _file(shape: Shape, pages: Pages) -> bytes:
    if "file" not in pages.kept:
        header = ",".join(shape.columns) + "\n"
        pages.kept["file"] = (header + "".join(pages.page(number) for number in range(pages.count))).encode()
    return pages.kept["file"]


def _leads_answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path).path
    if url == "/identity/oauth/token":
        return b'{"access_token":"bench-token","token_type":"bearer","expires_in":3599}'
    if url.endswith("/describe.json"):
        fields = [{"rest": {"name": n}, "dataType": _MARKETO_TYPES[k]} for n, k in shape.columns.items()]
        return _success(fields)
    if url.endswith(("/create.json", "/enqueue.json")):
        return _success([{"exportId": "e1", "status": "Created"}])
    if url.endswith("/status.json"):
        file = _file(shape, pages)
        told = {"fileSize": len(file), "fileChecksum": f"sha256:{hashlib.sha256(file).hexdigest()}"}
        return _success(
            [{"exportId": "e1", "status": "Completed", "numberOfRecords": pages.count * shape.page_size, **told}]
        )
    return _file(shape, pages) if url.endswith("/file.json") else _success([])


def _success(result: list[Any]) -> bytes:
    return json.dumps({"requestId": "r", "success": True, "result": result}).encode()


def marketo() -> Shape:
    """Leads of a month, one export. The template's rows are lines of its file."""
    columns = _lead_columns()
    types = {**columns, "id": "text"}
    listed = ", ".join(f"'{n}': '{DUCKDB_TYPES[k]}'" for n, k in types.items())
    return Shape(
        vendor="marketo",
        stream="leads",
        page_size=1_000,
        columns=columns,
        template=_leads,
        answer=_leads_answer,
        structure=f"{{{listed}}}",
        select="*",
        rows_key="",
        config={
            "client_id": "bench", "client_secret": "bench-secret", "since": "2025-12-05", "poll_seconds": "0.001",
            "calls_per_20_seconds": "0",
        },
    )  # fmt: skip
