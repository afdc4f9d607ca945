"""Requests that a run takes beside the fewest that the vendor's rules allow, and how much of a rate limit is used.

`python -m tests.bench.requests [--json OUT] [--only VENDOR …] [--days N] [--seed N]`

The demo company's instances are read twice, a first load and then what N days changed. Requests are counted where they arrive.
The fewest follow from what arrived: the rows that landed, each counted once, in the largest pages of the vendor's reference,
and the questions that the product promises (describe, count, deletions). Counts are the same for the same seed. The use of the
rate limits is that of the sources' own pace against the sandbox's limiter, in a clock of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sources.demo.company import Company, build
from sources.demo.server import Running, serve
from sources.extract import build_source
from sources.notes import Notes
from sources.stream import Stream, load_vendor

GOAL = 1.05
USED = 0.9


def pages(rows: int, size: int) -> int:
    """Requests for that many rows; nothing takes one too."""
    return max(1, -(-rows // size))


@dataclass
class Run:
    """What one run read: rows by stream, each key once; what is there altogether; and where it asked."""

    first: bool
    rows: Mapping[str, int]
    gone: Mapping[str, int]
    """Of these, rows that say of themselves that they are archived."""
    live: Mapping[str, int]
    """Keys that raw knows, by stream."""
    streams: tuple[Stream, ...]
    ask: Callable[[str], list[tuple[Any, ...]]]
    """SQL over raw; `{load}` is this run's load."""
    setting: Mapping[str, Any]
    now: datetime

    def swept(self, size: int, names: set[str] | None = None) -> int:
        """Listings of ids of a later run; a first load has listed everything."""
        every = [one.name for one in self.streams if one.deletes == "sweep" and (names is None or one.name in names)]
        return 0 if self.first else sum(pages(self.live[name], size) for name in every)


def salesforce(run: Run) -> int:
    """A token; per object describe, pages of 2,000 and a count; the feed of deletions once something was read before."""
    each = sum(2 + pages(run.rows[one.name], 2_000) for one in run.streams)
    feeds = 0 if run.first else sum(one.deletes == "feed" for one in run.streams)
    return 1 + each + feeds + run.swept(2_000)


