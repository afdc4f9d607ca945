"""Salesforce and Account Engagement together: both sandboxes read, staged and unified, so that what Salesforce ids join is one.

The served company has no Account Engagement among its tools, so this is the place where it is connected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from orchestration.identity.resolve import resolve
from sources.demo.company import build
from sources.demo.server import serve
from sources.extract import build_source
from sources.stream import load_vendor
from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import LEDGER

TOOLS = tuple({"name": name, "vendor": name, "staging": name} for name in ("salesforce", "account_engagement"))
pytestmark = pytest.mark.slow


def _read(name: str, line: Mapping[str, Any], raw: Path, folder: Path) -> None:
    pipeline = dlt.pipeline(
        name,
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(raw)),
        dataset_name=f"raw_{name}",
    )
    now = datetime.fromisoformat(line["company_now"])
    source = build_source(load_vendor(name), name, clock=lambda: now, config=line[name])
    pipeline.extract(source, loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load()


@pytest.fixture(scope="module")
def unified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models file with both tools in canonical, and identity resolved."""
    folder = tmp_path_factory.mktemp("with_salesforce")
    raw = folder / "raw.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
        patch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        with serve(build(11, "small"), folder=folder / "served") as running:
            for tool in TOOLS:
                _read(tool["name"], running.line(), raw, folder)
    with duckdb.connect(str(raw)) as con:
        con.execute(LEDGER)
        for number, tool in enumerate(TOOLS, 1):
            con.execute(
                f"insert into ledger.loads select {number}, load_id, ?, ?, inserted_at from raw_{tool['name']}._dlt_loads",
                [tool["name"], tool["vendor"]],
            )
    files = Files(folder / "models", raw, TOOLS)
    files.build()
    with duckdb.connect(str(files.models)) as con:
        con.execute(f"attach '{raw}' as raw")
        resolve(con)
    return files.models


def _rows(models: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(models), read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.mark.parametrize(
    ("entity", "own_object", "others", "least"),
    [
        ("person", "prospects", ("Contact", "Lead"), 500),
        ("account", "prospect-accounts", ("Account",), 100),
        ("campaign", "campaigns", ("Campaign",), 30),
        ("opportunity", "opportunities", ("Opportunity",), 200),
    ],
)
def test_records_join_the_salesforce_records_whose_ids_they_carry(
    unified: Path, entity: str, own_object: str, others: tuple[str, ...], least: int
) -> None:
    kinds = ", ".join(f"'{each}'" for each in others)
    found = _rows(
        unified,
        f"""
        with records as (
            select c.entity_id, r.source_object, r.source_system, l.linked_key
            from canonical.canonical_{entity} r join identity.clusters c using (record_key)
            join canonical.canonical_record_link l using (record_key)
            where r.source_object = '{own_object}' and not r.is_deleted and l.kind in ('cross_reference', 'mirror')
        )
        select count(*), count(*) filter (records.entity_id = c.entity_id)
        from records join canonical.canonical_{entity} o on o.record_key = records.linked_key
        join identity.clusters c on c.record_key = o.record_key
        where o.source_system = 'salesforce' and o.source_object in ({kinds})
        """,
    )
    assert found[0][0] >= least
    assert found[0][0] == found[0][1]


def test_no_prospect_stands_alone_and_no_opportunity_is_counted_twice(unified: Path) -> None:
    alone = _rows(
        unified,
        """
        select count(*) from (
            select c.entity_id, bool_or(r.source_system = 'salesforce') as has_salesforce
            from canonical.canonical_person r join identity.clusters c using (record_key) group by c.entity_id
        ) where not has_salesforce
        """,
    )
    assert alone == [(0,)]
    deals = _rows(
        unified,
        """
        select count(distinct c.entity_id), count(*) filter (r.source_system = 'salesforce' and not r.is_deleted)
        from canonical.canonical_opportunity r join identity.clusters c using (record_key) where not r.is_deleted
        """,
    )
    assert deals[0][0] == deals[0][1]


def test_people_have_stages_touches_and_emails_of_account_engagement(unified: Path) -> None:
    stages = _rows(
        unified,
        "select stage, count(*) > 20 from canonical.canonical_lifecycle_event"
        " where source_system = 'account_engagement' group by stage order by stage",
    )
    assert {stage for stage, _ in stages} >= {"lead", "engaged", "mql", "sql"} and "unmapped" not in dict(stages)
    channels = _rows(
        unified,
        "select distinct channel from canonical.canonical_interaction where source_system = 'account_engagement'",
    )
    assert {channel for (channel,) in channels} == {"email", "newsletter", "website"}
    orphans = _rows(
        unified,
        "select count(*) from canonical.canonical_interaction i anti join canonical.canonical_person p"
        " on p.record_key = i.person_key where i.source_system = 'account_engagement'",
    )
    assert orphans == [(0,)]
    opened = _rows(
        unified,
        "select count(distinct send_key) filter (event = 'opened') > 20 from canonical.canonical_email_event"
        " where source_system = 'account_engagement'",
    )
    assert opened == [(True,)]
