"""Seconds, CPU and memory from raw to the published file: a first build, a day's increment, publishing.

`python -m tests.bench.transform --scale small|medium|large --json OUT [--home DIR]`

The company is written into raw by SQL (`company`). Then the product's own build (models, identity, checks) and publish run,
each in a fresh process: everything, and again after one record of a hundred changed. `increment_share`: CPU of the second
build by that of the first. `publish_vs_copy`: seconds of publishing by those of copying the published file, synced too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.company import DAY, NOW, Company

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = {"small": 10_000, "medium": 100_000, "large": 1_000_000}
SLOWEST = 12
"""So many of the slowest models, checks included, are named."""


def bench(people: int, home: Path) -> dict[str, Any]:
    """All measurements of a company of this size in an empty home."""
    company = Company(home, people)
    rows = company.first()
    full = step("build", home, NOW - DAY)
    first_publish = step("publish", home, NOW - DAY)
    changed = company.increment()
    increment = step("build", home, NOW)
    publish = step("publish", home, NOW)
    copy = copy_seconds(company.settings.published_path)
    steps = {"full": full, "publish": first_publish, "increment": increment, "publish_again": publish}
    return {
        "people": people,
        "rows": {"full": rows, "increment": changed},
        "ratios": {
            "increment_share": round(increment["cpu"] / full["cpu"], 3),
            "publish_vs_copy": round(publish["seconds"] / copy, 1),
        },
        "seconds": {**{name: each["seconds"] for name, each in steps.items()}, "copy": copy},
        "cpu": {name: each["cpu"] for name, each in steps.items()},
        "peak_mb": max(each["peak_mb"] for each in steps.values()),
        "peaks_mb": {name: each["peak_mb"] for name, each in steps.items()},
        "parts": {"full": full["parts"], "increment": increment["parts"]},
        "slowest": {"full": full["slowest"], "increment": increment["slowest"]},
        "file_mb": round(company.settings.published_path.stat().st_size / 1e6, 1),
    }


def step(name: str, home: Path, now: datetime) -> dict[str, Any]:
    """One step in a process of its own, as a scheduled run has it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.transform", "--step", name, "--home", str(home), "--now", now.isoformat()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def run_step(name: str, home: Path, now: datetime) -> dict[str, Any]:
    """What the measured process does."""
    from orchestration.publish import publish
    from orchestration.settings import Settings
    from orchestration.transform import build

    settings = Settings.load(home)
    settings.activate()
    spent: dict[str, float] = {}
    begin = time.process_time(), time.monotonic()
    parts: dict[str, float] = {}
    if name == "publish":
        publish(settings, lambda: now)
    else:
        report = build(
            settings, clock=lambda: now, on_event=lambda event: spent.update({event.node: event.seconds}) or None
        )
        if report.failed:
            raise SystemExit(f"the build failed: {report.failed}")
        parts = {part: round(seconds, 2) for part, seconds in report.parts.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    slowest = sorted(spent.items(), key=lambda item: -item[1])[:SLOWEST]
    return {
        "cpu": round(time.process_time() - begin[0], 2),
        "seconds": round(time.monotonic() - begin[1], 2),
        "peak_mb": round(peak),
        "parts": parts,
        "slowest": {node: round(seconds, 2) for node, seconds in slowest},
    }


def copy_seconds(path: Path) -> float:
    """Seconds that a plain copy of the file takes, to the disk's surface."""
    target = path.with_name("copy")
    begin = time.monotonic()
    shutil.copyfile(path, target)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    seconds = time.monotonic() - begin
    target.unlink()
    return round(seconds, 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=list(PEOPLE), default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--home", type=Path, help="keep the home here; default a temporary folder")
    parser.add_argument("--step", choices=("build", "publish"), help=argparse.SUPPRESS)
    parser.add_argument("--now", type=datetime.fromisoformat, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(run_step(args.step, args.home, args.now)))
        return
    with tempfile.TemporaryDirectory() as place:
        result = {"scale": args.scale, **bench(PEOPLE[args.scale], args.home or Path(place) / "home")}
    text = json.dumps(result, indent=2)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
