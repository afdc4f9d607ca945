"""The unit tests that stand beside the marts: rules with edge cases, each over rows of its own."""

from __future__ import annotations

from pathlib import Path

from tests.dbt_project.marts_fixture import template


def test_every_rule_beside_the_marts_holds(tmp_path: Path) -> None:
    marts = template(tmp_path / "home")
    assert set(marts.dbt("run", "--select", "path:models/marts").values()) == {"success"}
    outcome = marts.dbt("test", "--select", "path:models/marts,test_type:unit")
    failed = {name: status for name, status in outcome.items() if status not in ("pass", "success")}
    assert not failed
    assert len(outcome) > 8
