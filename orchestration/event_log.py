"""Dagster's SQLite event log with its files kept open: the same events in the same tables, for a quarter of the time.

Dagster opens, sets up and syncs a database anew for every event, and one build has a thousand (a materialization per
model, a result per check): 4.6 s of a build of 20 s. Nothing of what is stored, read or migrated is changed here, so
that a home can be opened by Dagster's own storage as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy import event as database_event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import StaticPool

KEPT_OPEN = 8
"""Files of that many runs: the web server looks at all of them one after another."""


class HomeEventLog(SqliteEventLogStorage):
    """Named in the home's dagster.yaml; a test holds the methods of Dagster that it replaces."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: OrderedDict[str, tuple[int, Engine]] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> HomeEventLog:
        return HomeEventLog(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Generator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        """The open database of a shard; opened anew when its file is another one (runs are wiped by other processes)."""
        path = Path(self.path_for_shard(shard))
        known = self._open.pop(shard, None)
        if known is not None and path.exists() and path.stat().st_ino == known[0]:
            self._open[shard] = known
            return known[1]
        if known is not None:
            known[1].dispose()
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,  # one connection, used by one thread at a time: Dagster's lock is held around it
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        # A killed process loses nothing; after a power cut the last events may be missing. Dagster's WAL mode stays.
        database_event.listen(engine, "connect", lambda raw, _: raw.execute("pragma synchronous = normal"))
        self._initdb(engine)
        self._open[shard] = (path.stat().st_ino, engine)
        while len(self._open) > KEPT_OPEN:
            self._open.popitem(last=False)[1][1].dispose()
        return engine

    def delete_events(self, run_id: str) -> None:
        """Dagster leaves the emptied file of a deleted run, and its results of checks, for ever."""
        super().delete_events(run_id)
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.delete().where(AssetCheckExecutionsTable.c.run_id == run_id))
        with self._db_lock:
            _, engine = self._open.pop(run_id, (0, None))
            if engine is not None:
                engine.dispose()
            self._initialized_dbs.discard(run_id)
            for ending in ("", "-wal", "-shm"):
                Path(self.path_for_shard(run_id) + ending).unlink(missing_ok=True)

    def wipe(self) -> None:
        self._close()
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._open:
                self._open.popitem()[1][1].dispose()
