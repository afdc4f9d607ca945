"""Runs are killed at random moments, a first one too; the next run ends well, with the truth, and nothing is left behind.

Real processes, SIGKILL for all of their group. The moments come from a seed that is printed: TSUNAGU_FAULT_SEED=... repeats
them. Joints of a sync and of a build are killed one by one in `tests/faults` and `test_transform_killed`; here it is the
whole chain, over a company that lives on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random, SystemRandom

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from orchestration.verbs.demo import Life, Sandbox, write_home
from tests.end_to_end.against_truth import compare
from tests.end_to_end.conftest import SEED
from tests.end_to_end.homes import (
    Connected,
    Ran,
    committed,
    fetch,
    raw_versions,
    repeated_versions,
    stream_tables,
    table_hashes,
)
from tests.end_to_end.reader import Reader, state
from tests.end_to_end.run_to_kill import OF_EACH_SOURCE, USUAL, WHOLE, Moment, kill, measured

pytestmark = pytest.mark.slow

OFTEN_OTHERS = re.compile(r"dbt/target/(run|compiled)/|dagster/(history|storage)/|pipelines/\w+/load/loaded/")
"""Folders whose names change from run to run: dbt's SQL of what was built, and records that are dropped by age."""
DAY = re.compile(r"\d{8}(?=\.duckdb)")
SOURCES = ("esales", "hubspot", "hubspot_emea", "salesforce")
WAITING = ("load/new", "load/normalized", "normalize/new", "normalize/extracted", "normalize/normalized")


@pytest.fixture
def chance() -> Random:
    seed = os.environ.get("TSUNAGU_FAULT_SEED") or str(SystemRandom().randint(1, 10**6))
    print(f"TSUNAGU_FAULT_SEED={seed}")
    return Random(seed)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Sandbox]:
    """Tools of a company that can live on."""
    served = Sandbox.start(Life(SEED, "small"), 0, tmp_path / "tools")
    yield served
    served.stop()


# what a home looks like -----------------------------------------------------------------------------------------------
def names(home: Path) -> set[str]:
    """Names of all files that a run may leave; days are not told apart."""
    paths = (path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return {DAY.sub("DAY", path) for path in paths if not OFTEN_OTHERS.match(path)}


def leftovers(home: Path, usual: set[str]) -> list[str]:
    """What a run that ended well does not leave: files of no known name, packages that wait, snapshots beyond two, runs of
    Dagster that count as running, places in its pools."""
    found = sorted(names(home) - usual)
    waiting = (path for place in WAITING for path in home.glob(f"pipelines/*/{place}/*"))
    found += [f"waits: {path.relative_to(home)}" for path in waiting]
    if len(snapshots := list((home / "warehouse" / "snapshots").iterdir())) > 2:
        found += [f"snapshot {path.name}" for path in snapshots]
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        running = instance.get_runs(dg.RunsFilter(statuses=list(IN_PROGRESS_RUN_STATUSES)))
        found += [f"run {run.run_id} is {run.status.value}" for run in running]
        found += [f"place in a pool of {run}" for run in instance.event_log_storage.get_concurrency_run_ids()]
    return found


def committed_rows(home: Path, through: int) -> dict[str, tuple[int, str]]:
    """Stream table -> number and hash of the versions of the loads up to this one."""
    tables = stream_tables(home)
    parts = ", ".join(
        f"(select [count(*)::varchar, sum(hash(v._hash, v._seq, v._dlt_load_id)::hugeint)::varchar] "
        f"from {committed(schema, table)} v where load_seq <= {through})"
        for schema, table in tables
    )
    row = fetch(home / "warehouse" / "raw.duckdb", f"select {parts}")[0]
    return {f"{schema}.{table}": (int(n), total) for (schema, table), (n, total) in zip(tables, row, strict=True)}


def newest_load(home: Path) -> int:
    return fetch(home / "warehouse" / "raw.duckdb", "select max(seq) from ledger.loads")[0][0]


def unlike(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, tuple[object, object]]:
    return {
        name: (one.get(name), other.get(name)) for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    }


def truth_of(company: Connected) -> list[str]:
    """What differs between the marts and what happened."""
    return compare(Path(company.served.line["truth"]), company.published).wrong


# later runs -----------------------------------------------------------------------------------------------------------
def live_through_a_kill(
    company: Connected, moment: Moment, usual: Mapping[str, float], published: list[str], *sources: str
) -> tuple[Connected, bool]:
    """A day passes, a run (of these sources, default all) is killed, the next one ends well. False when the run had ended
    before its moment.

    `published` gets the states that were at the path.
    """
    through = newest_load(company.home)
    before, files = committed_rows(company.home, through), names(company.home)
    company = company.days_later(1)
    named = [word for source in sources for word in ("--source", source)]
    death = kill(company.home, company.served.company_now, moment, usual, "run", *named)
    print(death)
    published.append(state(company.published))
    ran = company.run()
    assert ran.code == 0, (str(death), ran.stderr)
    published.append(state(company.published))
    assert truth_of(company) == [], str(death)
    assert unlike(committed_rows(company.home, through), before) == {}, f"{death}: what had landed changed"
    assert leftovers(company.home, files) == [], str(death)
    return company, bool(death.part)


def live_on(
    demo: Ran, served: Sandbox, folder: Path, chance: Random, parts: Sequence[str], *, is_measured: bool
) -> None:
    """One kill in each of these parts of a run, with a reader at the published file all the time."""
    company = Connected.copy_of(demo.home, folder / "home", Life(SEED, "small"), served)
    published = [state(company.published)]
    reader = Reader(company.published)
    usual = USUAL
    try:
        if is_measured:
            company = company.days_later(1)
            usual = measured(company.home, company.served.company_now, "run")
            published.append(state(company.published))
        for part in parts:
            sources = () if is_measured else (chance.choice(SOURCES),)
            moment, is_killed, tries = Moment.choose(chance, part, len(sources or SOURCES)), False, 0
            while not is_killed:
                tries += 1
                assert tries <= 3, f"{moment}: no run was killed"
                company, is_killed = live_through_a_kill(company, moment, usual, published, *sources)
                moment = moment.earlier()
    finally:
        seen = reader.end()
    assert set(seen.states) <= set(published), "readers see what was published, and nothing else"
    assert repeated_versions(company.home) == {}


@pytest.mark.soak
def test_the_run_after_a_killed_one_ends_with_the_truth(
    demo: Ran, served: Sandbox, tmp_path: Path, chance: Random
) -> None:
    parts = chance.choice(OF_EACH_SOURCE), chance.choice(("before", "identity", "after", "publish"))
    live_on(demo, served, tmp_path, chance, parts, is_measured=False)


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(3))
def test_the_run_after_each_of_five_killed_ones_ends_with_the_truth(
    demo: Ran, served: Sandbox, tmp_path: Path, chance: Random, piece: int
) -> None:
    """The three pieces together hit every part, and any moment besides."""
    parts = [*USUAL, *[WHOLE] * 5][piece::3]
    live_on(demo, served, tmp_path, chance, parts, is_measured=True)


