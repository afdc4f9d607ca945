"""Loads written straight into a home's raw log, as landing leaves them: versions, tombstones, the ledger's stamp.

For changes that the demo's company never makes. Rows are copies of rows that are there, so that every column is filled as
the vendor fills it. It knows no vendor's words and no rule of the product.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from orchestration import warehouse
from orchestration.settings import Settings

Row = dict[str, Any]


@dataclass
class Load:
    """A load that is being written into one instance's tables."""

    con: duckdb.DuckDBPyConnection
    instance: str
    load_id: str
    now: datetime
    counts: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def add(self, table: str, row: Mapping[str, Any], **changes: Any) -> Row:
        """A version: `row` with these columns changed."""
        return self._insert(table, {**row, "_deleted": False, "_deleted_at": None, **changes})

    def tombstone(self, table: str, at: datetime | None = None, **key: Any) -> None:
        """The key alone; with an instant as a feed of deletes gives it, without one as a sweep does."""
        self._insert(table, {**key, "_deleted": True, "_deleted_at": at})

    def _insert(self, table: str, row: Mapping[str, Any]) -> Row:
        landed, _ = self.counts.get(table, (0, 0))
        number = sum(count for count, _ in self.counts.values())
        values = {**row, "_hash": zlib.crc32(repr(sorted(row.items())).encode()), "_seq": number}
        values["_dlt_load_id"] = self.load_id
        names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" for _ in values)
        self.con.execute(f'insert into raw_{self.instance}."{table}" ({names}) values ({marks})', list(values.values()))
        self.counts[table] = (landed + 1, 0)
        return values


@dataclass
class Log:
    """The raw log, open; `now` moves on with every load, and `written` counts the rows of all."""

    con: duckdb.DuckDBPyConnection
    vendors: Mapping[str, str]
    chance: Random
    now: datetime
    maps_dir: Path
    """Where the company's own maps lie."""
    seeds_dir: Path
    written: int = 0

    @contextmanager
    def load(self, instance: str, *, is_killed: bool = False) -> Iterator[Load]:
        """Write a load and commit it to the ledger; a killed one leaves its rows and is not in the ledger."""
        self.now += timedelta(minutes=self.chance.randrange(7, 90))
        load = Load(self.con, instance, f"{self.now.timestamp():.6f}", self.now - timedelta(minutes=5))
        yield load
        if load.counts and not is_killed:
            stamp = warehouse.Load(load.load_id, instance, self.vendors[instance], load.counts)
            warehouse.stamp_load(self.con, stamp, self.now)
        self.written += sum(count for count, _ in load.counts.values())

    def find_killed(self, load: Load) -> None:
        """dlt had finished the load before the process died: the next sync finds and stamps it."""
        self.now += timedelta(minutes=3)
        self.con.execute(
            f"insert into raw_{load.instance}._dlt_loads (load_id, schema_name, status, inserted_at) values (?, ?, 0, ?)",
            [load.load_id, load.instance, self.now],
        )
        warehouse.reconcile(self.con, load.instance, self.vendors[load.instance], self.now)

    def newest(self, instance: str, table: str, where: str = "true", key: str = "id") -> list[Row]:
        """The newest committed version of every record that has no tombstone since, as far as `where` holds."""
        found = self.con.execute(
            f"""select t.* from raw_{instance}."{table}" t
            join ledger.loads l on l.load_id = t._dlt_load_id and l.source_system = '{instance}'
            qualify row_number() over (partition by {key} order by l.seq desc, _seq desc) = 1 order by {key}"""
        ).to_arrow_table()
        with duckdb.connect() as apart:
            apart.execute("set TimeZone = 'UTC'")
            apart.register("found", found)
            cursor = apart.execute(f"from found where not coalesce(_deleted, false) and ({where}) order by {key}")
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]

    def pick(self, instance: str, table: str, count: int = 1, where: str = "true", key: str = "id") -> list[Row]:
        """Some of them at random, each only once; fewer where there are fewer."""
        rows = self.newest(instance, table, where, key)
        return self.chance.sample(rows, min(count, len(rows)))

    def between(self, earlier: datetime, later: datetime | None = None) -> datetime:
        """An instant in the past, after `earlier`, in whole seconds."""
        span = ((later or self.now) - earlier).total_seconds()
        return earlier + timedelta(seconds=int(self.chance.uniform(0, max(span, 1))))


