"""One sync in a process of its own, which may kill itself at a named point. `python -m tests.faults.worker JSON`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, *, times: int = 1) -> None:
    """Die when `owner.name` has returned for the nth time."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def patched(*args: Any, **more: Any) -> Any:
        nonlocal calls
        result = original(*args, **more)
        calls += 1
        if calls == times:
            die()
        return result

    setattr(owner, name, patched)


def at_swap(*, file: str = "", is_done: bool) -> None:
    """Die at the first swap of a staged file whose name begins so: just before it, or just after it."""
    from orchestration import landing

    swap = os.replace

    def patched(source: Path, target: Path) -> None:
        dies = target.name.startswith(file)
        if dies and not is_done:
            die()
        swap(source, target)
        if dies:
            die()

    # landing's own name only: dlt swaps files of its own all the time
    setattr(landing, "os", SimpleNamespace(replace=patched))  # noqa: B010  a type checker would refuse the assignment


def after_loading(table: str) -> None:
    """Die when that table's file is in the warehouse and dlt has not noted it yet."""
    from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

    run = DuckDbCopyJob.run

    def patched(job: Any) -> None:
        run(job)
        if job._file_path.rsplit("/", 1)[-1].startswith(f"{table}."):
            die()

    setattr(DuckDbCopyJob, "run", patched)  # noqa: B010  a type checker would refuse the assignment


def amid_the_deletion_of_an_extract() -> None:
    """Die when the first file of an extracted package is gone, and the others are not."""
    from dlt.common.storages.load_package import PackageStorage

    delete = PackageStorage.delete_package

    def patched(packages: Any, load_id: str, not_exists_ok: bool = False) -> None:
        folder = Path(packages.storage.make_full_path(packages.get_package_path(load_id)))
        if folder.parent.name == "extracted":
            (folder / packages.SCHEMA_FILE_NAME).unlink()
            die()
        delete(packages, load_id, not_exists_ok)

    setattr(PackageStorage, "delete_package", patched)  # noqa: B010  a type checker would refuse the assignment


def arm(point: str) -> None:
    """Arrange the death."""
    from dlt.common.storages.load_storage import LoadStorage
    from dlt.extract.extract import Extract

    from orchestration import syncs
    from sources.arrow import Reader

    points: dict[str, Callable[[], None]] = {
        "while extracting": lambda: after(Reader, "read", times=3),
        "before the state was saved": lambda: after(Extract, "commit_packages"),
        "after extracting": lambda: after(syncs, "_extract"),
        "after normalizing": lambda: after(LoadStorage, "commit_new_load_package"),
        "amid the deletion of the extract": amid_the_deletion_of_an_extract,
        "before the first file was swapped": lambda: at_swap(is_done=False),
        "after the first file was swapped": lambda: at_swap(is_done=True),
        "after the tombstones were swapped in": lambda: at_swap(file="swept.", is_done=True),
        "after all files were filtered": lambda: after(syncs, "filter_unchanged"),
        "after rows with a key were loaded": lambda: after_loading("steps"),
        "after rows without a key were loaded": lambda: after_loading("journal"),
        "after the counts were loaded": lambda: after_loading("vendor_count"),
        "after the load": lambda: after(syncs.Sync, "_load"),
        "after the stamp": lambda: after(syncs, "stamp_load"),
    }
    points[point]()


def main() -> None:
    task = json.loads(sys.argv[1])
    from tests.faults.home import Home

    home = Home(Path(task["home"]), now=datetime.fromisoformat(task["now"]), config=task.get("config", {}))
    if task.get("point"):
        arm(task["point"])
    report = home.sync()
    print(json.dumps({"rows": report.rows, "loads": report.loads}))


if __name__ == "__main__":
    main()