def hubspot(run: Run) -> int:
    """Per object its properties, pages (100, with history 50; searches 200, then 50 a batch), archived ones, and a count;
    associations of 1,000 records a call; owners twice, pipelines, account, forms and the pages of each."""
    from sources.hubspot.columns import ASSOCIATIONS, HISTORY, PROPERTIES

    total = 0
    for name in PROPERTIES:
        size = 50 if name in HISTORY else 100
        archived, rows = run.gone[name], run.rows[name] - run.gone[name]
        read = pages(rows, size) if run.first else pages(rows, 200) + (-(-rows // 50) if name in HISTORY else 0)
        total += 1 + read + pages(archived, size) + 1
    total += sum(-(-run.rows[f"{one}_{to}"] // 1_000) for one, to in ASSOCIATIONS)
    forms = run.live["forms"]
    return total + 2 + 1 + 1 + pages(forms, 100) + max(forms, -(-run.rows["form_submissions"] // 50))


def kintone(run: Run) -> int:
    """Per app its form, pages of 500, and later, once in 20 hours, the record numbers. Subtables, labels, users and counts
    come along."""
    apps = [one for one in run.streams if one.deletes == "sweep"]
    return sum(1 + pages(run.rows[one.name], 500) for one in apps) + run.swept(500)


def account_engagement(run: Run) -> int:
    """A token and pages of 1,000."""
    return 1 + sum(pages(run.rows[one.name], 1_000) for one in run.streams) + run.swept(1_000)


def marketo(run: Run) -> int:
    """A token, two descriptions and the types; programs in pages of 200 and one by one (their costs come in no list), lists,
    deletions by a paging token and pages of 300. First the members of each list and exports: three calls a month, or ten
    programs, and one more where there are rows. Later a paging token and pages of ten types, and what they name."""
    deletions = 1 + pages(run.rows["deleted_leads"], 300)
    programs = pages(run.live["programs"], 200) + run.rows["programs"]
    always = 3 + pages(run.live["static_lists"], 300) + deletions + programs
    return always + (_marketo_first(run) if run.first else _marketo_later(run))


def _marketo_first(run: Run) -> int:
    from sources.marketo.api import LONGEST_KEPT

    since, now = datetime.fromisoformat(run.setting["since"]).replace(tzinfo=UTC), run.now - timedelta(minutes=5)
    total = 1  # the description of members
    for table, stamp, begins in (
        ("leads", "created_at", since),
        ("activities", "activity_date", max(since, now - LONGEST_KEPT)),
    ):
        [(filled,)] = run.ask(
            f"select count(distinct floor((epoch({stamp}) - {begins.timestamp()}) / {MONTH.total_seconds():.0f})) from {table}"
        )
        total += 3 * -(-(now - begins) // MONTH) + filled
    [(with_members,)] = run.ask("select count(distinct program_id) from program_members")
    total += 3 * -(-run.live["programs"] // 10) + -(-with_members // 10)
    listed = run.ask(
        "select count(m.lead_id) from static_lists as l left join static_list_members as m on l.id = m.list_id group by l.id"
    )
    return total + sum(pages(count, 300) for (count,) in listed)


def _marketo_later(run: Run) -> int:
    from sources.marketo.columns import FIRST_CUSTOM, OTHERS, TOUCHES, WATCHED

    types = dict(
        run.ask(
            "select activity_type_id, count(distinct marketo_guid) from activities where _dlt_load_id = '{load}' group by all"
        )
    )
    known = [int(one) for (one,) in run.ask("select distinct id from activity_types")]
    rest = [one for one in known if one in (*TOUCHES, *OTHERS) or one >= FIRST_CUSTOM]
    groups = [list(WATCHED), *(rest[at : at + 10] for at in range(0, len(rest), 10))]
    followed = 1 + sum(pages(sum(types.get(one, 0) for one in group), 300) for group in groups)
    changed = run.ask(
        "select program_id, count(distinct lead_id) from program_members where _dlt_load_id = '{load}' group by all"
    )
    members = sum(pages(count, 300) for _, count in changed) + bool(changed)
    listed = pages(run.rows["programs"], 200)
    return followed + -(-run.rows["leads"] // 300) + members + listed


MONTH = timedelta(days=31)


FEWEST: Mapping[str, Callable[[Run], int]] = {
    "account_engagement": account_engagement,
    "hubspot": hubspot,
    "kintone": kintone,
    "marketo": marketo,
    "salesforce": salesforce,
}


class Reader:
    """One instance, read with plain dlt into a DuckDB of its own."""

    def __init__(self, running: Running, vendor: str, instance: str, folder: Path) -> None:
        self.running, self.vendor, self.instance, self.folder = running, load_vendor(vendor), instance, folder

    def run(self) -> tuple[Run, int]:
        """What was read, and the requests that arrived."""
        import dlt

        before, notes = self.running.requests[self.instance], Notes()
        line = self.running.line()[self.instance]
        config = {one.name: line[one.name] for one in self.vendor.params if one.name in line}
        source = build_source(
            self.vendor, self.instance, clock=lambda: self.running.company.now, config=config, notes=notes
        )
        pipeline = dlt.pipeline(
            self.instance,
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / f"{self.instance}.duckdb")),
            dataset_name="raw",
        )
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        load = pipeline.load()
        if notes.failed or notes.skipped:
            raise SystemExit(f"{self.instance}: {notes.failed or notes.skipped}")
        return self._seen(load.loads_ids[-1], notes), self.running.requests[self.instance] - before

    def _seen(self, load_id: str, notes: Notes) -> Run:
        import duckdb

        path, settings = self.folder / f"{self.instance}.duckdb", self.running.line()[self.instance]

        def ask(sql: str) -> list[tuple[Any, ...]]:
            with duckdb.connect(str(path), read_only=True) as con:
                con.execute("set TimeZone = 'UTC'; use raw")
                return con.execute(sql.replace("{load}", load_id)).fetchall()

        streams = [one for one in self._streams() if one.name in notes.windows]
        rows, gone, live = dict[str, int](), dict[str, int](), dict[str, int]()
        for one in streams:
            keys, mine = ", ".join(one.key), "_dlt_load_id = '{load}'"
            # a deleted record comes whole or, out of another record's words, as its key alone
            made = (
                f"(not coalesce(_deleted, false){' or created_at is not null' if 'created_at' in one.columns else ''})"
            )
            [numbers] = ask(
                f"select count(distinct ({keys})) filter ({mine} and {made}),"
                f" count(distinct ({keys})) filter ({mine} and {made} and _deleted), count(distinct ({keys})) from {one.name}"
            )
            rows[one.name], gone[one.name], live[one.name] = numbers
        first = all(window.start is None for window in notes.windows.values())
        return Run(first, rows, gone, live, tuple(streams), ask, settings, self.running.company.now)

    def _streams(self) -> tuple[Stream, ...]:
        from sources.config import read_config

        if self.vendor.streams_of is None:
            return self.vendor.streams
        line = self.running.line()[self.instance]
        given = {one.name: line[one.name] for one in self.vendor.params if one.name in line}
        return self.vendor.streams_of(read_config(self.vendor.params, self.instance, given))


def compared(vendor: str, run: Run, requests: int) -> dict[str, Any]:
    """One line of the table."""
    fewest = FEWEST[vendor](run)
    return {
        "rows": sum(run.rows.values()),
        "share": round(sum(run.rows.values()) / max(1, sum(run.live.values())), 4),
        "requests": requests,
        "fewest": fewest,
        "ratio": round(requests / fewest, 3),
    }


def counts(company: Company, days: int, only: list[str]) -> dict[str, dict[str, Any]]:
    """Vendor -> first load and increment, of its first instance."""
    os.environ |= {"NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place, serve(company, folder=Path(place) / "sandbox") as running:
        readers = {
            vendor: Reader(running, vendor, (company.instances(vendor) or [vendor])[0], Path(place))
            for vendor in FEWEST
            if not only or vendor in only
        }
        for vendor, reader in readers.items():
            found[vendor] = {"first load": compared(vendor, *reader.run())}
        running.advance(days)
        for vendor, reader in readers.items():
            found[vendor]["increment"] = compared(vendor, *reader.run())
    return found


def _is_let_in(admit: Callable[[], tuple[Any, str | None]]) -> bool:
    return admit()[1] is None


def used_rates() -> dict[str, dict[str, float]]:
    """Limit -> the share that the source's pace uses once a window is full, and what the sandbox's limiter refuses.

    Salesforce and kintone limit no rate: a day's calls, and 100 or 25 long requests at once, of which a source sends one.
    """
    from sources.hubspot import pace as hubspot_pace
    from sources.hubspot import sandbox as portal
    from sources.marketo import pace as marketo_pace
    from sources.marketo.sandbox import wire as subscription

    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    def measured(wait: Callable[[], None], admitted: Callable[[], bool], most: int, seconds: float) -> dict[str, float]:
        begun, refused = now, 0
        for _ in range(11 * most):  # the first window is free
            wait()
            refused += not admitted()
            sleep(0.01 * seconds / most)  # what an answer takes
        return {"used": round(10 * seconds / (now - begun), 4), "refused": refused}

    def of_marketo() -> bool:
        try:
            limits.enter()
        except subscription.Refused:
            return False
        limits.leave()
        return True

    limits = subscription.Limits(on=True)
    with patch.object(portal, "monotonic", lambda: now), patch.object(subscription, "monotonic", lambda: now):
        found: dict[str, dict[str, float]] = {}
        for search, name in ((False, "hubspot, 190 in 10 s"), (True, "hubspot, 5 searches a second")):
            pace, most, seconds = hubspot_pace.Pace(lambda: now, sleep), *((5, 1.0) if search else (190, 10.0))
            admit = partial(portal.Limits(True).admit, search)
            found[name] = measured(partial(pace.wait, search=search), partial(_is_let_in, admit), most, seconds)
        pace_of_marketo = marketo_pace.Pace(100, lambda: now, sleep)
        found["marketo, 100 in 20 s"] = measured(pace_of_marketo.wait, of_marketo, 100, 20.0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.requests", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--scale", choices=("small", "medium", "large"), default="small")
    asked = parser.parse_args()
    found = counts(build(asked.seed, asked.scale), asked.days, asked.only)
    print(f"{'vendor':20}{'run':12}{'rows':>8}{'share':>8}{'requests':>10}{'fewest':>8}{'ratio':>7}")
    for vendor, runs in found.items():
        for name, one in runs.items():
            numbers = f"{one['rows']:8,}{one['share']:8.2%}{one['requests']:10,}{one['fewest']:8,}{one['ratio']:7.3f}"
            print(f"{vendor:20}{name:12}{numbers}{'' if one['ratio'] <= GOAL else '  ✗'}")
    rates = used_rates()
    for name, one in rates.items():
        fine = one["used"] >= USED and not one["refused"]
        print(f"{name:32}{one['used']:8.1%} used, {one['refused']} refused{'' if fine else '  ✗'}")
    if asked.json:
        asked.json.write_text(json.dumps({"requests": found, "rates": rates}, indent=1))


if __name__ == "__main__":
    main()
