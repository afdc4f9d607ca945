"""What the benchmark's vendors send: pages made from a few templates, so that a million rows fit in a small server.

One shape per wire: HubSpot's list (nested properties, all values text; with and without history), Salesforce's query (typed JSON, wide rows), plain
REST (flat rows) and eSales Manager's CP932 export. A page is a template with its number written into the ids. Each shape
also knows the one typed statement by which DuckDB reads the same bodies: the limit. Nothing here imports a source.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

ROWS = {"small": 10_000, "medium": 200_000, "large": 1_000_000}
TEMPLATES = 16
STAMP, LATER = "2025-06-01T09:0", "2026-01-01T12:0"
"""How the stamps of all records begin, and those of records that changed in the day after."""
PAGE_MARK = "@@@@@@@"
"""Seven characters in every id of a template; the page's number takes their place."""
DUCKDB_TYPES = {
    "text": "varchar",
    "bigint": "bigint",
    "double": "double",
    "decimal": "decimal(38,9)",
    "bool": "boolean",
    "timestamp": "timestamptz",
    "date": "date",
}
LATIN = ("Aoi Trading", "Kita Logistics", "Minato Foods", "Sakura Systems", "Nordwind GmbH", "Harbor & Sons")
JAPANESE = (
    "株式会社青井商事",
    "北日本物流(株)",
    "港食品工業",
    "さくらシステムズ",
    "山田太郎",
    "東京都港区芝公園四丁目",
)


def value(kind: str, chance: random.Random) -> Any:
    """A plausible value, empty now and then."""
    if chance.random() < 0.25:
        return None
    if kind == "bool":
        return chance.random() < 0.5
    if kind == "bigint":
        return chance.randint(1, 5_000)
    if kind in ("double", "decimal"):
        return round(chance.lognormvariate(8, 1), 2)
    if kind == "date":
        return f"2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    if kind == "timestamp":
        return f"2025-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:07:31.{chance.randint(0, 999):03}Z"
    return f"{chance.choice(LATIN)} {chance.choice(JAPANESE)} {chance.randint(0, 10**6)}"


@dataclass(frozen=True)
class Shape:
    """One vendor's wire."""

    vendor: str
    stream: str
    page_size: int
    columns: Mapping[str, str]
    template: Callable[[int, random.Random], str]
    """(rows, chance) -> a page's text without its envelope's end, ids holding PAGE_MARK."""
    answer: Callable[[Shape, Pages, str, str, bytes], bytes | None]
    """(shape, pages, method, path with query, body) -> the answer's body; None = not found."""
    structure: str
    """DuckDB type of a body's list of rows."""
    select: str
    """Columns of one row `r`."""
    rows_key: str
    config: Mapping[str, str]
    lists_ids: str = "no such path"
    """In the path of a request for nothing but ids: the sweep behind a first load in several parts reads no rows."""
    other_addresses: tuple[str, ...] = ()
    """Settings that hold the server's address beside `base_url`."""

    @property
    def is_file(self) -> bool:
        """The rows come as one CSV file; `structure` then holds its columns' types."""
        return not self.rows_key


