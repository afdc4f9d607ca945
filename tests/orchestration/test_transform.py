"""Building models: what is skipped, what is rebuilt, what a failure leaves, and past days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orchestration import transform
from orchestration.dbt_runs import NodeEvent, selectors
from orchestration.transform import build, past_path
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


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> SmallSettings:
    settings = small_home(tmp_path_factory.mktemp("loaded") / "home")
    load(settings, 0, account=[account(1, "Yamada", NUMBER), account(2, "Sato")], person=[person(1, "山田 太郎")])
    return settings


@pytest.fixture(scope="module")
def built(loaded: SmallSettings, tmp_path_factory: pytest.TempPathFactory) -> SmallSettings:
    settings = copy_home(loaded, tmp_path_factory.mktemp("built") / "home")
    build(settings)
    return settings


@pytest.fixture
def new_home(loaded: SmallSettings, tmp_path: Path) -> SmallSettings:
    """A home with one load, never built."""
    return copy_home(loaded, tmp_path / "home")


@pytest.fixture
def home(built: SmallSettings, tmp_path: Path) -> SmallSettings:
    """The same, built once."""
    return copy_home(built, tmp_path / "home")


def test_a_first_build_makes_all_layers_and_a_second_one_nothing(new_home: SmallSettings) -> None:
    home = new_home
    first = build(home)
    assert first.failed == []
    assert {"regions", "stg_shop__account", "canonical_account", "customers", "ages"} <= set(first.models_run)
    assert rows(home, CUSTOMERS) == [("Sato", 1), ("Yamada", 1)]
    second = build(home)
    assert second.is_unchanged
    assert set(second.models_skipped) == set(first.models_run)


def test_new_rows_of_one_table_rebuild_only_what_reads_it_and_what_asks_for_as_of(home: SmallSettings) -> None:
    load(home, 1, account=[account(3, "Yamada Works", NUMBER, day=2)])
    report = build(home)
    assert set(report.models_run) == {"canonical_account", "customers", "marker", "ages", "data_health"}
    assert rows(home, CUSTOMERS) == [("Sato", 1), ("Yamada Works", 2)]
    assert rows(home, "select since_seq, through_seq from run.context") == [(1, 2)]


def test_a_sync_that_brought_nothing_moves_as_of_and_rebuilds_only_what_asks_for_it(home: SmallSettings) -> None:
    before = rows(home, "select age_days from marts.ages")
    load(home, 3)
    report = build(home)
    assert set(report.models_run) == {"ages", "data_health"}
    assert report.identity is None
    assert rows(home, "select age_days from marts.ages") == [(before[0][0] + 3,)]


def test_the_engines_own_tables_are_followed_although_dbt_does_not_know_of_them(home: SmallSettings) -> None:
    load(home, 1, vendor_count=[(7,)])
    report = build(home)
    assert set(report.models_run) == {"canonical_vendor_count", "ages", "data_health"}  # not what no tool feeds
    assert rows(home, "select live from canonical.canonical_vendor_count") == [(7,)]


def test_what_asks_for_the_day_of_as_of_is_left_alone_until_the_companys_day_ends(home: SmallSettings) -> None:
    write(home, "macros/day.sql", "{% macro as_of_date() %}({{ as_of() }} + interval 9 hours)::date{% endmacro %}")
    write(home, "models/marts/days.sql", "select {{ as_of_date() }} as day")
    build(home)  # as-of is 18:00 in Tokyo
    load(home, 0.2)
    assert set(build(home).models_run) == {"ages", "data_health"}
    load(home, 0.3)
    assert set(build(home).models_run) == {"ages", "data_health", "days"}
    assert rows(home, "select day::varchar from marts.days") == [("2026-06-02",)]


def test_a_changed_seed_rebuilds_what_reads_it(home: SmallSettings) -> None:
    write(home, "seeds/regions.csv", "region,label\nkanto,Greater Tokyo\n")
    report = build(home)
    assert set(report.models_run) == {"regions", "regions_known"}
    assert rows(home, "select label from marts.regions_known") == [("Greater Tokyo",)]


def test_a_changed_description_renews_the_tables_comment_and_what_lists_descriptions(home: SmallSettings) -> None:
    body = (home.dbt_project_dir / "models/marts/marts.yml").read_text()
    write(home, "models/marts/marts.yml", body.replace("One row per customer;", "Each customer once;"))
    report = build(home)
    assert set(report.models_run) == {"customers", "words"}
    comment = rows(home, "select comment from duckdb_tables() where table_name = 'customers'")[0][0]
    assert comment.startswith("Each customer once;")
    assert rows(home, "select words from marts.words") == [(comment,)]


def test_changed_code_of_a_canonical_model_begins_from_nothing(home: SmallSettings) -> None:
    load(home, 1, person=[person(2, "佐藤 花子")])
    body = (home.dbt_project_dir / "models/canonical/canonical_account.sql").read_text()
    write(home, "models/canonical/canonical_account.sql", body + "\nwhere source_id <> '2'")
    build(home)
    assert rows(home, CUSTOMERS) == [("Yamada", 1)]
    assert rows(home, "select since_seq from run.context") == [(1,)]  # the others took in the new load only
    assert rows(home, "select count(*) from canonical.canonical_person") == [(2,)]


def test_a_full_refresh_equals_the_increments(home: SmallSettings) -> None:
    load(home, 1, account=[account(3, "Yamada Works", NUMBER, day=2), account(2, "Sato KK", day=1)])
    build(home)
    load(home, 2, account=[account(4, "Suzuki", NUMBER)], person=[person(1, "山田 次郎")])
    build(home)
    tables = ("marts.customers", "marts.ages", "identity.clusters", "identity.matches", "canonical.canonical_account")
    before = [rows(home, f"from {table} order by all") for table in tables]
    report = build(home, full_refresh=True)
    assert report.failed == []
    assert [rows(home, f"from {table} order by all") for table in tables] == before


def test_a_failing_check_is_named_in_one_line_and_keeps_being_reported_until_it_passes(home: SmallSettings) -> None:
    load(home, 1, account=[account(2, "broken")])
    report = build(home)
    assert [str(t) for t in report.failed] == [
        "accepted_values_customers_account_name__forbidden: 1 rows (no customer is called broken)"
    ]
    again = build(home)
    assert [t.name for t in again.failed] == [t.name for t in report.failed]
    assert again.models_run == []
    load(home, 2, account=[account(2, "mended")])
    assert build(home).failed == []


def test_a_warning_is_reported_and_stops_nothing(home: SmallSettings) -> None:
    load(home, 1, account=[account(2, None)])
    report = build(home)
    assert report.failed == []
    assert [t.name for t in report.warnings] == ["not_null_customers_account_name"]
    assert [t.name for t in build(home).warnings] == ["not_null_customers_account_name"]


def test_a_broken_canonical_model_leaves_marts_and_loses_no_load(home: SmallSettings) -> None:
    good = (home.dbt_project_dir / "models/canonical/canonical_account.sql").read_text()
    write(home, "models/canonical/canonical_account.sql", "select no_such_column from {{ ref('stg_shop__account') }}")
    load(home, 1, account=[account(3, "Suzuki")], person=[person(2, "佐藤 花子")])
    report = build(home)
    assert [t.name for t in report.failed] == ["canonical_account"]
    assert "no_such_column" in report.failed[0].message
    assert rows(home, "select count(*) from marts.customers") == [(2,)]
    write(home, "models/canonical/canonical_account.sql", good)
    assert build(home).failed == []
    assert rows(home, "select count(*) from marts.customers") == [(3,)]
    assert rows(home, "select count(*) from marts.ages") == [(2,)]


def test_a_build_that_dies_between_its_steps_is_repeated_by_the_next(
    home: SmallSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(home, 1, account=[account(3, "Suzuki", NUMBER, day=2)])
    with monkeypatch.context() as patched:
        patched.setattr(transform, "resolve", _die)
        with pytest.raises(KeyboardInterrupt):
            build(home)
    assert build(home).failed == []
    assert rows(home, CUSTOMERS) == [("Sato", 1), ("Yamada", 2)]


def test_events_tell_of_each_node_with_status_seconds_and_message(new_home: SmallSettings) -> None:
    events: list[NodeEvent] = []
    build(new_home, on_event=events.append)
    ended = {event.node: event for event in events if event.status != "started"}
    assert ended["customers"].status == "success"
    assert ended["customers"].kind == "model"
    assert ended["not_null_customers_account_id"].status == "pass"
    assert ended["clusters"].kind == "identity"
    assert all(event.seconds >= 0 for event in events)


def test_a_past_day_is_rebuilt_into_a_file_of_its_own(home: SmallSettings) -> None:
    was = rows(home, CUSTOMERS)
    load(home, 5, account=[account(3, "Yamada Works", NUMBER, day=2)])
    build(home)
    now = rows(home, CUSTOMERS)
    day = MONDAY + timedelta(days=1)
    report = build(home, as_of=day)
    assert report.models_path == past_path(home, day)
    assert rows(home, CUSTOMERS, report.models_path) == was
    assert rows(home, CUSTOMERS) == now
    assert build(home).is_unchanged


def test_the_project_is_parsed_again_only_when_it_changed(home: SmallSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.dbt_runs import Dbt

    monkeypatch.setattr(Dbt, "_invoke_parse", lambda self: pytest.fail("parsed again"))
    assert build(home).is_unchanged
    assert "nodes" in transform.manifest(home)


def test_a_merge_is_written_to_the_ledger_and_read_by_the_same_build(home: SmallSettings) -> None:
    write(home, "models/marts/merges.sql", "select * from {{ source('ledger', 'identity_history') }}")
    build(home)
    load(home, 1, account=[account(2, "Sato", NUMBER, day=2)])
    build(home)
    assert rows(home, "select reason, run_seq from marts.merges") == [("merge: corporate_number", 2)]
    assert build(home).is_unchanged


def test_a_home_without_any_load_builds_empty_marts(tmp_path: Path) -> None:
    settings = small_home(tmp_path / "home")
    report = build(settings)
    assert report.failed == []
    assert rows(settings, "select count(*) from marts.customers") == [(0,)]


@pytest.mark.parametrize(
    ("wanted", "others", "selected"),
    [
        (["p.a.one", "p.a.two", "p.b.three"], [], ["p"]),
        (["p.a.one", "p.a.two"], ["p.b.three"], ["p.a"]),
        (["p.a.one", "p.b.two"], ["p.b.three"], ["p.a", "p.b.two"]),
        (["p.a.deep.one"], ["p.a.two", "p.a.deeper.three"], ["p.a.deep"]),
    ],
)
def test_dbt_is_asked_for_whole_folders_and_never_for_a_node_that_stays_as_it_is(
    wanted: list[str], others: list[str], selected: list[str]
) -> None:
    assert selectors((name.split(".") for name in wanted), (name.split(".") for name in others)) == selected


def _die(*arguments: object, **named: object) -> None:
    raise KeyboardInterrupt
