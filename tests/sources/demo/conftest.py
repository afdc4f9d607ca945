"""One small company for the tests that only read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from sources.demo import truth
from sources.demo.company import Company, build

SEED = 11


@pytest.fixture(scope="session")
def company() -> Company:
    """Never advanced by a test."""
    return build(SEED, "small")


@pytest.fixture(scope="session")
def truth_folder(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth")
    truth.write(company, folder)
    return folder


@pytest.fixture
def rows(company: Company, truth_folder: Path) -> Callable[[str], list[tuple[object, ...]]]:
    """Runs SQL; `{truth}` stands for the folder of the truth."""

    def run(sql: str) -> list[tuple[object, ...]]:
        cursor: duckdb.DuckDBPyConnection = company.cursor()
        return cursor.execute(sql.replace("{truth}", str(truth_folder))).fetchall()

    return run
