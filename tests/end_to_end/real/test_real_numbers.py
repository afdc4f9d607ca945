"""Real data through the whole chain: two public data sets, our mapping files, and the numbers that must come out.

`maven` is a practice data set of 8,800 B2B deals, `olist` the leads and closed deals of a marketplace's sales team. The
files are read where they lie; they are not part of this project.
"""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.homes import ROOT, Ran, tsunagu

HERE = Path(__file__).parent
REAL = Path(os.environ.get("TSUNAGU_REAL_DATA") or ROOT.parent / "shared" / "real")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"the real data is not here: {REAL} (or set TSUNAGU_REAL_DATA)"),
]

QUARTERS = {1: 1_134_672, 4: 3_086_111, 7: 2_982_255, 10: 2_802_496}
CHANNELS = {
    "organic_search": (2296, 271),
    "paid_search": (1586, 195),
    "social": (1350, 75),
    "unknown": (1099, 179),
    "direct_traffic": (499, 56),
    "email": (493, 15),
    "referral": (284, 24),
    "other": (150, 4),
    "display": (118, 6),
    "advertising": (65, 3),
    "none": (60, 14),
}


@pytest.fixture(scope="module")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("real") / "home"
    home.mkdir()
    lines = ['reporting_currency = "USD"', 'timezone = "UTC"', "fiscal_year_start_month = 1"]
    for instance in ("maven", "olist"):
        lines += [f"[instances.{instance}]", 'vendor = "files"']
        lines += [f'folder = "{REAL / instance}"', f'mapping = "{HERE / instance / "mapping.yaml"}"']
    (home / "tsunagu.toml").write_text("\n".join(lines) + "\n")
    for instance in ("maven", "olist"):
        shutil.copytree(HERE / instance / "maps", home / "maps", dirs_exist_ok=True)
    ran = tsunagu(home, "run")
    assert ran.code == 0, ran.stdout + ran.stderr
    return ran


@pytest.fixture
def marts(real_home: Ran) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(real_home.published), read_only=True)


def test_every_deal_stands_in_its_stage(marts: duckdb.DuckDBPyConnection) -> None:
    counts = dict(
        marts.execute(
            "select source_stage, count(*) from marts.opportunities where source_system = 'maven' group by 1"
        ).fetchall()
    )
    assert counts == {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
    unmapped = marts.execute("select count(*) from marts.opportunities where stage = 'unmapped'").fetchone()
    assert unmapped == (0,)


def test_the_won_amount_is_the_sum_of_the_won_deals(marts: duckdb.DuckDBPyConnection) -> None:
    won = "select sum(amount) from marts.opportunities where source_system = 'maven' and is_won"
    assert marts.execute(won).fetchone() == (Decimal("10005534.00"),)
    # Flows are signed: a win takes its amount out of the open pipeline.
    daily = "select -sum(won_amount) from marts.pipeline_daily where level = 'company' and stage <> 'all'"
    assert marts.execute(daily).fetchone() == (Decimal("10005534.00"),)


def test_the_win_rate_counts_closed_deals_only(marts: duckdb.DuckDBPyConnection) -> None:
    rate = """select count(*) filter (where is_won) / count(*) from marts.opportunities
              where source_system = 'maven' and is_closed"""
    assert round(marts.execute(rate).fetchone()[0], 5) == 0.63150


@pytest.mark.parametrize(("month", "amount"), QUARTERS.items())
def test_won_by_close_quarter_of_2017(marts: duckdb.DuckDBPyConnection, month: int, amount: int) -> None:
    query = """select sum(amount) from marts.opportunities
               where source_system = 'maven' and is_won
                 and date_trunc('quarter', close_date) = make_date(2017, $month, 1)"""
    assert marts.execute(query, {"month": month}).fetchone() == (Decimal(amount),)


def test_the_top_accounts_by_won_amount(marts: duckdb.DuckDBPyConnection) -> None:
    top = "select account_name, won_amount from marts.customer_360 order by won_amount desc nulls last limit 3"
    assert marts.execute(top).fetchall() == [
        ("Kan-code", Decimal(341455)),
        ("Konex", Decimal(269245)),
        ("Condax", Decimal(206410)),
    ]


def test_days_from_engaging_to_won(marts: duckdb.DuckDBPyConnection) -> None:
    query = """
        select round(avg(days), 2), median(days) from (
            select date_diff('day', h.entered_at::date, o.close_date) as days
            from marts.opportunities o
            join marts.opportunity_stage_history h on h.opportunity_id = o.opportunity_id
            where o.source_system = 'maven' and o.is_won and h.source_stage = 'Engaging')"""
    assert marts.execute(query).fetchone() == (51.78, 57.0)


def test_deals_without_an_account_keep_having_none(marts: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*) from marts.opportunities where source_system = 'maven' and account_id is null"
    assert marts.execute(query).fetchone() == (1425,)


def test_lost_deals_carry_the_amount_zero_of_the_file(marts: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select sum(amount), count(amount) from marts.opportunities where source_system = 'maven' and stage = 'lost'"
    )
    assert marts.execute(query).fetchone() == (Decimal(0), 2473)


def test_a_product_written_in_two_ways_is_one(real_home: Ran) -> None:
    with duckdb.connect(str(real_home.home / "warehouse" / "tsunagu.duckdb"), read_only=True) as con:
        names = con.execute(
            "select distinct product_name from canonical.canonical_opportunity_line where source_system = 'maven'"
        ).fetchall()
    assert ("GTX Pro",) in names and ("GTXPro",) not in names


def test_a_lead_in_ten_becomes_a_customer(marts: duckdb.DuckDBPyConnection) -> None:
    query = """
        select sum(entered_count) filter (where stage = 'customer') / sum(entered_count) filter (where stage = 'lead')
        from marts.funnel_monthly where basis = 'cohort' and unit = 'person'"""
    assert round(marts.execute(query).fetchone()[0], 5) == 0.10525


@pytest.mark.parametrize(("channel", "expected"), CHANNELS.items())
def test_leads_and_customers_by_origin(
    marts: duckdb.DuckDBPyConnection, channel: str, expected: tuple[int, int]
) -> None:
    query = """
        select sum(entered_count) filter (where stage = 'lead')::int, sum(entered_count) filter (where stage = 'customer')::int
        from marts.funnel_monthly where basis = 'cohort' and unit = 'person' and channel = $channel"""
    assert marts.execute(query, {"channel": channel}).fetchone() == expected


def test_every_word_of_the_files_is_mapped(marts: duckdb.DuckDBPyConnection) -> None:
    query = """select check_name, source_system, details from marts.data_health
               where check_name like 'unmapped%' and status <> 'ok'"""
    assert marts.execute(query).fetchall() == []
    leads = "select sum(entered_count)::int from marts.funnel_monthly where basis = 'cohort' and unit = 'person' and stage = 'lead'"
    assert marts.execute(leads).fetchone() == (sum(leads for leads, _ in CHANNELS.values()),)


def test_no_row_of_the_files_is_lost(real_home: Ran) -> None:
    with duckdb.connect(str(real_home.home / "warehouse" / "raw.duckdb"), read_only=True) as con:
        rows = [
            con.execute(f"select count(*) from raw_{instance}.{table}").fetchone()[0]
            for instance, table in (("maven", "opportunity"), ("maven", "account"), ("olist", "person"))
        ]
        quarantined = con.execute("select count(*) from raw_maven.quarantine").fetchone()[0]
    assert rows == [8800, 85, 8000] and quarantined == 0
