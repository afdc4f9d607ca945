"""The benchmark's vendor of files: a customer list of eSales Manager, CP932 as its export is, and the limit for reading it."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

STREAM = "account"
TYPES = {
    "顧客ID": "varchar", "顧客名": "varchar", "URL": "varchar", "電話番号": "varchar", "法人番号": "varchar", "親顧客ID": "varchar",
    "業種": "varchar", "従業員数": "bigint", "国": "varchar", "都道府県": "varchar", "市区町村": "varchar", "郵便番号": "varchar",
    "番地": "varchar", "顧客タイプ": "varchar", "主担当者ID": "varchar", "登録日時": "timestamp", "更新日時": "timestamp",
}  # fmt: skip
TIME = "%Y/%m/%d %H:%M:%S"


def write(folder: Path, rows: int) -> None:
    """The export of one day."""
    chance = random.Random(7)
    drops = folder / "drops"
    drops.mkdir(parents=True)
    with (drops / "customer.csv").open("w", encoding="cp932", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(TYPES)
        for number in range(rows):
            day = f"2025/{chance.randint(1, 12):02}/{chance.randint(1, 28):02} 09:{chance.randint(0, 59):02}:00"
            writer.writerow(
                (
                    number + 1, f"株式会社青井商事{number}", f"https://www.aoi{number}.co.jp", "03-1234-5678", "", "", "製造業",
                    chance.randint(1, 9_000), "日本", "東京都", "港区", "105-0011", f"芝公園四丁目{number % 99}", "見込",
                    number % 40 + 1, day, day,
                )
            )  # fmt: skip


def config(folder: Path) -> Mapping[str, str]:
    return {"folder": str(folder / "drops")}


def limit(folder: Path) -> int:
    """Bytes to disk as UTF-8 (DuckDB reads no CP932), one typed insert."""
    import duckdb

    text = folder / "customer.utf8.csv"
    text.write_bytes((folder / "drops" / "customer.csv").read_bytes().decode("cp932").encode())
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in TYPES.items())
    with duckdb.connect(str(folder / "limit.duckdb")) as con:
        con.execute(
            f"create table t as from read_csv('{text}', header = true, columns = {{{columns}}}, timestampformat = '{TIME}')"
        )
        found = con.execute("select count(*) from t").fetchone()
    return found[0] if found else 0


def dicts(folder: Path) -> Iterator[Any]:
    """Rows as dlt's own readers give them."""
    text = (folder / "drops" / "customer.csv").read_text(encoding="cp932")
    page: list[Any] = []
    for row in csv.DictReader(io.StringIO(text)):
        page.append(row)
        if len(page) == 10_000:
            yield page
            page = []
    yield page
