"""CPU, speed and memory of a first load, beside the least that any client needs for the same requests.

`python -m tests.bench.extract --scale small|medium|large --json OUT [--only VENDOR …] [--rounds N] [--no-defaults]`

The limit: the same requests by the same HTTP client, bodies to disk, one typed DuckDB insert. Each way runs in a fresh
process, the server in another; only the client's CPU counts, from the first request on. Ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from tests.bench import files
from tests.bench.shapes import ROWS, SHAPES

ROOT = Path(__file__).resolve().parents[2]
VENDORS = (*SHAPES, "esales")
FOLLOWED = ("hubspot", "salesforce", "rest", "account_engagement", "kintone")
"""Vendors whose next day's sync is measured: the same wire gives it, with one of a hundred records changed."""


def measure(way: str, vendor: str, url: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.worker", way, vendor, url, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{way} {vendor} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def log_of(url: str) -> bytes:
    """The requests that were made since somebody asked last."""
    with urllib.request.urlopen(f"{url}/_log") as answer:
        return answer.read()


def bench(vendor: str, rows: int, rounds: int, with_defaults: bool) -> dict[str, Any]:
    """All measurements of one vendor."""
    server: subprocess.Popen[str] | None = None
    url = ""
    if vendor != "esales":
        command = [sys.executable, "-m", "tests.bench.server", vendor, str(rows)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
    try:
        found: dict[str, list[dict[str, Any]]] = {"ours": [], "limit": [], "defaults": [], "increment": []}
        for number in range(rounds):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                if server is None:
                    files.write(folder, rows)
                else:
                    log_of(url)  # those of the round before
                found["ours"].append(measure("ours", vendor, url, folder))
                if server is not None:
                    (folder / "log.json").write_bytes(log_of(url))
                found["limit"].append(measure("limit", vendor, url, folder))
                if with_defaults and number == 0:
                    found["defaults"].append(measure("defaults", vendor, url, folder))
                if number == rounds - 1 and vendor in FOLLOWED:  # last: the server lives a day later from then on
                    with urllib.request.urlopen(f"{url}/_later"):
                        found["increment"].append(measure("increment", vendor, url, folder))
        return summary(vendor, found)
    finally:
        if server is not None:
            server.kill()
            server.wait()


def summary(vendor: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    increments = found.pop("increment")
    counts = {way: {run["rows"] for run in runs} for way, runs in found.items() if runs}
    found_rows = set().union(*counts.values())
    # A page that begins a part is read again by the limit too, which drops no row that it has already.
    if len(counts["ours"]) != 1 or min(found_rows) != min(counts["ours"]) or max(found_rows) > 1.005 * min(found_rows):
        raise SystemExit(f"{vendor}: the ways do not agree on the number of rows: {counts}")
    median = {
        way: {k: statistics.median(r[k] for r in runs) for k in ("cpu", "seconds", "memory_mb")}
        for way, runs in found.items()
        if runs
    }
    parts = {
        name: round(statistics.median(run["parts"][name] for run in found["ours"]), 3)
        for name in found["ours"][0]["parts"]
    }
    speed = round(median["defaults"]["seconds"] / median["ours"]["seconds"], 1) if "defaults" in median else None
    return {
        "cpu_vs_limit": round(median["ours"]["cpu"] / median["limit"]["cpu"], 2),
        "speed_vs_dlt_defaults": speed,
        "increment_share": round(increments[0]["cpu"] / median["ours"]["cpu"], 3) if increments else None,
        "memory_mb": round(median["ours"]["memory_mb"]),
        "parts": parts,
        "measured": {**median, **({"increment": increments[0]} if increments else {})},
        "rows": counts["ours"].pop(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", choices=list(ROWS), default="small")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", choices=VENDORS, default=list(VENDORS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--defaults", action=argparse.BooleanOptionalAction)
    args = parser.parse_args()
    rounds = args.rounds or {"small": 3, "medium": 3, "large": 1}[args.scale]
    with_defaults = args.scale != "large" if args.defaults is None else args.defaults
    results = {vendor: bench(vendor, ROWS[args.scale], rounds, with_defaults) for vendor in args.only}
    output = {
        "scale": args.scale,
        "ratios": {
            name: {vendor: result[name] for vendor, result in results.items()}
            for name in ("cpu_vs_limit", "speed_vs_dlt_defaults", "increment_share", "memory_mb")
        },
        "parts": {vendor: result["parts"] for vendor, result in results.items()},
        "measured": {vendor: {"rows": result["rows"], **result["measured"]} for vendor, result in results.items()},
    }
    text = json.dumps(output, indent=2)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
