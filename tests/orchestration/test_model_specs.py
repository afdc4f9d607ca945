"""dbt's nodes as Dagster's assets and checks, and the translation of what dbt did into Dagster's events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pytest
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage
from dbt_common.events.functions import msg_to_dict

from orchestration.built import Standing, read_standing
from orchestration.dbt_runs import Dbt, NodeEvent
from orchestration.model_specs import ModelSpecs, Translator, model_specs
from orchestration.transform import build, manifest
from tests.orchestration.shop import ShopSettings, environment_kept, know_shop, shop_home
from tests.orchestration.small_home import account, load, write

BROKEN_TESTS = """
version: 2
models:
  - name: names
    columns:
      - name: account_name
        data_tests:
          - {accepted_values: {arguments: {values: [nothing]}, name: always_fails}}
          - {not_null: {name: cannot_run, config: {where: "no_such_column = 1"}}}
  - name: broken
    columns: [{name: one, data_tests: [{not_null: {name: never_asked}}]}]
"""


@dataclass
class Built:
    """One build of a project in which a model fails, a check fails, one warns and one cannot run."""

    settings: ShopSettings
    specs: ModelSpecs
    manifest: dict[str, Any]
    events: list[NodeEvent] = field(default_factory=list[NodeEvent])
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """dbt's own events of the same run, as its JSON log has them."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with pytest.MonkeyPatch.context() as patch, environment_kept():
        know_shop(patch)
        settings = shop_home(tmp_path_factory.mktemp("shop") / "home")
        write(settings, "models/marts/names.sql", "select account_name from {{ ref('customers') }}")
        write(
            settings,
            "models/marts/broken.sql",
            "select cast(account_name as integer) as one from {{ ref('customers') }}",
        )
        write(settings, "models/marts/after_broken.sql", "select * from {{ ref('broken') }}")
        write(settings, "models/marts/broken.yml", BROKEN_TESTS)
        load(settings, 1, account=[account(3, None)])
        document = manifest(settings)
        made = Built(settings, model_specs(settings, document), document)
        heard = Dbt._tell
        patch.setattr(Dbt, "_tell", lambda self, event: (made.told.append(msg_to_dict(event)), heard(self, event)))
        build(settings, on_event=made.events.append)
        yield made


def ours(built: Built, standing: Standing) -> list[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    return list(built.specs.events(built.events, standing))


def check_results(events: list[Any]) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        (event.asset_key.to_user_string(), event.check_name): (
            event.passed,
            event.severity.value,
            plain(event.metadata["status"]),
            plain(event.metadata.get("dagster_dbt/failed_row_count", 0)),
        )
        for event in events
        if isinstance(event, dg.AssetCheckResult | dg.AssetCheckEvaluation)
    }