@contextmanager
def open_log(home: Path, chance: Random) -> Iterator[Log]:
    """The home's raw log under its lock, until the end of the block."""
    settings = Settings.load(home)
    vendors = {instance.name: instance.vendor for instance in settings.instances}
    with warehouse.hold(settings.lock_path, "a test"), warehouse.raw_connection(settings) as con:
        row = con.execute("select max(committed_at) from ledger.loads").fetchone()
        assert row is not None
        yield Log(con, vendors, chance, row[0], settings.maps_dir, settings.dbt_project_dir / "seeds")


@dataclass(frozen=True)
class Difference:
    """How many rows only one of two tables has, and some of them in words."""

    mine: int
    theirs: int
    rows: Sequence[str]


def differences(
    mine: Path, theirs: Path, schemas: Sequence[str], leave_out: Sequence[str] = (), without: Sequence[str] = ()
) -> dict[str, Difference]:
    """Tables of these schemas that are not the same in both files, as bags of rows; `without` these columns."""
    shown = f"* exclude ({', '.join(without)})" if without else "*"
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(f"attach '{mine}' as mine (read_only); attach '{theirs}' as theirs (read_only)")
        tables = {side: _tables(con, side, schemas) for side in ("mine", "theirs")}
        missing = tables["mine"] ^ tables["theirs"]
        found = {name: Difference(-1, -1, ["only one of the files has the table"]) for name in missing}
        for name in sorted((tables["mine"] & tables["theirs"]) - set(leave_out)):
            for side, other in (("mine", "theirs"), ("theirs", "mine")):
                columns = shown if _has(con, side, name, without) else "*"
                con.execute(
                    f"create or replace temp table only_{side} as "
                    f"select {columns} from {side}.{name} except all select {columns} from {other}.{name}"
                )
            found[name] = _difference(con)
    return {name: one for name, one in found.items() if (one.mine, one.theirs) != (0, 0)}


def _has(con: duckdb.DuckDBPyConnection, side: str, name: str, columns: Sequence[str]) -> bool:
    known = {row[0] for row in con.execute(f"describe {side}.{name}").fetchall()}
    return bool(columns) and known.issuperset(columns)


def _tables(con: duckdb.DuckDBPyConnection, side: str, schemas: Sequence[str]) -> set[str]:
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = ? and list_contains(?, schema_name)",
        [side, list(schemas)],
    ).fetchall()
    assert rows, (side, schemas)
    return {str(name) for (name,) in rows}


def _difference(con: duckdb.DuckDBPyConnection) -> Difference:
    """Counts, and of some rows the columns that differ from the other side's row of the same first column."""
    mine, theirs = (
        con.execute(f"from {side} order by all").fetchall() for side in ("temp.only_mine", "temp.only_theirs")
    )
    names = [column[0] for column in con.execute("from temp.only_mine limit 0").description]
    partners = {row[0]: row for row in theirs}
    told: list[str] = []
    for row in mine[:3]:
        partner = partners.get(row[0])
        if partner is None:
            told.append(f"mine {dict(zip(names, row, strict=True))}")
        else:
            values = zip(names, row, partner, strict=True)
            told.append(f"{names[0]}={row[0]}: " + ", ".join(f"{n}: {a!r} / {b!r}" for n, a, b in values if a != b))
    told += [f"theirs {dict(zip(names, row, strict=True))}" for row in theirs[: 3 - len(told)]]
    return Difference(len(mine), len(theirs), told)
