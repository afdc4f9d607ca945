"""A company of any size in a home's raw log, written by SQL: three tools, as landing leaves them.

People are in one, two or three tools (joined by e-mail), accounts in one or two; deals walk through their stages, with the
histories as each tool gives them. Every value is a function of the row's number, so that the same size is the same file.
It knows the tools' words and no rule of the product. `TABLES` is the company: instance -> table -> (rows as a share of
the people, columns as SQL over `n`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import warehouse
from orchestration.settings import Settings
from sources.stream import load_vendor
from tests.bench.company_tables import MACROS, TABLES, Rows
from tests.dbt_project.raw_fixture import ENGINE_TABLES, SQL_TYPES, STAMPS

if TYPE_CHECKING:
    import duckdb

NOW = datetime(2026, 10, 30, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HOME = """company = "Bench"
[instances.salesforce]
vendor = "salesforce"
base_url = "https://bench.my.salesforce.com"
[instances.hubspot]
vendor = "hubspot"
[instances.marketo]
vendor = "marketo"
base_url = "https://bench.mktorest.com"
"""


@dataclass(frozen=True)
class Company:
    """A home of `people` people; `first` writes the first load of every tool, `increment` a day's changes."""

    home: Path
    people: int

    @property
    def settings(self) -> Settings:
        return Settings.load(self.home)

    def first(self) -> int:
        """Settings, empty tables and the first loads; the number of rows."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "tsunagu.toml").write_text(HOME, encoding="utf-8")
        self.settings.make_folders()
        with warehouse.raw_connection(self.settings) as con:
            warehouse.migrate(con)
            for instance in TABLES:
                self._make_tables(con, instance)
            return self._land(con, NOW - DAY, is_later=False)

    def increment(self) -> int:
        """One of a hundred records of every kind changes or is new, a day after; the number of rows."""
        with warehouse.raw_connection(self.settings) as con:
            return self._land(con, NOW, is_later=True)

    def _make_tables(self, con: duckdb.DuckDBPyConnection, instance: str) -> None:
        con.execute(f"create schema if not exists raw_{instance}")
        streams = {stream.name: {**stream.columns, **STAMPS} for stream in load_vendor(instance).streams}
        for table, columns in {**streams, **ENGINE_TABLES}.items():
            listed = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in columns.items())
            con.execute(f'create table raw_{instance}."{table}" ({listed}, _dlt_load_id varchar)')

    def _land(self, con: duckdb.DuckDBPyConnection, committed_at: datetime, *, is_later: bool) -> int:
        con.execute(f"create or replace temp macro people() as {self.people}")
        con.execute(f"create or replace temp macro is_later() as {is_later}")
        con.execute(f"create or replace temp macro now() as timestamptz '{committed_at - timedelta(minutes=5)}'")
        for macro in MACROS:
            con.execute(f"create or replace temp macro {macro}")
        total = 0
        for number, (instance, tables) in enumerate(TABLES.items()):
            load_id = f"{committed_at.timestamp() + number:.1f}"
            counts: dict[str, tuple[int, int]] = {}
            for table, rows in tables.items():
                query = self._query(rows, is_later)
                if query is not None:
                    counts[table] = (self._insert(con, f'raw_{instance}."{table}"', query, load_id), 0)
            self._count(con, instance, load_id, committed_at)
            stamp = warehouse.Load(load_id, instance, load_vendor(instance).name, counts)
            warehouse.stamp_load(con, stamp, committed_at)
            total += sum(count for count, _ in counts.values())
        return total

    def _query(self, rows: Rows, is_later: bool) -> str | None:
        """The rows of a load; later those that changed (one in a hundred), or as many new ones."""
        count = rows.fixed or round(self.people * rows.share)
        numbers = f"range({count}) as numbers(n)"
        if is_later and rows.fixed:
            return None
        if is_later and rows.is_log:
            numbers = f"range({count}, {count + max(count // 100, 1)}) as numbers(n)"
        elif is_later:
            numbers = f"(from range({count}) as every(n) where n % 100 = 7) as numbers"
        return rows.sql.replace("{numbers}", numbers)

    def _insert(self, con: duckdb.DuckDBPyConnection, table: str, query: str, load_id: str) -> int:
        con.execute(
            f"insert into {table} by name select found.*, (hash(found) >> 1)::bigint as _hash, row_number() over () as _seq, "
            f"false as _deleted, '{load_id}' as _dlt_load_id from ({query}) as found"
        )
        row = con.execute(f"select count(*) from {table} where _dlt_load_id = '{load_id}'").fetchone()
        return int(row[0]) if row else 0

    def _count(self, con: duckdb.DuckDBPyConnection, instance: str, load_id: str, at: datetime) -> None:
        """The vendor's own counts of its live records, as every sync asks for them."""
        for stream in load_vendor(instance).streams:
            key = ", ".join(f'"{name}"' for name in stream.key)
            con.execute(
                f"insert into raw_{instance}.vendor_count by name select ? as stream, ? as object, count(*) as live_count, "
                f"'counted' as status, ?::timestamptz as counted_at, ? as _dlt_load_id "
                f'from (select distinct {key} from raw_{instance}."{stream.name}")',
                [stream.name, stream.object, at, load_id],
            )
