"""The unit tests that stand beside the marts: rules with edge cases, each over rows of its own."""

from __future__ import annotations

import shutil

import pytest
import sqlglot

from tests.dbt_project.marts_fixture import Marts, template


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    marts = template(tmp_path_factory.mktemp("rules") / "home")
    assert set(marts.dbt("run", "--select", "path:models/marts").values()) == {"success"}
    return marts


def test_every_rule_beside_the_marts_holds(marts: Marts) -> None:
    outcome = marts.dbt("test", "--select", "path:models/marts,test_type:unit", "path:models/canonical,test_type:unit")
    failed = {name: status for name, status in outcome.items() if status not in ("pass", "success")}
    assert not failed
    assert len(outcome) > 8


def test_every_mart_and_reconciliation_is_sql_that_spark_reads_too(marts: Marts) -> None:
    # What unit tests leave there is no model, and threads of dbt write over one another's files of that kind.
    shutil.rmtree(marts.folder / "target" / "compiled", ignore_errors=True)
    marts.dbt("compile", "--select", "path:models/marts", "path:tests")
    compiled = [path for path in (marts.folder / "target" / "compiled").rglob("*.sql") if path.is_file()]
    assert len(compiled) > 40
    for path in compiled:
        sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")


def test_every_column_of_a_mart_is_described(marts: Marts) -> None:
    undescribed = marts.rows(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and coalesce(comment, '') = ''"
    )
    assert not undescribed