class Pages:
    """All pages of one run of the server."""

    def __init__(self, shape: Shape, rows: int) -> None:
        chance = random.Random(7)
        self.shape = shape
        self.rows = rows
        self.count = -(-rows // shape.page_size)
        self.kept: dict[str, bytes] = {}
        """What a shape makes once."""
        self.headers: dict[str, str] = {}
        """More headers of the next answer."""
        self.is_later = False
        """A day after: one of a hundred records has changed."""
        self._templates = [shape.template(shape.page_size, chance) for _ in range(min(TEMPLATES, self.count))]

    def page(self, number: int) -> str:
        text = self._templates[number % len(self._templates)].replace(PAGE_MARK, f"{number:07}")
        return text.replace(STAMP, LATER) if self.is_later else text

    def later(self) -> None:
        """From now on the pages hold the day's changes only."""
        self.is_later = True
        self.count = max(self.count // 100, 1)

    def next_of(self, number: int) -> int | None:
        return number + 1 if number + 1 < self.count else None


# HubSpot ---------------------------------------------------------------------------------------------------------
_HISTORY_LENGTHS = (1, 1, 2, 4)


def _hubspot_columns(stream: str) -> dict[str, str]:
    from sources.hubspot.columns import PROPERTIES

    return {**PROPERTIES[stream], "hubspot_owner_id": "text", **{f"{stream}_field_{n}": "text" for n in range(4)}}


def _hubspot_history(stream: str, chance: random.Random) -> dict[str, Any]:
    """The earlier values of the properties whose history is read, newest first, as HubSpot gives them."""
    from sources.hubspot.columns import HISTORY

    def entry() -> dict[str, Any]:
        return {
            "value": str(value("text", chance) or ""),
            "timestamp": "2025-04-01T09:00:00.123Z",
            "sourceType": "CRM_UI",
            "sourceId": f"userId:{chance.randint(1, 10**7)}",
            "updatedByUserId": chance.randint(1, 10**7),
        }

    return {name: [entry() for _ in range(chance.choice(_HISTORY_LENGTHS))] for name in HISTORY[stream]}


def _hubspot_template(stream: str, with_history: bool) -> Callable[[int, random.Random], str]:
    def template(rows: int, chance: random.Random) -> str:
        records: list[Any] = []
        for row in range(rows):
            properties = {name: value(kind, chance) for name, kind in _hubspot_columns(stream).items()}
            texts = {
                name: None if v is None else str(v).lower() if isinstance(v, bool) else str(v)
                for name, v in properties.items()
            }
            texts["hs_object_id"] = f"{PAGE_MARK}{row:03}"
            stamp = "2025-06-01T09:00:00.123Z"
            record = {"id": texts["hs_object_id"], "properties": texts, "createdAt": stamp, "updatedAt": stamp}
            past = {"propertiesWithHistory": _hubspot_history(stream, chance)} if with_history else {}
            records.append({**record, "archived": False, **past})
        return json.dumps(records, ensure_ascii=False, separators=(",", ":"))

    return template


def _hubspot_answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path)
    query = parse_qs(url.query)
    if url.path.startswith("/crm/v3/properties/"):
        types = {"text": "string", "bool": "bool", "timestamp": "datetime", "date": "date"}
        named = [{"name": n, "type": types.get(k, "number"), "hubspotDefined": False} for n, k in shape.columns.items()]
        return json.dumps({"results": [*named, {"name": "hs_object_id", "type": "string"}]}).encode()
    if url.path.endswith("/search"):
        asked = json.loads(body)
        if not pages.is_later or asked["limit"] == 1:
            return json.dumps({"total": pages.rows, "results": []}).encode()
        return _hubspot_found(pages, int(asked.get("after", 0)), asked["limit"])
    if query.get("archived") == ["true"] or not url.path.startswith("/crm/v3/objects/"):
        return b'{"results":[]}'
    number = int(query.get("after", ["0"])[0])
    following = pages.next_of(number)
    paging = f',"paging":{{"next":{{"after":"{following}","link":"https://api.example/x"}}}}' if following else ""
    return f'{{"results":{pages.page(number)}{paging}}}'.encode()


def _hubspot_found(pages: Pages, after: int, limit: int) -> bytes:
    """A page of a search: as many pages of the list as fit."""
    size = pages.shape.page_size
    first = after // size
    last = min(first + limit // size, pages.count)
    rows = ",".join(pages.page(number)[1:-1] for number in range(first, last))
    paging = f',"paging":{{"next":{{"after":"{last * size}"}}}}' if last < pages.count else ""
    return f'{{"total":{pages.count * size},"results":[{rows}]{paging}}}'.encode()


def _hubspot(stream: str, page_size: int, with_history: bool) -> Shape:
    columns = _hubspot_columns(stream)
    inner = ", ".join(f'"{n}" {DUCKDB_TYPES[k]}' for n, k in columns.items())
    past = ', "propertiesWithHistory" json' if with_history else ""
    return Shape(
        vendor="hubspot",
        stream=stream,
        page_size=page_size,
        columns=columns,
        template=_hubspot_template(stream, with_history),
        answer=_hubspot_answer,
        structure=(
            f'struct(id varchar, properties struct({inner}, hs_object_id varchar), "createdAt" timestamptz, '
            f'"updatedAt" timestamptz, archived boolean{past})[]'
        ),
        select=", ".join([*(f'r.properties."{n}"' for n in columns), "r.properties.hs_object_id, r.id",
                          'r."createdAt", r."updatedAt", r.archived',
                          *(['r."propertiesWithHistory"'] if with_history else [])]),
        rows_key="results",
        config={"token": "pat-bench"},
        lists_ids="properties=hs_object_id",
    )  # fmt: skip


def hubspot() -> Shape:
    """Companies: a list without history, 100 a page."""
    return _hubspot("companies", 100, with_history=False)


def hubspot_history() -> Shape:
    """Contacts with the history of their properties, 50 a page."""
    return _hubspot("contacts", 50, with_history=True)


# Salesforce ------------------------------------------------------------------------------------------------------
_SALESFORCE_TYPES = {
    "text": "string",
    "bool": "boolean",
    "timestamp": "datetime",
    "decimal": "currency",
    "bigint": "int",
}


def _salesforce_names() -> dict[str, str]:
    """Vendor's field name -> type, from the raw columns that staging declares."""
    from sources.salesforce.columns import ACCOUNT

    return {_camel(column): kind for column, kind in ACCOUNT.items()}


def _camel(column: str) -> str:
    custom = column.endswith("_c")
    words = (column[:-2] if custom else column).split("_")
    return "".join(w.capitalize() for w in words) + ("__c" if custom else "")


def _salesforce_template(rows: int, chance: random.Random) -> str:
    records: list[Any] = []
    for row in range(rows):
        identity = f"001{PAGE_MARK}{row:05}AAA"
        record: dict[str, Any] = {
            "attributes": {"type": "Account", "url": f"/services/data/v62.0/sobjects/Account/{identity}"}
        }
        for name, kind in _salesforce_names().items():
            given = value(kind, chance)
            record[name] = given.replace("Z", "+0000") if kind == "timestamp" and given else given
        record |= {"Id": identity, "SystemModstamp": "2025-06-01T09:00:00.000+0000", "IsDeleted": False}
        records.append(record)
    return json.dumps(records, ensure_ascii=False, separators=(",", ":"))


def _salesforce_answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path)
    if url.path.endswith("/oauth2/token"):
        return b'{"access_token":"00Dbench!token","token_type":"Bearer"}'
    if url.path.endswith("/describe"):
        fields = [{"name": n, "type": _SALESFORCE_TYPES.get(k, k)} for n, k in _salesforce_names().items()]
        return json.dumps({"fields": fields}).encode()
    if "COUNT()" in url.query or "COUNT%28%29" in url.query:
        return json.dumps({"totalSize": pages.rows, "done": True, "records": []}).encode()
    found = re.search(r"/query(?:All)?/01g-(\d+)", url.path)
    number = int(found[1]) if found else _first_page(unquote_plus(url.query))
    following = pages.next_of(number)
    more = f'"done":false,"nextRecordsUrl":"/services/data/v62.0/query/01g-{following}"' if following else '"done":true'
    rows = pages.page(number).replace(f"{STAMP}0:00.", f"{STAMP}{number // 60 % 10}:{number % 60:02}.")
    return f'{{"totalSize":{pages.rows},{more},"records":{rows}}}'.encode()


def _first_page(query: str) -> int:
    """Each page was changed a second after the one before: a window that begins later begins at a later page."""
    found = re.search(rf"SystemModstamp > {STAMP}(\d):(\d\d)", query)
    return int(found[1]) * 60 + int(found[2]) + 1 if found else 0


def salesforce() -> Shape:
    columns = _salesforce_names()
    inner = ", ".join(f'"{n}" {DUCKDB_TYPES[k]}' for n, k in columns.items())
    return Shape(
        vendor="salesforce",
        stream="account",
        page_size=2_000,
        columns=columns,
        template=_salesforce_template,
        answer=_salesforce_answer,
        structure=f"struct({inner})[]",
        select=", ".join(f'r."{n}"' for n in columns),
        rows_key="records",
        config={"client_id": "bench", "client_secret": "bench-secret", "bulk_from": "0"},
    )


# Plain REST ------------------------------------------------------------------------------------------------------
REST_COLUMNS = {
    "id": "text",
    "modified": "timestamp",
    **{f"text_{n}": "text" for n in range(10)},
    **{f"number_{n}": "double" for n in range(6)},
    **{f"flag_{n}": "bool" for n in range(3)},
    **{f"day_{n}": "date" for n in range(3)},
}


def _rest_template(rows: int, chance: random.Random) -> str:
    records = [
        {n: value(k, chance) for n, k in REST_COLUMNS.items()}
        | {"id": f"{PAGE_MARK}{row:04}", "modified": "2025-06-01T09:00:00Z"}
        for row in range(rows)
    ]
    return json.dumps(records, ensure_ascii=False, separators=(",", ":"))


def _rest_answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    number = int(parse_qs(urlsplit(path).query).get("page", ["0"])[0])
    following = pages.next_of(number)
    return f'{{"rows":{pages.page(number)},"next":{"null" if following is None else following}}}'.encode()


def rest() -> Shape:
    inner = ", ".join(f'"{n}" {DUCKDB_TYPES[k]}' for n, k in REST_COLUMNS.items())
    return Shape(
        vendor="rest",
        stream="things",
        page_size=500,
        columns=REST_COLUMNS,
        template=_rest_template,
        answer=_rest_answer,
        structure=f"struct({inner})[]",
        select=", ".join(f'r."{n}"' for n in REST_COLUMNS),
        rows_key="rows",
        config={},
    )


def salesforce_bulk() -> Shape:
    from tests.bench.shapes_bulk import salesforce_bulk

    return salesforce_bulk()


def marketo() -> Shape:
    from tests.bench.shapes_marketing import marketo

    return marketo()


def account_engagement() -> Shape:
    from tests.bench.shapes_marketing import account_engagement

    return account_engagement()


def kintone() -> Shape:
    from tests.bench.shapes_kintone import kintone

    return kintone()


SHAPES: Mapping[str, Callable[[], Shape]] = {
    "hubspot": hubspot,
    "hubspot_history": hubspot_history,
    "salesforce": salesforce,
    "salesforce_bulk": salesforce_bulk,
    "rest": rest,
    "marketo": marketo,
    "account_engagement": account_engagement,
    "kintone": kintone,
}
