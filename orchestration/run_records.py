"""What Dagster and dlt keep of runs in a home: ends the records of runs whose process is gone, drops old ones.

Dagster's daemon does neither with its default launcher: a run that was killed counts as running for ever and keeps its
place in a pool, and an hourly schedule leaves some 40 MB of events a day. dlt keeps the notes of every load that it
finished, 150 KB each. Must not touch a run that is alive or a load that is not done.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dagster as dg

PROCESS_TAG = "tsunagu/process"
SERVER_TAG = ".dagster/grpc_info"
"""Dagster's own mark of a run that its daemon launched: the address of the server whose child it is."""
KEPT = timedelta(days=14)
DROPPED_AT_ONCE = 200


def mark() -> dict[str, str]:
    """Tags of a run in this process, by which a later process sees whether it is alive."""
    return {PROCESS_TAG: f"{os.getpid()} {_begin_of(os.getpid())}"}


def end_dead(instance: dg.DagsterInstance) -> list[str]:
    """Write the end of runs whose process is gone, and free the places in pools of all that have ended. Returns their ids."""
    import dagster as dg
    from dagster._core.storage.dagster_run import FINISHED_STATUSES, IN_PROGRESS_RUN_STATUSES

    ended: list[str] = []
    for run in instance.get_runs(dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES))):
        if _is_gone(run.tags):
            instance.report_run_failed(
                run, "The process of this run ended before it did: killed, or the machine went down."
            )
            ended.append(run.run_id)
    for run_id in instance.event_log_storage.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.status in FINISHED_STATUSES:
            instance.event_log_storage.free_concurrency_slots_for_run(run_id)
    return ended


def prune(instance: dg.DagsterInstance, now: datetime, kept: timedelta = KEPT) -> list[str]:
    """Drop the records of runs that ended `kept` ago or earlier. Returns their ids.

    What an asset's page stands on stays: the run of its last materialization, and the last run of each job.
    """
    import dagster as dg
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    old = dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=now - kept)
    if not instance.get_run_ids(old, limit=1):
        return []
    needed = {*_runs_of_assets(instance), *_last_runs(instance)}
    records = instance.get_run_records(old, limit=DROPPED_AT_ONCE + len(needed), ascending=True)
    dropped = [record.dagster_run.run_id for record in records if record.dagster_run.run_id not in needed]
    for run_id in dropped:
        instance.delete_run(run_id)
        shutil.rmtree(Path(instance.storage_directory()) / run_id, ignore_errors=True)  # captured output of its steps
    return dropped


def drop_finished_loads(pipelines_dir: Path, now: datetime, kept: timedelta = KEPT) -> int:
    """Delete dlt's notes of loads that were finished `kept` ago or earlier. The ledger knows all of them."""
    dropped = 0
    for package in pipelines_dir.glob("*/load/loaded/*"):
        if datetime.fromtimestamp(package.stat().st_mtime, UTC) <= now - kept:
            shutil.rmtree(package, ignore_errors=True)
            dropped += 1
    return dropped


def _runs_of_assets(instance: dg.DagsterInstance) -> Iterator[str]:
    for record in instance.get_asset_records():
        last = record.asset_entry.last_materialization_record
        if last is not None:
            yield last.run_id


def _last_runs(instance: dg.DagsterInstance) -> Iterator[str]:
    import dagster as dg

    names = {record.dagster_run.job_name for record in instance.get_run_records()}
    for name in names:
        for record in instance.get_run_records(dg.RunsFilter(job_name=name), limit=1):
            yield record.dagster_run.run_id


def _is_gone(tags: Mapping[str, str]) -> bool:
    """True when the run says where it runs and nothing is there. Runs that say nothing are left alone."""
    if PROCESS_TAG in tags:
        pid, _, begin = tags[PROCESS_TAG].partition(" ")
        return _begin_of(int(pid)) != begin
    if SERVER_TAG in tags:
        return not _answers(json.loads(tags[SERVER_TAG]))
    return False


def _begin_of(pid: int) -> str:
    """Something that differs between two processes that got the same id; '' when there is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "other"
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    return "alive"


def _answers(server: Mapping[str, Any]) -> bool:
    try:
        if server.get("socket"):
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2)
                line.connect(str(server["socket"]))
        else:
            socket.create_connection((str(server["host"]), int(server["port"])), timeout=2).close()
    except OSError:
        return False
    return True
