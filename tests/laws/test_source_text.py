"""Laws that the text of the code shows: no vendor's name after staging, no clock in models, no shortcut around landing."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sources.stream import vendors

ROOT = Path(__file__).resolve().parents[2]
CLOCKS = re.compile(
    r"\b(current_timestamp|current_date|now\(\)|today\(\)|get_current_timestamp|localtimestamp)\b", re.I
)
CONSTRAINTS = re.compile(r"\b(primary\s+key|unique\s*\(|create\s+(unique\s+)?index|foreign\s+key)\b", re.I)


def sql_without_comments(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.S)
    return re.sub(r"--[^\n]*", "", text)


def models(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / "dbt_project" / "models" / room).rglob("*.sql"))


def test_no_vendor_is_named_after_staging() -> None:
    names = re.compile(r"\b(" + "|".join([*vendors(), "pardot", "softbrain"]) + r")", re.I)
    generic = {"files"}
    wrong = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in models("canonical", "marts")
        for match in names.finditer(sql_without_comments(path))
        if match.group(0).lower() not in generic
    ]
    assert not wrong, "\n".join(wrong)


def test_no_model_reads_the_clock() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in [*models("staging", "canonical", "marts"), *(ROOT / "dbt_project" / "macros").rglob("*.sql")]
        for match in CLOCKS.finditer(sql_without_comments(path))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_statement_of_ours_makes_a_constraint_or_an_index() -> None:
    code = [p for room in ("orchestration", "sources") for p in (ROOT / room).rglob("*.py")]
    wrong = [
        f"{path.relative_to(ROOT)}: {match.group(0)}"
        for path in [*models("staging", "canonical", "marts"), *code]
        for match in CONSTRAINTS.finditer(_strings(path) if path.suffix == ".py" else sql_without_comments(path))
    ]
    assert not wrong, "\n".join(wrong)


def _strings(path: Path) -> str:
    """The string literals of a module that are not docstrings: where SQL lives."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return "\n".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    )


@pytest.mark.parametrize("path", sorted((ROOT / "orchestration").rglob("*.py")), ids=lambda p: p.name)
def test_no_pipeline_is_run_or_dropped_whole(path: Path) -> None:
    """`pipeline.run()` skips a window when a package is pending; `drop()` wipes the state (dagster-dlt's own run does both)."""
    wrong = [
        f"line {node.lineno}: {ast.unparse(node)[:80]}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"run", "drop", "drop_pending_packages"}
        and re.search(r"pipeline|dlt", ast.unparse(node.func.value), re.I)
    ]
    assert not wrong, f"{path.name}: {wrong}"
