"""The folder of one instance, read as deliveries: which files are new, in which order, and what a full list leaves out.

A file is a delivery when its name, time of change or content is not the one remembered; it is skipped only when its content
equals the latest delivery of its stream, so A → B → A is read three times. What is remembered travels with the load (`memory`).
"""

import hashlib
import logging
from collections.abc import Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import compute

from sources.errors import ConfigurationError, ObjectNotPermitted
from sources.files.entities import KEY
from sources.files.mapping import FileMapping, FileStream
from sources.files.reading import read_file
from sources.files.rows import Reader
from sources.files.text import Cells, Unreadable
from sources.stream import Clock, Connection, Rejected, Stream, Window

# pyarrow's compute functions are made at run time, so a type checker does not know them.
pc: Any = compute

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _File:
    """A file as it lies in the folder."""

    path: Path
    changed_ns: int

    def state(self, digest: str) -> list[Any]:
        return [self.changed_ns, digest]


def _ahead(items: Iterator[pa.Table | Rejected]) -> Iterator[pa.Table | Rejected]:
    """The same items; the next one is read in a thread while this one is used, for Arrow and DuckDB let go of Python's lock."""
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


class Drops(Connection):
    """Reads the files of one instance by its mapping. Made fresh for each run."""

    def __init__(self, folder: Path, mapping: FileMapping, clock: Clock) -> None:
        if not folder.is_dir():
            raise ConfigurationError(f"The folder {folder} does not exist. Create it and put the exports there.")
        self._folder = folder
        self._mapping = mapping
        self._clock = clock
        self._lists: dict[str, list[Reader]] = {}
        self._unread: set[_File] = set()
        """Files of this run that could not be read."""
        self._con = duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False})
        self._con.execute("set TimeZone = 'UTC'")

    def close(self) -> None:
        self._con.close()

    def pages(self, stream: Stream, window: Window) -> Iterator[pa.Table | Rejected]:
        """Typed rows of the new deliveries of the entity, oldest first, with the rows that could not be typed."""
        for file_stream in self._mapping.of(stream.name):
            memory: MutableMapping[str, Any] = {} if window.backfill else window.memory.setdefault(file_stream.name, {})
            for file, data in self._deliveries(file_stream, memory, window):
                try:
                    yield from _ahead(self._read(file_stream, file, data))
                except Unreadable as error:  # it stops itself: the others are read
                    self._unread.add(file)
                    yield Rejected(f"{error}. It is read again next time.", file=self._name(file), is_file=True)

    def ids(self, stream: Stream) -> Iterator[pa.Table]:
        """The keys of every record in the newest full list of each stream of the entity."""
        readers = [(one, reader) for one in self._mapping.of(stream.name) for reader in self._newest_list(one)]
        unreadable = [f"{reader.file} ({reader.unreadable_keys})" for _, reader in readers if reader.unreadable_keys]
        if unreadable:
            raise ObjectNotPermitted(
                f"{stream.name}: lines whose key cannot be read stand in {', '.join(unreadable)}, so nobody can say which "
                "records are gone: none is taken as deleted until the lines are corrected (see the quarantine)."
            )
        for one, reader in readers:
            keys = pa.chunked_array([chunk for block in reader.listed for chunk in block.chunks], pa.string())
            yield pa.table({KEY[0]: pc.binary_join_element_wise(pa.scalar(one.object), keys, "|")})

    def count(self, stream: Stream) -> int | None:
        """Rows in the newest full lists; None where files bring changes only or nothing was delivered."""
        readers = [reader for one in self._mapping.of(stream.name) for reader in self._newest_list(one)]
        return sum(len(reader.keys) for reader in readers) if readers else None

    def _files(self, stream: FileStream) -> list[_File]:
        """The stream's files by time of change, then name."""
        files = [_File(path, path.stat().st_mtime_ns) for path in stream.matching(self._folder)]
        return sorted(files, key=lambda file: (file.changed_ns, file.path.name))

    def _deliveries(
        self, stream: FileStream, memory: MutableMapping[str, Any], window: Window
    ) -> Iterator[tuple[_File, bytes | OSError]]:
        """New files and their bytes. One that turns out to be unreadable is no delivery: it stays new."""
        seen: dict[str, Any] = memory.get("files", {})
        files = self._files(stream)
        for file in files:
            if seen.get(self._name(file), [None])[0] == file.changed_ns:
                continue
            try:
                data = file.path.read_bytes()
            except OSError as error:
                yield file, error
                continue
            digest = hashlib.sha256(data).hexdigest()
            if digest != memory.get("latest") or window.backfill:
                yield file, data
            if file not in self._unread:
                memory["latest"] = digest
                seen[self._name(file)] = file.state(digest)
        there = {self._name(file) for file in files}
        memory["files"] = {name: state for name, state in seen.items() if name in there}

    def _name(self, file: _File) -> str:
        return str(file.path.relative_to(self._folder))

    def _read(self, stream: FileStream, file: _File, data: bytes | OSError) -> Iterator[pa.Table | Rejected]:
        """The file's rows. Raises Unreadable before or between them."""
        if isinstance(data, OSError):
            raise Unreadable(f"{file.path.name} cannot be opened ({data.strerror}); correct its permissions")
        reader = self._reader(stream, file)
        for cells in read_file(file.path, data, stream.dialect, stream.needed):
            self._check_header(stream, file, cells)
            yield from reader.rows(cells)
        _log.info(
            "%s: %s rows read, %s landed, %s quarantined, %s of other streams",
            file.path.name, reader.read, reader.landed, reader.quarantined, reader.left_out,
        )  # fmt: skip
        if stream.delivery == "full":
            self._lists[stream.name] = [reader]

    def _reader(self, stream: FileStream, file: _File) -> Reader:
        return Reader(stream, self._name(file), self._clock(), self._con)

    def _check_header(self, stream: FileStream, file: _File, cells: Cells) -> None:
        there = cells.table.column_names
        for name, line in stream.needed.items():
            if name not in there:
                raise Unreadable(
                    f"{self._mapping.path}, line {line}: {file.path.name} has no column {name!r}. It has: {', '.join(there)}. "
                    "Correct the name in the mapping, or the delimiter or encoding if the names look wrong."
                )

    def _newest_list(self, stream: FileStream) -> list[Reader]:
        """The reader of the newest full list, which is read again when this run did not read it."""
        if stream.delivery != "full":
            return []
        files = self._files(stream)
        newest = files[-1] if files else None
        if newest is not None and newest not in self._unread and stream.name not in self._lists:
            try:
                for _ in self._read(stream, newest, newest.path.read_bytes()):
                    pass
            except Unreadable:
                self._unread.add(newest)
        if newest in self._unread:
            raise ObjectNotPermitted(
                f"{self._name(newest)} is the newest full list and cannot be read, so nobody can say which records are gone: "
                "none is taken as deleted."
            )
        return self._lists.get(stream.name, [])
