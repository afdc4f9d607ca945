"""Truth against marts: each finding is a sentence; none means that the published file says what happened.

    python -m tests.end_to_end.against_truth HOME

compares a demo home. Counts and amounts must be equal; for accounts and people, which certain keys can join only so far,
it gives precision and recall of the pairs of records.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

OBSERVED_ONLY = "observed_only"
JOINED = """
    create temp table joined as
    select t.entity_type, t.entity_id as true_id, m.entity_id, t.source_system, t.source_object, t.source_id,
           t.difficulty, t.is_decidable
    from truth_records t
    left join marts.identity_map m using (entity_type, source_system, source_object, source_id)
"""
PAIRS = """
    with one as (select true_id, entity_id, count(*) as n from joined where entity_type = $kind and entity_id is not null group by all),
    same_truth as (select sum(n * (n - 1) / 2) as pairs
                   from (select true_id, count(*) as n from joined where entity_type = $kind group by all)),
    same_entity as (select sum(n * (n - 1) / 2) as pairs
                    from (select entity_id, count(*) as n from joined
                         where entity_type = $kind and entity_id is not null group by all)),
    both_same as (select sum(n * (n - 1) / 2) as pairs from one)
    select both_same.pairs, same_truth.pairs, same_entity.pairs from both_same, same_truth, same_entity
"""
# One row a deal that stands in the truth, whichever of its records the marts show.
DEALS = """
    create temp table deals as
    with shown as (
        select o.*, j.true_id
        from marts.opportunities o
        left join joined j on j.entity_type = 'opportunity' and j.source_system = o.source_system
                          and j.source_id = o.source_id
    ),
    truth as (
        select opportunity_entity_id as true_id, sum(amount) as amount, any_value(currency) as currency,
               any_value(close_date) as close_date, bool_or(is_won) as is_won
        from truth_amounts group by opportunity_entity_id
    )
    select coalesce(truth.true_id, shown.true_id) as true_id, shown.opportunity_id, shown.source_system,
           truth.amount as true_amount, shown.amount_original, truth.currency as true_currency, shown.currency,
           truth.close_date as true_close_date, coalesce(shown.close_date, shown.expected_close_date) as close_date,
           truth.is_won as true_is_won, shown.is_won, truth.true_id is not null as is_true
    from truth full join shown on shown.true_id = truth.true_id
"""
VISITS = """
    create temp table visits as
    with shown as (
        select deals.true_id, h.stage, h.entered_at
        from marts.opportunity_stage_history h join deals on deals.opportunity_id = h.opportunity_id
        where not h.is_inferred and h.history_basis = 'vendor'
    ),
    vendor_told as (select distinct true_id from joined where entity_type = 'opportunity' and difficulty <> 'observed_only'),
    truth as (
        select opportunity_entity_id as true_id, stage, entered_at
        from truth_stage_events e where exists (select 1 from vendor_told v where v.true_id = e.opportunity_entity_id)
          and exists (select 1 from deals d where d.true_id = e.opportunity_entity_id)
    ),
    told as (select s.* from shown s join vendor_told using (true_id))
    select coalesce(truth.true_id, told.true_id) as true_id, coalesce(truth.stage, told.stage) as stage,
           truth.entered_at as true_entered_at, told.entered_at
    from truth full join told
      on told.true_id = truth.true_id and told.stage = truth.stage
     and date_trunc('second', told.entered_at) = date_trunc('second', truth.entered_at)
"""


@dataclass
class Findings:
    """What differs (`wrong`), and how far identity reached (`reach`)."""

    wrong: list[str] = field(default_factory=list)
    reach: dict[str, dict[str, float]] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)


def compare(truth: Path, published: Path) -> Findings:
    """Compare the truth's folder with a published file."""
    found = Findings()
    with duckdb.connect(str(published), read_only=True) as con:
        for name in ("records", "amounts", "stage_events", "touches", "people", "accounts"):
            con.execute(f"create temp table truth_{name} as from read_parquet('{truth / name}.parquet')")
        con.execute(JOINED)
        con.execute(DEALS)
        con.execute(VISITS)
        _records(con, found)
        _reach(con, found)
        _deals(con, found)
        _visits(con, found)
        _pipeline(con, found)
        _touches(con, found)
        _people(con, found)
    return found


def _expect(con: duckdb.DuckDBPyConnection, found: Findings, what: str, query: str) -> None:
    """The query gives the rows that are wrong."""
    rows = con.execute(query).fetchall()
    if rows:
        found.wrong.append(f"{what}: {len(rows)} rows, e.g. {rows[:3]}")


def _equal(con: duckdb.DuckDBPyConnection, found: Findings, what: str, true_query: str, query: str) -> None:
    expected, got = con.execute(true_query).fetchall(), con.execute(query).fetchall()
    found.figures[what] = f"{got}"[:200]
    if expected != got:
        found.wrong.append(f"{what}: truth {expected[:6]}, marts {got[:6]}")


