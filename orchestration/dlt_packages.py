"""What dlt says of a package that waits and of a step that failed. Loads nothing."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orchestration.landing import Package

if TYPE_CHECKING:
    import dlt


def staged_package(pipeline: dlt.Pipeline, load_id: str) -> Package:
    """The staged parquet files of a package: those not begun and those begun by a run that died."""
    from dlt.common.storages.load_package import ParsedLoadJobFileName

    storage = pipeline._get_load_storage().normalized_packages  # pyright: ignore[reportPrivateUsage]
    files: dict[str, list[Path]] = {}
    for name in [*storage.list_new_jobs(load_id), *storage.list_started_jobs(load_id)]:
        job = ParsedLoadJobFileName.parse(name)
        if job.file_format == "parquet" and not job.table_name.startswith("_dlt"):
            files.setdefault(job.table_name, []).append(Path(storage.storage.make_full_path(name)))
    return Package(load_id, {table: sorted(paths) for table, paths in sorted(files.items())})


def drop_rows_of_aborted(pipeline: dlt.Pipeline) -> None:
    """dlt keeps the files of an aborted load beside its notes, people's data included; they are read again anyway."""
    for file in Path(pipeline.working_dir).glob("load/loaded/*/*/*.parquet"):
        file.unlink()


def drop_unfinished_extracts(pipeline: dlt.Pipeline) -> None:
    """Drop what dlt extracted and will not use: what is left can be normalized. Call it with the pipeline's lock held.

    dlt extracts into a folder of its own, which stays with all rows in it when the process dies or a source fails: what was
    read is read again. In `extracted` lies what was read to its end, but for three that would block every later run:
    a package of the very first extraction whose process died before dlt knew a schema; one that is normalized already,
    whose process died before all its files were deleted; one without rows, which dlt deletes too.
    """
    place = Path(pipeline.working_dir)
    is_known = bool(pipeline.default_schema_name)
    for folder in place.glob("normalize/*/"):
        if folder.name != "extracted" or not is_known:
            shutil.rmtree(folder)
    for package in place.glob("normalize/extracted/*/"):
        is_normalized = (place / "load" / "normalized" / package.name).exists()
        if is_normalized or not any(package.glob("new_jobs/*")):
            shutil.rmtree(package)


def causes(error: BaseException) -> Generator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = cast(Any, getattr(current, "exception", None))
        current = inner if isinstance(inner, BaseException) else current.__cause__ or current.__context__


def root(error: BaseException) -> BaseException:
    return list(causes(error))[-1]


def is_terminal(error: BaseException) -> bool:
    from dlt.common.exceptions import TerminalException

    return any(isinstance(cause, TerminalException) for cause in causes(error))


def refused_table(error: BaseException) -> str | None:
    """The table whose job dlt could not load: a job's id is table.file.format."""
    from dlt.load.exceptions import LoadClientJobException

    for cause in causes(error):
        if isinstance(cause, LoadClientJobException):
            return str(cast(Any, cause).job_id).partition(".")[0]
    return None


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]
