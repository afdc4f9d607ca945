"""A home with Pipedrive alone, by step 5 of the recipe: it syncs and builds, and the marts say what the sandbox holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.demo.company import build
from sources.pipedrive.sandbox.rest import AccountOptions
from tests.end_to_end.homes import here
from tests.sources.pipedrive.account import Served, serving

pytestmark = pytest.mark.slow


@dataclass
class Published:
    """What was published, beside what the account holds (schema `account_pipedrive`)."""

    home: Path
    served: Served

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "published" / "tsunagu.duckdb"), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(query).fetchall()

    def held(self, query: str) -> list[tuple[Any, ...]]:
        return self.served.company.cursor().execute(query.replace("account.", "account_pipedrive.")).fetchall()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("pipedrive")
    home = folder / "home"
    with serving(build(7, "small"), folder, AccountOptions()) as served:
        served.expected()  # builds every table
        assert here(home, "init", "pipedrive").code == 0
        settings = home / "tsunagu.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace('base_url = ""', f'base_url = "{served.address}"'), encoding="utf-8")
        secrets = home / ".dlt" / "secrets.toml"
        text = secrets.read_text(encoding="utf-8")
        secrets.write_text(
            text.replace('api_token = ""', f'api_token = "{served.config["api_token"]}"'), encoding="utf-8"
        )
        for verb in (("doctor",), ("run",)):
            ran = here(home, *verb, now=served.company.now)
            assert ran.code == 0, ran.stdout + ran.stderr
        yield Published(home, served)


def test_x(published: Published) -> None:
    print(published.rows("select table_name, estimated_size from duckdb_tables() order by 1"))
