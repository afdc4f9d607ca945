"""The README's first command, as a newcomer sees it: one home, three ways through it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.homes import Ran, tsunagu

pytestmark = pytest.mark.slow

CONTRACT = [
    "customer_360",
    "person_360",
    "person_accounts",
    "identity_map",
    "identity_history",
    "touchpoints",
    "journeys",
    "opportunities",
    "opportunity_stage_history",
    "opportunity_lines",
    "opportunity_people",
    "funnel_monthly",
    "pipeline_daily",
    "activity_daily",
    "account_products",
    "campaigns",
    "products",
    "calendar",
    "owners",
    "stages",
    "metrics",
    "data_health",
]
MAY_BE_EMPTY = {"identity_history"}


def rows(path: Path, table: str) -> int:
    with duckdb.connect(str(path), read_only=True) as file:
        return file.execute(f"select count(*) from marts.{table}").fetchone()[0]


@pytest.mark.parametrize("table", CONTRACT)
def test_every_table_of_the_contract_is_published_and_filled(demo: Ran, table: str) -> None:
    assert rows(demo.published, table) > 0 or table in MAY_BE_EMPTY


def test_the_published_file_holds_marts_only(demo: Ran) -> None:
    with duckdb.connect(str(demo.published), read_only=True) as file:
        schemas = {row[0] for row in file.execute("select distinct schema_name from duckdb_tables()").fetchall()}
    assert schemas == {"marts", "about"}
    assert not demo.published.with_suffix(".duckdb.wal").exists()


def test_no_request_leaves_the_machine(demo: Ran) -> None:
    assert demo.outside_requests == ""


def test_neither_file_has_a_constraint_or_an_index(demo: Ran) -> None:
    for name in ("raw", "tsunagu"):
        with duckdb.connect(str(demo.home / "warehouse" / f"{name}.duckdb"), read_only=True) as file:
            indexes = file.execute("select index_name from duckdb_indexes()").fetchall()
            constraints = file.execute(
                "select table_name, constraint_type from duckdb_constraints() "
                "where constraint_type in ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')"
            ).fetchall()
        assert not indexes and not constraints, (name, indexes, constraints)


def test_no_secret_of_the_sandbox_is_anywhere_but_in_the_secrets_file(demo: Ran) -> None:
    secrets_file = demo.home / ".dlt" / "secrets.toml"
    secrets = {
        value.encode()
        for line in secrets_file.read_text().splitlines()
        if line.startswith(("client_secret", "token", "apps"))
        for value in re.findall(r'"([^"]{12,})"', line)
    }
    assert len(secrets) > 5  # a tool may have a token for each of its apps
    for path in demo.home.rglob("*"):
        if path.is_file() and path != secrets_file and "sandbox" not in path.relative_to(demo.home).parts:
            content = path.read_bytes()
            assert not [s for s in secrets if s in content], path
    assert not [s for s in secrets if s.decode() in demo.stdout + demo.stderr]


def test_the_secrets_file_is_readable_by_its_owner_only(demo: Ran) -> None:
    assert (demo.home / ".dlt" / "secrets.toml").stat().st_mode & 0o077 == 0


def test_a_second_demo_adds_no_version_and_skips_models(demo_copy: Callable[[], Ran]) -> None:
    before = demo_copy()
    versions = raw_counts(before.home)
    tables = published_tables(before.published)
    again = tsunagu(before.home, "demo")
    assert again.code == 0, again.stderr
    assert raw_counts(again.home) == versions
    assert differing_tables(tables, published_tables(again.published)) <= {"data_health"}


def raw_counts(home: Path) -> dict[str, int]:
    """Rows of every stream table of the raw log; counts of the vendors and dlt's own tables are not versions."""
    with duckdb.connect(str(home / "warehouse" / "raw.duckdb"), read_only=True) as file:
        tables = file.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name like 'raw_%' "
            "and table_name not like '\\_dlt%' escape '\\' and table_name not in ('vendor_count', 'quarantine')"
        ).fetchall()
        return {f"{s}.{t}": file.execute(f'select count(*) from "{s}"."{t}"').fetchone()[0] for s, t in tables}


def published_tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as file:
        names = [
            row[0]
            for row in file.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        ]
        return {name: file.execute(f"select * from marts.{name} order by all").fetchall() for name in names}


def differing_tables(one: dict[str, object], other: dict[str, object]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_the_demo_refuses_a_home_with_real_sources(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "tsunagu.toml").write_text('[instances.salesforce]\nvendor = "salesforce"\n')
    ran = tsunagu(home, "demo")
    assert ran.code == 2
    assert "real sources" in ran.stderr and "Traceback" not in ran.stderr


def test_the_summary_says_what_a_newcomer_wants_to_know(demo: Ran) -> None:
    for words in (
        "accounts",
        "From first touch to customer",
        "Open pipeline by stage",
        "Top accounts",
        "Health of the data",
    ):
        assert words in demo.stdout
    assert str(demo.published) in demo.stdout.replace("\n", "")
    assert "…" not in demo.stdout, "amounts are cut"
