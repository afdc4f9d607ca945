"""A home for tests of the engine: places, an injected clock, one sync after another, and what raw says afterwards."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.sync_report import SyncReport
from orchestration.syncs import ENVIRONMENT, Sync
from sources.stream import Vendor, Window
from tests.faults.tool import START, TOOL, Store


@dataclass
class Home:
    folder: Path
    vendor: Vendor = TOOL
    now: datetime = START
    config: dict[str, Any] = field(default_factory=dict)
    instance: str = "tool"
    patience: float = 20

    def __post_init__(self) -> None:
        os.environ.update(ENVIRONMENT)
        self.pipelines_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(self.folder / "store.json")

    @property
    def raw_path(self) -> Path:
        return self.folder / "warehouse" / "raw.duckdb"

    @property
    def lock_path(self) -> Path:
        return self.folder / "warehouse" / "warehouse.lock"

    @property
    def pipelines_dir(self) -> Path:
        return self.folder / "pipelines"

    def later(self, **time: float) -> datetime:
        self.now += timedelta(**time)
        return self.now

    def sync(self, window: Window | None = None, streams: list[str] | None = None, **config: Any) -> SyncReport:
        """One sync; what it could not read is raised."""
        report = self.try_sync(window, streams, **config)
        error = report.error()
        if error is not None:
            raise error
        return report

    def try_sync(self, window: Window | None = None, streams: list[str] | None = None, **config: Any) -> SyncReport:
        """One sync; what it could not read, while something else landed, is in the report."""
        given: Mapping[str, Any] = {"store": str(self.store.path), **self.config, **config}
        return Sync(
            self,
            self.instance,
            self.vendor,
            lambda: self.now,
            streams=streams,
            backfill=window,
            config=given,
            patience=self.patience,
        ).go()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.raw_path), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            con.execute(f"set schema = 'raw_{self.instance}'")
            return con.execute(query).fetchall()

    def versions(self, table: str, key: str | None = None) -> list[tuple[Any, ...]]:
        """(id, name, deleted) of all committed versions, in the order of landing."""
        where = f"where id = '{key}'" if key else ""
        return self.rows(
            f"select id, name, coalesce(_deleted, false) from {table} as t "
            f"join ledger.loads as l on t._dlt_load_id = l.load_id {where} order by l.seq, _seq"
        )

    def latest(self, table: str) -> dict[str, str]:
        """id -> name of what is alive, as staging sees it: newest stamp first; a delete wins from its time on."""
        found = self.rows(
            f"with log as (select t.*, l.seq from {table} as t join ledger.loads as l on t._dlt_load_id = l.load_id), "
            "newest as (select * from log where not _deleted "
            "qualify row_number() over (partition by id order by modified desc nulls last, seq desc, _seq desc) = 1), "
            "stones as (select id, max(_deleted_at) as at, max(case when _deleted_at is null then seq end) as seq "
            "from log where _deleted group by id) "
            "select n.id, n.name from newest as n left join stones as s using (id) "
            "where not coalesce(s.at >= n.modified, false) and not coalesce(s.seq >= n.seq, false)"
        )
        return dict(found)

    def check(self) -> None:
        """Nothing lost, nothing doubled: raw shows what the tool holds, and no version repeats the one before it."""
        self.check_histories()
        self.check_ledger()
        for table, kind in (("fed", "Fed"), ("swept", "Swept")):
            truth = {key: values["name"] for key, values in self.store.live(kind).items() if "amount" not in values}
            assert self.latest(table) == truth, table
            repeated = self.rows(
                f"select id from {table} as t join ledger.loads as l on t._dlt_load_id = l.load_id "
                "qualify _hash = lag(_hash) over (partition by id order by l.seq, _seq)"
            )
            assert not repeated, (table, repeated)
            twice = self.rows(f"select _dlt_load_id, _seq from {table} group by all having count(*) > 1")
            assert not twice, (table, twice)

    def check_histories(self) -> None:
        """Every version of a record that was there at a window's end, once; rows without a key once; notes once."""
        until = self.now - timedelta(minutes=5)
        made = [
            (v["id"], v["name"], at) for at, v in self.store.versions("Fed") if v and at <= until and "amount" not in v
        ]
        held = Counter(self.committed("journal"))
        assert not (held - Counter(made)), f"doubled in journal: {sorted((held - Counter(made)).items())[:5]}"
        assert not (Counter(made) - held), f"lost in journal: {sorted((Counter(made) - held).items())[:5]}"
        steps: list[Any] = []
        last: dict[str, Any] = {}
        for key, name, at in made:
            if last.get(key) != (name, at):
                steps.append((key, name, at))
            last[key] = (name, at)
        assert sorted(self.committed("steps")) == sorted(steps)
        for table in ("vendor_count", "quarantine"):
            assert not self.rows(f"select * from {table} group by all having count(*) > 1"), table

    def check_ledger(self) -> None:
        """What the ledger tells of a load's tables is what raw has: models skip a table of which no rows are told."""
        for table in ("fed", "swept", "journal", "steps"):
            untold = self.rows(
                f"select l.seq, count(*) from {table} as t join ledger.loads as l on t._dlt_load_id = l.load_id "
                "group by l.seq except all "
                f"select seq, row_count from ledger.load_tables where table_name = '{table}'"
            )
            assert not untold, (table, untold)

    def committed(self, table: str) -> list[tuple[Any, ...]]:
        return self.rows(
            f"select id, name, modified from {table} as t join ledger.loads as l on t._dlt_load_id = l.load_id"
        )
