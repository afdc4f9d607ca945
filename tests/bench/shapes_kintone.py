"""The wire of kintone: records of one app as {code: {type, value}}, 500 a page, read by record number."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.bench.shapes import PAGE_MARK, Pages, Shape, value

MAPPING = Path(__file__).with_name("kintone.yaml")
PAGE = 500
STAMP = "2025-06-01T09:00:00Z"
FIELDS = {
    "会社名": "SINGLE_LINE_TEXT", "ドメイン": "SINGLE_LINE_TEXT", "ウェブサイト": "LINK", "電話番号": "LINK", "法人番号": "SINGLE_LINE_TEXT",
    "親会社番号": "NUMBER", "業種": "DROP_DOWN", "従業員数": "NUMBER", "国": "DROP_DOWN", "都道府県": "DROP_DOWN", "市区町村": "SINGLE_LINE_TEXT",
    "郵便番号": "SINGLE_LINE_TEXT", "番地": "SINGLE_LINE_TEXT", "取引状況": "DROP_DOWN", "担当者": "USER_SELECT", "備考": "MULTI_LINE_TEXT",
    "更新日時": "UPDATED_TIME", "作成日時": "CREATED_TIME", "作成者": "CREATOR", "更新者": "MODIFIER",
}  # fmt: skip
_ID = '{"$id":{"type":"__ID__","value":"%07d%03d"}}'
_NATIVE = {"UPDATED_TIME": "timestamptz", "CREATED_TIME": "timestamptz"}
_OF_PEOPLE = ("USER_SELECT", "CREATOR", "MODIFIER")


def _given(kind: str, code: str, chance: random.Random) -> Any:
    person = {"code": f"user{chance.randint(1, 40)}", "name": "佐藤 太郎"}
    if kind == "USER_SELECT":
        return [person]
    if kind in _OF_PEOPLE:
        return person
    if kind in ("UPDATED_TIME", "CREATED_TIME"):
        return STAMP
    if kind == "NUMBER":
        return "" if code == "親会社番号" else str(chance.randint(1, 5_000))
    return value("text", chance) or ""


def _records(rows: int, chance: random.Random) -> str:
    """Record numbers 1 … on: the server asks for the page by them."""
    records = [
        {
            "$id": {"type": "__ID__", "value": f"{PAGE_MARK}{row:03}"},
            "$revision": {"type": "__REVISION__", "value": "1"},
            **{code: {"type": kind, "value": _given(kind, code, chance)} for code, kind in FIELDS.items()},
        }
        for row in range(rows)
    ]
    return json.dumps(records, ensure_ascii=False, separators=(",", ":"))


def _answer(shape: Shape, pages: Pages, method: str, path: str, body: bytes) -> bytes | None:
    url = urlsplit(path)
    if url.path.endswith("/form/fields.json"):
        fields = {code: {"type": kind, "code": code, "label": code} for code, kind in FIELDS.items()}
        return json.dumps({"properties": fields, "revision": "1"}).encode()
    query = parse_qs(url.query).get("query", [""])[0]
    found = re.search(r"\$id > (\d+)", query)
    number = (int(found[1]) // 1_000 + 1 if int(found[1]) else 0) if found else 0
    if "fields" in url.query:  # the listing of all record numbers
        last = pages.rows // PAGE
        ids = ",".join(_ID % (number, row) for row in range(PAGE)) if number < last else ""
        return f'{{"records":[{ids}],"totalCount":"{pages.rows}"}}'.encode()
    # A page of the template has 500 rows, numbered from its thousand on: the last one of page 3 is 3499.
    rows = pages.page(number) if number < pages.count else "[]"
    return f'{{"records":{rows},"totalCount":"{pages.rows}"}}'.encode()


def kintone() -> Shape:
    """Customers, 500 a page."""
    cells = ", ".join(
        f'"{code}" struct("value" {"json" if kind in _OF_PEOPLE else _NATIVE.get(kind, "varchar")})'
        for code, kind in FIELDS.items()
    )
    values = ", ".join(
        f'try_cast(r."{code}"."value" as double)' if kind == "NUMBER" else f'r."{code}"."value"'
        for code, kind in FIELDS.items()
    )
    return Shape(
        vendor="kintone",
        stream="account",
        page_size=PAGE,
        columns={"id": "text"},
        template=_records,
        answer=_answer,
        structure=f'struct("$id" struct("value" varchar), {cells})[]',
        select=f'r."$id"."value", {values}',
        rows_key="records",
        config={"apps": json.dumps({"customers": {"id": "1", "token": "bench"}}), "mapping": str(MAPPING)},
    )
