"""A changed map: what is rebuilt, what is left alone, and that past days do not know of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import SettingsError
from orchestration.transform import build
from tests.orchestration.small_home import (
    MONDAY,
    SmallSettings,
    account,
    copy_home,
    load,
    person,
    rows,
    small_home,
    write,
)

NUMBER = "7000012050002"
CUSTOMERS = "select account_name, records from marts.customers order by all"
CANONICAL = """
select people.*, (select count(*) from {{ source('ledger', 'map_versions') }} where map_name = 'titles') as own_titles
from {{ ref('stg_shop__person') }} as people where exists (from {{ ref('titles') }})
"""
OWN = """
select own.row_json from {{{{ source('ledger', 'map_versions') }}}} as own, {{{{ source('run', 'context') }}}} as context
where own.map_name = '{0}' and exists (from {{{{ ref('{0}') }}}}) and (
    own.read_at at time zone 'UTC' <= context.as_of or own.seen_as_of at time zone 'UTC' = context.as_of)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallSettings:
    """A home with three maps: two are read by a mart each, one by a canonical table. Built once."""
    home = small_home(tmp_path_factory.mktemp("mapped") / "home")
    load(home, 0, account=[account(1, "Yamada", NUMBER), account(2, "Sato")], person=[person(1, "山田 太郎")])
    sources = (home.dbt_project_dir / "models/sources.yml").read_text()
    write(home, "models/sources.yml", sources.replace("{name: loads},", "{name: loads}, {name: map_versions},"))
    write(home, "seeds/channels.csv", "word,channel\nweb,organic\n")
    for name in ("regions", "channels"):
        write(home, f"models/marts/own_{name}.sql", OWN.format(name))
    write(home, "seeds/titles.csv", "word,title\nboss,chief\n")
    write(home, "models/canonical/canonical_titled.sql", CANONICAL)
    write(
        home,
        "models/marts/titled.sql",
        "select count(*) as people, max(own_titles) as own from {{ ref('canonical_titled') }}",
    )
    write(home, "models/marts/entities.sql", "select count(*) as n from {{ source('identity', 'clusters') }}")
    build(home)
    return home


@pytest.fixture
def mapped(made: SmallSettings, tmp_path: Path) -> SmallSettings:
    return copy_home(made, tmp_path / "home")


def test_a_map_that_a_canonical_table_reads_begins_this_table_anew_and_no_other(mapped: SmallSettings) -> None:
    (mapped.maps_dir / "titles.csv").write_text("word,title\nboss,head\n")
    report = build(mapped)
    assert set(report.models_run) == {"canonical_titled", "titled"}
    assert report.identity is None
    assert rows(mapped, "from marts.titled") == [(1, 1)]


def test_a_map_and_a_load_at_once_lose_no_row_of_either(mapped: SmallSettings) -> None:
    (mapped.maps_dir / "titles.csv").write_text("word,title\nboss,head\n")
    load(mapped, 1, account=[account(3, "Yamada Works", NUMBER, day=2)], person=[person(2, "佐藤 花子")])
    assert build(mapped).failed == []
    assert rows(mapped, "from marts.titled") == [(2, 1)]
    assert rows(mapped, CUSTOMERS) == [("Sato", 1), ("Yamada Works", 2)]
    assert rows(mapped, "select since_seq, through_seq from run.context") == [(1, 2)]
    assert rows(mapped, "select count(*) from canonical.canonical_person") == [(2,)]


def test_identity_that_comes_out_as_it_was_rebuilds_nothing_that_only_reads_it(mapped: SmallSettings) -> None:
    body = (mapped.dbt_project_dir / "models/canonical/canonical_account.sql").read_text()
    write(mapped, "models/canonical/canonical_account.sql", body + "\n-- a word more")
    report = build(mapped)
    assert report.identity is not None
    assert "customers" in report.models_run and "entities" not in report.models_run
    load(mapped, 1, account=[account(3, "Suzuki")])
    assert "entities" in build(mapped).models_run


def test_a_merge_that_comes_with_a_changed_model_is_in_the_ledger(mapped: SmallSettings) -> None:
    body = (mapped.dbt_project_dir / "models/canonical/canonical_account.sql").read_text()
    write(mapped, "models/canonical/canonical_account.sql", body + "\n-- a word more")
    load(mapped, 1, account=[account(2, "Sato", NUMBER, day=2)])
    build(mapped)
    with duckdb.connect(str(mapped.raw_path), read_only=True) as raw:
        assert raw.execute("select reason from ledger.identity_history").fetchall() == [("merge: corporate_number",)]


def test_a_changed_map_rebuilds_what_reads_it_and_only_that(mapped: SmallSettings) -> None:
    (mapped.maps_dir / "channels.csv").write_text("word,channel\nfair,event\n")
    assert set(build(mapped).models_run) == {"own_channels"}
    assert rows(mapped, "select row_json from marts.own_channels") == [('{"channel": "event", "word": "fair"}',)]
    assert build(mapped).is_unchanged


def test_a_map_changed_today_does_not_change_what_yesterday_was(mapped: SmallSettings) -> None:
    (mapped.maps_dir / "channels.csv").write_text("word,channel\nfair,event\n")
    build(mapped, clock=lambda: MONDAY + timedelta(days=2))
    for day, known in ((1, 0), (2, 1), (3, 1)):
        past = build(mapped, as_of=MONDAY + timedelta(days=day))
        assert rows(mapped, "select count(*) from marts.own_channels", past.models_path) == [(known,)], day


def test_a_wrong_map_stops_the_build_before_anything_is_changed(mapped: SmallSettings) -> None:
    (mapped.maps_dir / "channels.csv").write_text("word,canal\nfair,event\n")
    load(mapped, 1, account=[account(3, "Yamada Works", NUMBER, day=2)])
    was = rows(mapped, CUSTOMERS)
    with pytest.raises(SettingsError, match=r"channels.csv, line 1: unknown column 'canal'"):
        build(mapped)
    assert rows(mapped, CUSTOMERS) == was
    (mapped.maps_dir / "channels.csv").unlink()
    assert "customers" in build(mapped).models_run