def _records(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    _expect(
        con,
        found,
        "records of the truth that identity_map lacks",
        "from joined where entity_id is null and difficulty <> 'deleted'",
    )
    _expect(
        con,
        found,
        "records that identity_map has more than once",
        "select entity_type, source_system, source_object, source_id from marts.identity_map group by all having count(*) > 1",
    )
    _expect(
        con,
        found,
        "records of accounts, people and deals that no truth knows",
        """select entity_type, source_system, source_object, source_id from marts.identity_map m
           anti join truth_records using (entity_type, source_system, source_object, source_id)
           where entity_type in ('account', 'person', 'opportunity')""",
    )


def _reach(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    for kind in ("account", "person", "opportunity", "user"):
        row = con.execute(PAIRS, {"kind": kind}).fetchone()
        right, true, claimed = (float(x or 0) for x in row or (0, 0, 0))
        found.reach[kind] = {
            "precision": right / claimed if claimed else 1.0,
            "recall": right / true if true else 1.0,
            "true_pairs": true,
        }


def _deals(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    _expect(con, found, "deals of the truth that opportunities lacks", "from deals where opportunity_id is null")
    _expect(con, found, "opportunities that no truth knows", "from deals where not is_true")
    _expect(con, found, "deals shown twice", "select true_id from deals group by 1 having count(*) > 1")
    same = "is_true and opportunity_id is not null"
    for what, condition in (
        (
            "amount",
            "true_amount is distinct from amount_original and coalesce(true_amount, 0) <> coalesce(amount_original, 0)",
        ),
        ("currency", "true_currency is distinct from currency"),
        ("close date", "true_close_date is distinct from close_date"),
        ("won or not", "coalesce(true_is_won, false) is distinct from coalesce(is_won, false)"),
    ):
        _expect(con, found, f"deals with another {what}", f"from deals where {same} and {condition}")
    _equal(
        con,
        found,
        "won amount by currency",
        "select currency, count(distinct opportunity_entity_id), sum(amount) from truth_amounts where is_won group by 1 order by 1",
        "select currency, count(*), sum(amount_original) from marts.opportunities where is_won group by 1 order by 1",
    )


def _visits(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    _expect(con, found, "stage entries of the truth that the history lacks", "from visits where entered_at is null")
    _expect(con, found, "stage entries that no truth knows", "from visits where true_entered_at is null")


def _pipeline(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    last = """
        with last as (
            select opportunity_entity_id, max_by(stage, entered_at) as stage from truth_stage_events group by 1
        ), standing as (select opportunity_entity_id, sum(amount) as amount from truth_amounts group by 1)
        select stage, count(*) from last join standing using (opportunity_entity_id)
        where stage not in ('won', 'lost') group by 1 order by 1
    """
    _equal(
        con,
        found,
        "open deals by stage",
        last,
        """select stage, sum(opportunity_count)::bigint from marts.pipeline_daily
           where level = 'company' and stage <> 'all'
             and snapshot_date = (select max(snapshot_date) from marts.pipeline_daily)
           group by 1 having sum(opportunity_count) > 0 order by 1""",
    )


def _touches(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    _equal(
        con,
        found,
        "touches",
        "select count(*) from truth_touches",
        """select count(*) from marts.touchpoints
           where direction is distinct from 'internal' and occurred_at <= (select as_of from about.publication)""",
    )


def _people(con: duckdb.DuckDBPyConnection, found: Findings) -> None:
    """Entries to stages of people whose records are joined exactly as in the truth."""
    exact = """
        with people as (select true_id, entity_id from joined where entity_type = 'person'),
        alone as (select true_id from people group by 1 having count(distinct entity_id) = 1),
        pure as (select entity_id from people group by 1 having count(distinct true_id) = 1)
        select distinct true_id, entity_id from people join alone using (true_id) join pure using (entity_id)
    """
    for stage in ("mql", "sql", "customer"):
        _expect(
            con,
            found,
            f"people with another {stage}_at",
            f"""with exact as ({exact})
                select e.true_id, t.{stage}_at as truth, p.{stage}_at as mart
                from exact e join truth_people t on t.person_entity_id = e.true_id
                left join marts.person_360 p on p.person_id = e.entity_id
                where date_trunc('second', t.{stage}_at) is distinct from date_trunc('second', p.{stage}_at)""",
        )


def main() -> int:
    home = Path(sys.argv[1])
    truth = next((home / "sandbox").rglob("company.json")).parent
    found = compare(truth, home / "published" / "tsunagu.duckdb")
    print(
        json.dumps({"reach": found.reach, "figures": found.figures, "wrong": found.wrong}, indent=1, ensure_ascii=False)
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