# first runs -----------------------------------------------------------------------------------------------------------
def first_run_killed(served: Sandbox, folder: Path, moment: Moment, usual_files: set[str]) -> Connected:
    """The first run of an empty home is killed, the next one ends well."""
    first = {part: 2 * seconds for part, seconds in USUAL.items()} | {WHOLE: 30.0}
    for number in range(4):  # the run may have ended before its moment
        home = folder / f"home{number}"
        write_home(home, Life(SEED, "small"), served)
        company = Connected(home, Life(SEED, "small"), served)
        death = kill(home, served.company_now, moment, first, "run")
        print(death)
        if death.part:
            break
        moment = moment.earlier()
    assert death.part, f"{moment}: no run was killed"
    if company.published.exists():
        state(company.published)
    ran = company.run()
    assert ran.code == 0, (str(death), ran.stderr)
    state(company.published)
    assert repeated_versions(home) == {}
    assert leftovers(home, usual_files) == [], str(death)
    return company


@pytest.mark.soak
def test_a_first_run_is_killed_and_the_next_one_reads_all(
    demo: Ran, served: Sandbox, tmp_path: Path, chance: Random
) -> None:
    """With one tool alone, the smallest, it takes some seconds."""
    alone = {"files": served.line["files"], "company_now": served.line["company_now"]}
    moment = Moment.choose(chance, chance.choice([*USUAL]))
    company = first_run_killed(Sandbox(served.child, alone), tmp_path, moment, names(demo.home))
    calm = {name: count for name, count in raw_versions(demo.home).items() if name.startswith("raw_esales.")}
    assert raw_versions(company.home) == calm
    for query in (
        "select entity_type, source_object, source_id from marts.identity_map where source_system = 'esales' order by all",
        "select source_id, stage, amount_original, close_date from marts.opportunities where source_system = 'esales' order by all",
    ):
        assert fetch(company.published, query) == fetch(demo.published, query)


@pytest.mark.soak
@pytest.mark.parametrize("part", ["extract", "normalize", "load", "before", WHOLE])
def test_a_first_run_of_all_tools_is_killed_and_the_next_one_ends_with_the_truth(
    demo: Ran, served: Sandbox, tmp_path: Path, chance: Random, part: str
) -> None:
    moment = Moment.choose(chance, part, len(SOURCES))
    company = first_run_killed(served, tmp_path, moment, names(demo.home))
    assert truth_of(company) == []
    assert unlike(raw_versions(company.home), raw_versions(demo.home)) == {}
    assert unlike(table_hashes(company.published), table_hashes(demo.published)).keys() <= {"data_health"}
