"""One measured client in a fresh process: `ours`, `increment`, `limit` or `defaults`. Prints one JSON line.

CPU is that of this process from the first request to the end, after the libraries are imported (the same for all).
"""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from sources.arrow import Field, Json, Pages, envelope
from sources.config import Config
from sources.http import Http
from sources.stream import Clock, Connection, Stream, Vendor, Window, load_vendor
from tests.bench import files
from tests.bench.shapes import REST_COLUMNS, SHAPES, Shape

LIBRARIES = (
    "dlt.common.libs.pyarrow", "dlt.common.libs.sql_alchemy_compat", "dlt.destinations.impl.duckdb.duck",
    "dlt.sources.helpers.requests", "duckdb", "filelock", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset",
    "pyarrow.parquet", "sources.extract", "sources.files.drops", "sources.files.mapping",
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Rest(Connection):
    """A plain REST vendor, as small as they come."""

    def __init__(self, config: Config, clock: Clock) -> None:
        self.http = Http(config, config["base_url"])

    def pages(self, stream: Stream, window: Window) -> Iterator[Pages]:
        shape = Json(("rows",), {name: Field((name,), kind) for name, kind in REST_COLUMNS.items()})  # type: ignore[arg-type]
        number: int | None = 0
        while number is not None:
            body = self.http.get("/things", {"page": number}).content
            number = envelope(body, "rows")["next"]
            yield Pages([body], shape)


REST = Vendor("rest", "REST", (Stream("things", "things", ("id",), REST_COLUMNS, cursor="modified"),), Rest)  # type: ignore[arg-type]


def import_all() -> None:
    """Import what dlt and the sources import only when they need it, before the clock starts."""
    for name in LIBRARIES:
        import_module(name)


def vendor_of(shape: str) -> Vendor:
    return REST if shape == "rest" else load_vendor(shape if shape == "esales" else SHAPES[shape]().vendor)


def config_of(shape: Shape, url: str) -> dict[str, str]:
    return {"base_url": url, **dict.fromkeys(shape.other_addresses, url), **shape.config}


def increment(shape: str, url: str, folder: Path) -> dict[str, Any]:
    """The sync of the next day, into the files that `ours` left."""
    return ours(shape, url, folder, NOW + timedelta(days=1))


def ours(shape: str, url: str, folder: Path, now: datetime = NOW) -> dict[str, Any]:
    import os

    import dlt

    import_all()
    from orchestration.syncs import ENVIRONMENT, Sync

    os.environ.update(ENVIRONMENT)

    class Places:
        raw_path = folder / "warehouse" / "raw.duckdb"
        lock_path = folder / "warehouse" / "warehouse.lock"
        pipelines_dir = folder / "pipelines"

    Places.pipelines_dir.mkdir(parents=True, exist_ok=True)
    vendor = vendor_of(shape)
    config = files.config(folder) if shape == "esales" else config_of(SHAPES[shape](), url)
    stream = files.STREAM if shape == "esales" else SHAPES[shape]().stream
    dlt.config  # noqa: B018  the providers are made here
    for name, value in config.items():  # the streams of a vendor of files are read from its configuration
        os.environ[f"SOURCES__{shape}__{name}".upper()] = value
    begin = time.process_time(), time.monotonic()
    report = Sync(Places(), shape, vendor, lambda: now, streams=[stream], config=config).go()
    return result(begin, rows=report.rows[stream], parts=report.parts)


def limit(shape: str, url: str, folder: Path) -> dict[str, Any]:
    import dlt.sources.helpers.requests  # noqa: F401
    import duckdb

    if shape == "esales":
        begin = time.process_time(), time.monotonic()
        return result(begin, rows=files.limit(folder))
    what = SHAPES[shape]()
    log = json.loads((folder / "log.json").read_text())
    http = Http(Config(shape, {}), url)
    begin = time.process_time(), time.monotonic()
    bodies, parts = folder / "bodies.json", list[Path]()
    with bodies.open("wb") as rows, (folder / "others.json").open("wb") as others:
        for method, path, body, kind, wanted in log:
            headers = {"Content-Type": kind} if kind else {}
            headers |= {"Range": wanted, "Accept-Encoding": "identity"} if wanted else {}
            answer = http.send(method, path, data=body or None, headers=headers or None).content
            if what.is_file and not wanted and is_page(what, answer, wanted):  # every part has a header line
                parts.append(folder / f"part{len(parts)}.csv")
                parts[-1].write_bytes(answer)
                continue
            place = rows if is_page(what, answer, wanted) and what.lists_ids not in path else others
            place.write(answer)
            place.write(b"" if wanted else b"\n")
    with duckdb.connect(str(folder / "limit.duckdb")) as con:
        con.execute("set TimeZone = 'UTC'")
        con.execute(
            f"create table t as from read_csv({[str(part) for part in parts or [bodies]]}, header = true, "
            f"nullstr = '{'' if parts else 'null'}', columns = {what.structure})"
            if what.is_file
            else f"create table t as with pages as (select unnest({what.rows_key}) as r from read_json('{bodies}', "
            f"format = 'newline_delimited', maximum_object_size = 100000000, columns = {{{what.rows_key}: '{what.structure}'}})) "
            f"select {what.select} from pages"
        )
        found = con.execute("select count(*) from t").fetchone()
    return result(begin, rows=found[0] if found else 0)


def is_page(what: Shape, answer: bytes, wanted: str) -> bool:
    """Whether an answer has rows, not ids alone; of a file every part has."""
    if what.is_file:
        return bool(wanted) or (bool(answer) and not answer.startswith(b"{"))
    begins = f'"{what.rows_key}":['.encode() in answer[:200] and b'id"' in answer[:400].lower()
    return begins and not re.search(rb'\[\{"id":\d+\}', answer[:200])


def defaults(shape: str, url: str, folder: Path) -> dict[str, Any]:
    """The usual way: pages of dicts, everything else as dlt has it out of the box."""
    import dlt
    from dlt.sources.helpers import requests

    import_all()
    if shape == "esales":
        rows_of: Callable[[], Iterator[Any]] = lambda: files.dicts(folder)  # noqa: E731
    else:
        what = SHAPES[shape]()

        def rows_of() -> Iterator[Any]:
            file = b""
            for method, path, body, kind, wanted in json.loads((folder / "log.json").read_text()):
                headers = {"Content-Type": kind, **({"Range": wanted} if wanted else {})}
                answer = requests.request(method, url + path, data=body or None, headers=headers)
                if what.is_file:
                    file = _joined(file, answer.content) if is_page(what, answer.content, wanted) else file
                elif is_page(what, answer.content, wanted):
                    yield answer.json()[what.rows_key]
            lines = csv.DictReader(io.StringIO(file.decode()))
            while rows := list(islice(lines, 10_000)):
                yield rows

    begin = time.process_time(), time.monotonic()
    pipeline = dlt.pipeline(
        f"{shape}_defaults",
        pipelines_dir=str(folder / "defaults"),
        destination=dlt.destinations.duckdb(str(folder / "defaults.duckdb")),
        dataset_name="raw",
    )
    pipeline.run(dlt.resource(rows_of, name="rows"))
    with pipeline.sql_client() as client:
        found = client.execute_sql("select count(*) from rows")
    return result(begin, rows=found[0][0] if found else 0)


def _joined(file: bytes, part: bytes) -> bytes:
    """The parts of a file, or files with a header line each, as one file."""
    header = file[: file.find(b"\n") + 1]
    return file + (part[len(header) :] if header and part.startswith(header) else part)


def result(begin: tuple[float, float], **more: Any) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return {
        "cpu": round(time.process_time() - begin[0], 3),
        "seconds": round(time.monotonic() - begin[1], 3),
        "memory_mb": round(peak),
        **more,
    }


if __name__ == "__main__":
    way, asked, address, place = sys.argv[1:5]
    print(
        json.dumps(
            {"ours": ours, "increment": increment, "limit": limit, "defaults": defaults}[way](
                asked, address, Path(place)
            )
        )
    )
