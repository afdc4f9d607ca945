"""Law 2: a new vendor is a folder in `sources/`, one in `models/staging/`, and rows in the maps. Nobody keeps a list."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sources.stream import Vendor, load_vendor, vendors

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt_project"
ENTITIES = re.findall(
    r'^        "(\w+)": ', (PROJECT / "macros/staging/entity_columns.sql").read_text(encoding="utf-8"), re.M
)


GENERIC = {"files"}
"""A vendor whose name is also a plain word: the sandbox's JSON line and staging folders use it."""


def staging_of(vendor: Vendor) -> str:
    return vendor.staging or vendor.name


def test_no_code_outside_its_folder_knows_a_vendor_by_name() -> None:
    """Help texts may give examples; an import, or a name that code compares or looks up, may not be there."""
    names = set(vendors())
    code = [*(ROOT / "orchestration").rglob("*.py"), *(ROOT / "sources").glob("*.py")]
    wrong: list[str] = []
    for path in sorted(code):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            known = {name for name in imported if name.split(".")[0] == "sources" and names & set(name.split("."))}
            if isinstance(node, ast.Constant) and node.value in names - GENERIC:
                known.add(str(node.value))
            wrong += [f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} knows {name}" for name in known]
    assert not wrong, "\n".join(wrong)


def test_no_macro_knows_a_vendor_by_name() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((PROJECT / "macros").rglob("*.sql"))
        for name in set(vendors()) - GENERIC
        if re.search(rf"\b{name}\b", re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", vendors())
def test_a_vendors_staging_has_a_model_for_every_entity(name: str) -> None:
    folder = staging_of(load_vendor(name))
    models = {path.stem for path in (PROJECT / "models" / "staging" / folder).glob("*.sql")}
    missing = [entity for entity in ENTITIES if f"stg_{folder}__{entity}" not in models]
    assert len(ENTITIES) > 10
    assert not missing, f"models/staging/{folder} lacks {', '.join(missing)}: write them, or `no_rows(entity)`"


@pytest.mark.parametrize("name", vendors())
def test_a_vendor_says_how_it_is_connected(name: str) -> None:
    vendor = load_vendor(name)
    assert vendor.name == name
    assert (ROOT / "sources" / name / "README.md").is_file()
    assert all("__" not in stream.name and stream.name == stream.name.lower() for stream in vendor.streams)
