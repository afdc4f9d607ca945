"""The end of `tsunagu demo`, in plain language, read from the published file as any reader would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from orchestration.outcome import Outcome
from orchestration.settings import Settings

BAR = 28
FUNNEL = """
    select f.stage, any_value(s.label_en) as label, any_value(f.stage_order) as stage_order, sum(f.entered_count) as entered
    from marts.funnel_monthly f left join marts.stages s on s.stage = f.stage and s.entity_type = 'person'
    where f.basis = 'cohort' and f.unit = 'person'
    group by f.stage order by stage_order
"""
PIPELINE = """
    select p.stage, any_value(s.label_en) as label, sum(p.opportunity_count) as deals, sum(p.amount) as amount
    from marts.pipeline_daily p left join marts.stages s on s.stage = p.stage and s.entity_type = 'opportunity'
    where p.level = 'company' and p.stage <> 'all'
      and p.snapshot_date = (select max(snapshot_date) from marts.pipeline_daily)
    group by p.stage, p.stage_order order by p.stage_order
"""
TOP_ACCOUNTS = """
    select account_name, won_amount, won_count, open_pipeline_amount, source_systems
    from marts.customer_360 order by won_amount desc nulls last, account_name limit 5
"""
TOTALS = """
    select count(*) as accounts, sum(source_record_count) as records,
           count(*) filter (where source_systems like '%,%') as in_several
    from marts.customer_360
"""
PEOPLE = "select count(*), sum(source_record_count) from marts.person_360"
HEALTH = """
    select check_name, source_system, status, details from marts.data_health
    where status <> 'ok' order by case status when 'error' then 0 else 1 end, check_name, source_system limit 6
"""
HEALTH_COUNT = "select count(*), count(*) filter (where status = 'ok') from marts.data_health"
QUERY = "select account_name, won_amount, open_pipeline_amount, last_touch_at from marts.customer_360 order by won_amount desc limit 10"


def print_summary(settings: Settings, outcome: Outcome, requests: Mapping[str, int], seconds: float) -> None:
    """Funnel, pipeline, top accounts, health of the data, where the file is, a query to try, what to do next."""
    console = Console(highlight=False, soft_wrap=True)
    with duckdb.connect(str(settings.published_path), read_only=True) as file:
        _one_truth(console, file, settings)
        _bars(console, "From first touch to customer (people)", file.execute(FUNNEL).fetchall(), 3)
        _pipeline(console, file, settings.reporting_currency)
        _accounts(console, file, settings.reporting_currency)
        _health(console, file)
    _what_was_read(console, outcome, requests, seconds)
    _next_steps(console, settings)


def _one(file: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = file.execute(query).fetchone()
    assert row is not None
    return row


def _one_truth(console: Console, file: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    accounts, account_records, several = _one(file, TOTALS)
    people, person_records = _one(file, PEOPLE)
    console.print()
    console.print(Text(settings.company or str(settings.home), style="bold"))
    console.print(
        f"{account_records:,.0f} account records of {len(settings.instances)} tools are {accounts:,} accounts "
        f"({several:,} of them in several tools); {person_records:,.0f} records of people are {people:,} people."
    )


def _bars(console: Console, title: str, rows: list[tuple[Any, ...]], value: int) -> None:
    if not rows:
        return
    top = max(float(row[value] or 0) for row in rows) or 1.0
    console.print(f"\n[bold]{title}[/bold]")
    first = float(rows[0][value] or 0) or 1.0
    for row in rows:
        count = float(row[value] or 0)
        bar = "█" * max(1 if count else 0, round(BAR * count / top))
        console.print(f"  {row[1] or row[0]:<24} {bar:<{BAR}} {count:>9,.0f}  {count / first:6.1%}")


def _pipeline(console: Console, file: duckdb.DuckDBPyConnection, currency: str) -> None:
    rows = file.execute(PIPELINE).fetchall()
    if not rows:
        return
    top = max(float(row[3] or 0) for row in rows) or 1.0
    console.print(f"\n[bold]Open pipeline by stage[/bold] ({currency})")
    for stage, label, deals, amount in rows:
        bar = "█" * round(BAR * float(amount or 0) / top)
        console.print(f"  {label or stage:<24} {bar:<{BAR}} {float(amount or 0):>16,.0f}  {deals:,} deals")
    total = sum(float(row[3] or 0) for row in rows)
    console.print(f"  {'together':<24} {'':<{BAR}} {total:>16,.0f}  {sum(row[2] for row in rows):,} deals")


def _accounts(console: Console, file: duckdb.DuckDBPyConnection, currency: str) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2), title_justify="left", title_style="bold")
    table.title = f"\nTop accounts by won amount ({currency})"
    for name, justify in (
        ("  account", "left"),
        ("won", "right"),
        ("deals", "right"),
        ("open", "right"),
        ("seen in", "left"),
    ):
        is_number = justify == "right"  # a narrow terminal may fold words; it must not cut amounts
        table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for name, won, count, pipeline, systems in file.execute(TOP_ACCOUNTS).fetchall():
        table.add_row(
            f"  {escape(name)}",
            f"{won or 0:,.0f}",
            f"{count or 0:,}",
            f"{pipeline or 0:,.0f}",
            (systems or "").replace(",", ", "),
        )
    console.print(table)


def _health(console: Console, file: duckdb.DuckDBPyConnection) -> None:
    checks, fine = _one(file, HEALTH_COUNT)
    console.print(f"\n[bold]Health of the data[/bold]: {fine} of {checks} checks are fine")
    for name, source, status, details in file.execute(HEALTH).fetchall():
        console.print(f"  {status:<6} {name} ({source}): {details or ''}", markup=False)


def _what_was_read(console: Console, outcome: Outcome, requests: Mapping[str, int], seconds: float) -> None:
    syncs = outcome.journal.syncs.values()
    rows, unchanged = sum(sum(s.rows.values()) for s in syncs), sum(sum(s.unchanged.values()) for s in syncs)
    console.print(
        f"\nRead in {sum(requests.values()):,} requests; {rows:,} new versions landed, {unchanged:,} unchanged rows left out; "
        f"{seconds:.0f} s in all."
    )


def _next_steps(console: Console, settings: Settings) -> None:
    console.print("\n[bold]The file[/bold]  " + str(settings.published_path))
    console.print("[bold]Try[/bold]       uv run python - <<'EOF'")
    console.print("import duckdb", markup=False)
    console.print(
        f"print(duckdb.connect({str(settings.published_path)!r}, read_only=True).sql('''", markup=False, soft_wrap=True
    )
    console.print(f"  {QUERY}'''))\nEOF", markup=False, soft_wrap=True)
    home = f"TSUNAGU_HOME={settings.home}"
    for label, command, purpose in (
        ("Next", "uv run tsunagu demo --advance 7", "let the company live a week, and read only what changed"),
        ("", f"{home} uv run tsunagu explain NAME", "which records an account is made of, and why"),
        ("", "uv run tsunagu init salesforce", "connect your own tools"),
    ):
        console.print(f"[bold]{label:<9}[/bold] {command:<46} {purpose}")