def plain(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


def test_events_are_those_of_dagster_dbts_own_translation(built: Built) -> None:
    """Upgrade guard: the class is not a public export of dagster-dbt, which reads dbt's log lines instead of callbacks."""
    theirs = [
        event
        for told in built.told
        for event in DbtCoreCliEventMessage(raw_event=told, event_history_metadata={}).to_default_asset_events(
            manifest=built.manifest, dagster_dbt_translator=Translator()
        )
    ]
    mine = [e for e in ours(built, read_standing(built.settings, [])) if not is_of_identity(e)]
    assert check_results(mine) == check_results(theirs)
    assert sorted(materialized(mine)) == sorted(materialized(theirs))


def materialized(events: list[Any]) -> list[tuple[str, object]]:
    return [
        (event.asset_key.to_user_string(), plain(event.metadata["status"]))
        for event in events
        if isinstance(event, dg.MaterializeResult | dg.AssetMaterialization)
    ]


def is_of_identity(event: Any) -> bool:
    return event.asset_key.path[0] == "identity"


def test_the_comparison_saw_a_failing_model_and_checks_that_fail_warn_and_cannot_run(built: Built) -> None:
    events = ours(built, read_standing(built.settings, []))
    names = {path for path, _ in materialized(events)}
    assert "marts/customers" in names
    assert not names & {"marts/broken", "marts/after_broken"}
    results = {name: result for (_, name), result in check_results(events).items()}
    assert results["always_fails"] == (False, "ERROR", "fail", 2)
    assert results["not_null_customers_account_name"] == (False, "WARN", "warn", 1)
    assert results["cannot_run"][:3] == (False, "ERROR", "error")
    assert results["unique_customers_account_id"] == (True, "ERROR", "pass", 0)
    assert "never_asked" not in results


def test_tables_are_materialized_with_their_number_of_rows_and_views_without(built: Built) -> None:
    standing = read_standing(built.settings, built.specs.relations)
    counts = {
        event.asset_key.to_user_string(): (event.metadata or {}).get("dagster/row_count")
        for event in ours(built, standing)
        if isinstance(event, dg.MaterializeResult)
    }
    assert counts["canonical/canonical_account"] == 3
    assert counts["maps/regions"] == 2
    assert counts["identity/clusters"] == 4
    assert counts["staging/stg_shop__account"] is None


def test_a_check_that_was_left_alone_keeps_its_result(built: Built) -> None:
    standing = read_standing(built.settings, [])
    events = list(built.specs.events([], standing))
    assert all(isinstance(event, dg.AssetCheckResult) for event in events)
    assert check_results(events) == check_results(ours(built, standing))
    assert all((event.metadata or {})["unchanged_since"] for event in events)


def test_nothing_stands_while_another_process_has_the_file(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration import built as module
    from orchestration.warehouse import WarehouseHeld

    def refuse(*_: object, **__: object) -> None:
        raise WarehouseHeld("held")

    monkeypatch.setattr(module, "hold", refuse)
    assert read_standing(built.settings, built.specs.relations) == Standing()


def test_assets_stand_in_groups_that_mirror_the_rooms(built: Built) -> None:
    groups = {spec.key.to_user_string(): spec.group_name for spec in built.specs.assets}
    assert groups["maps/regions"] == "maps"
    assert groups["staging/stg_shop__account"] == "staging"
    assert groups["canonical/canonical_account"] == "canonical"
    assert groups["identity/clusters"] == "identity"
    assert groups["marts/customers"] == "marts"
    assert all(spec.owners == ["team:data"] and "duckdb" in spec.kinds for spec in built.specs.assets)


def test_the_way_of_the_data_is_the_way_of_the_dependencies(built: Built) -> None:
    deps = {
        spec.key.to_user_string(): {dep.asset_key.to_user_string() for dep in spec.deps} for spec in built.specs.assets
    }
    assert deps["staging/stg_shop__account"] == {"shop/account"}
    assert deps["canonical/canonical_account"] == {"staging/stg_shop__account"}
    assert {"canonical/canonical_account", "canonical/canonical_person"} <= deps["identity/clusters"]
    assert deps["marts/customers"] == {"canonical/canonical_account", "identity/clusters"}


def test_every_dbt_test_is_a_check_of_the_model_that_it_is_about(built: Built) -> None:
    tests = [node for node in built.manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(built.specs.checks) == len(tests)
    about = {spec.name: spec.asset_key.to_user_string() for spec in built.specs.checks}
    assert about["unique_customers_account_id"] == "marts/customers"
    assert about["never_asked"] == "marts/broken"


def test_a_spec_says_which_table_it_is_and_what_its_columns_mean(built: Built) -> None:
    customers = next(spec for spec in built.specs.assets if spec.key.path == ["marts", "customers"])
    assert customers.metadata["dagster/table_name"] == "tsunagu.marts.customers"
    columns = {column.name: column.description for column in customers.metadata["dagster/column_schema"].columns}
    assert columns["account_id"] == "Id of the customer."
    assert customers.description and "it's the one to read" in customers.description
