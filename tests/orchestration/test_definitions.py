"""All that Dagster loads of a home with every vendor, on a machine without a network and before the first run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import dagster as dg
import pytest

from orchestration.assets import BUILT, FRESH, PUBLISHED
from orchestration.definitions import build_defs, defs
from orchestration.lineage import IDENTITY, Facts, Lineage, plan
from orchestration.settings import HOME_FILE, Settings
from orchestration.transform import IDENTITY_READS, manifest
from tests.orchestration.shop import environment_kept

pytestmark = pytest.mark.slow  # the whole dbt project is parsed once

INSTANCES = {"salesforce": "salesforce", "hubspot": "hubspot", "hubspot_emea": "hubspot", "esales": "esales"}
ROOMS = {"sources", "maps", "staging", "canonical", "identity", "work", "marts", "published"}


@dataclass
class Loaded:
    """Definitions of one home, as the daemon has them."""

    settings: Settings
    definitions: dg.Definitions
    graph: Any
    manifest: dict[str, Any]

    def node(self, *path: str) -> Any:
        return self.graph.get(dg.AssetKey(path))

    def keys(self, group: str) -> set[dg.AssetKey]:
        return {key for key in self.graph.get_all_asset_keys() if self.graph.get(key).group_name == group}

    def ancestors(self, key: dg.AssetKey) -> set[dg.AssetKey]:
        found: set[dg.AssetKey] = set()
        waiting = [key]
        while waiting:
            for parent in self.graph.get(waiting.pop()).parent_keys - found:
                found.add(parent)
                waiting.append(parent)
        return found


def refuse(*_: object) -> NoReturn:
    raise AssertionError("loading the definitions asked the network")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    home = tmp_path_factory.mktemp("definitions")
    (home / HOME_FILE).write_text(
        "timezone = 'Europe/Berlin'\n"
        + "\n".join(f"[instances.{name}]\nvendor = '{vendor}'" for name, vendor in INSTANCES.items())
    )
    with pytest.MonkeyPatch.context() as patch, environment_kept():
        patch.setattr(socket.socket, "connect", refuse)
        patch.setenv("TSUNAGU_HOME", str(home))
        definitions = defs()
        settings = Settings.load()
        yield Loaded(settings, definitions, definitions.resolve_asset_graph(), manifest(settings))


def test_they_load_as_a_code_location_without_network_and_warehouse(loaded: Loaded) -> None:
    """An op and a job of one name build one by one but do not load together."""
    dg.Definitions.validate_loadable(loaded.definitions)
    assert not list(loaded.settings.warehouse_dir.iterdir())
    assert not list(loaded.settings.pipelines_dir.iterdir())


def test_groups_mirror_the_rooms_and_nothing_stands_outside(loaded: Loaded) -> None:
    groups = {loaded.graph.get(key).group_name for key in loaded.graph.get_all_asset_keys()}
    assert groups == ROOMS
    outside = loaded.graph.get_all_asset_keys() - loaded.graph.materializable_asset_keys
    assert not outside, f"dependencies on what no step makes: {outside}"


def test_each_room_holds_what_its_name_says(loaded: Loaded) -> None:
    for room in ("staging", "canonical", "identity", "work", "marts", "maps"):
        assert {key.path[0] for key in loaded.keys(room)} == {room}
    assert {key.path[0] for key in loaded.keys("sources")} == set(INSTANCES)
    assert loaded.keys("published") == {BUILT, PUBLISHED}


def test_every_asset_has_an_owner_its_kinds_and_says_what_it_is(loaded: Loaded) -> None:
    for key in loaded.graph.get_all_asset_keys():
        node = loaded.graph.get(key)
        assert node.owners == ["team:data"], key
        assert "duckdb" in node.kinds, key
        assert node.description, key
    assert "dlt" in loaded.node("salesforce", "account").kinds
    assert "dbt" in loaded.node("marts", "customer_360").kinds
    assert "python" in loaded.node("identity", "clusters").kinds


def test_staging_depends_on_the_streams_of_every_instance_that_it_unites(loaded: Loaded) -> None:
    streams = {name: {key.path[1] for key in loaded.keys("sources") if key.path[0] == name} for name in INSTANCES}
    assert streams["hubspot"] == streams["hubspot_emea"]
    for key in loaded.keys("staging"):
        parents = {parent for parent in loaded.graph.get(key).parent_keys if parent.path[0] in INSTANCES}
        of_one = {parent.path[1] for parent in parents if parent.path[0] == "hubspot"}
        assert of_one == {parent.path[1] for parent in parents if parent.path[0] == "hubspot_emea"}, key
    assert dg.AssetKey(["hubspot_emea", "contacts"]) in loaded.node("staging", "stg_hubspot__person").parent_keys


def test_the_published_file_depends_on_streams_of_every_instance_through_the_marts(loaded: Loaded) -> None:
    assert loaded.graph.get(PUBLISHED).parent_keys == {BUILT}
    assert loaded.graph.get(BUILT).parent_keys == loaded.keys("marts")
    behind = loaded.ancestors(PUBLISHED)
    assert {key.path[0] for key in behind} >= {*INSTANCES, "staging", "canonical", "identity", "marts"}
    unused = loaded.keys("sources") - behind
    assert len(unused) < len(loaded.keys("sources")) / 3, f"streams that nothing reads: {unused}"


def test_identity_stands_between_canonical_and_marts(loaded: Loaded) -> None:
    clusters = dg.AssetKey(["identity", "clusters"])
    assert {key.path[0] for key in loaded.graph.get(clusters).parent_keys} == {"canonical"}
    assert clusters in loaded.node("marts", "identity_map").parent_keys
    assert clusters in loaded.node("marts", "identity_history").parent_keys


def test_every_dbt_test_is_an_asset_check(loaded: Loaded) -> None:
    tests = [node["name"] for node in loaded.manifest["nodes"].values() if node["resource_type"] == "test"]
    assert sorted(key.name for key in loaded.graph.asset_check_keys) == sorted(tests)
    assert len(tests) > 100


def test_freshness_is_asked_of_what_comes_from_outside_and_of_what_people_read(loaded: Loaded) -> None:
    policies = {key: loaded.graph.get(key).freshness_policy for key in loaded.graph.get_all_asset_keys()}
    assert {key for key, policy in policies.items() if policy == FRESH} == {*loaded.keys("sources"), PUBLISHED}
    assert set(policies.values()) == {FRESH, None}


def test_sources_are_read_side_by_side_and_the_warehouse_has_one_place(loaded: Loaded) -> None:
    pools = {
        definition.op.name: definition.op.pool
        for definition in loaded.definitions.assets or ()
        if isinstance(definition, dg.AssetsDefinition)
    }
    assert pools == {
        **{f"sync_{name}": f"sync_{name}" for name in INSTANCES},
        "build_models": "warehouse",
        "published__tsunagu": "warehouse",
    }


def test_only_the_sources_are_tried_again_and_not_for_ever(loaded: Loaded) -> None:
    for definition in loaded.definitions.assets or ():
        assert isinstance(definition, dg.AssetsDefinition)
        policy = definition.op.retry_policy
        if definition.op.name.startswith("sync_"):
            assert policy is not None and policy.max_retries == 2
        else:
            assert policy is None


def test_jobs_schedules_and_sensors_are_there_in_the_companys_zone(loaded: Loaded) -> None:
    repository = loaded.definitions.get_repository_def()
    assert {name for name in repository.job_names if not name.startswith("__")} == {
        "refresh",
        "models",
        "full_check",
        "tidy",
    }
    assert {schedule.execution_timezone for schedule in repository.schedule_defs} == {"Europe/Berlin"}
    assert {sensor.name for sensor in repository.sensor_defs} == {"after_refresh", "after_partial_refresh"}


def test_models_and_full_check_make_everything_but_the_sources(loaded: Loaded) -> None:
    everything = loaded.graph.materializable_asset_keys
    made = {
        name: set(loaded.definitions.resolve_job_def(name).asset_layer.selected_asset_keys)
        for name in ("refresh", "models", "full_check")
    }
    assert made["refresh"] == loaded.keys("sources")
    assert made["models"] == made["full_check"] == everything - loaded.keys("sources")


def test_a_person_who_waits_gets_one_process_no_pools_and_no_second_try(loaded: Loaded) -> None:
    attended = build_defs(loaded.settings, attended=True)
    assert attended.executor is dg.in_process_executor
    for definition in attended.assets or ():
        assert isinstance(definition, dg.AssetsDefinition)
        assert definition.op.pool is None and definition.op.retry_policy is None


def test_a_mart_shows_its_table_its_columns_and_their_meaning(loaded: Loaded) -> None:
    node = loaded.node("marts", "customer_360")
    assert node.metadata["dagster/table_name"] == "tsunagu.marts.customer_360"
    columns = {column.name: column for column in node.metadata["dagster/column_schema"].columns}
    assert columns["won_amount"].type == "decimal(18,2)"
    assert all(column.description for column in columns.values())


OF_IDENTITY = {"identity_map", "owners", "entity_records"}
"""Models that a map reaches only where it changes which records are one."""


@pytest.mark.parametrize(
    ("changed", "canonical", "untouched"),
    [
        ("channels", {"canonical_interaction", "canonical_campaign"}, {"funnel_stages", "products", "currency_rates"}),
        ("stage_map", {"canonical_opportunity_version"}, {"touchpoints", "products", *OF_IDENTITY}),
        ("lifecycle_authority", {"canonical_lifecycle_event"}, {"touchpoints", "opportunity_states", *OF_IDENTITY}),
        ("pipeline_map", {"canonical_opportunity"}, {"funnel_stages", "products", "currency_rates"}),
        ("targets", {"canonical_target"}, {"customer_360", "touchpoints", *OF_IDENTITY}),
        ("identity_overrides", {"canonical_identity_override"}, {"products", "funnel_stages"}),
        ("segments", set[str](), {"touchpoints", "opportunities", *OF_IDENTITY}),
        ("engagement_weights", set[str](), {"touchpoints", "opportunities", *OF_IDENTITY}),
    ],
)
def test_a_changed_map_begins_anew_what_reads_it_and_nothing_else(
    loaded: Loaded, changed: str, canonical: set[str], untouched: set[str]
) -> None:
    facts = Facts(raw={}, as_of="2026-01-01", as_of_date="2026-01-01", through_seq=1, identity_reads=IDENTITY_READS)
    before, after = (Lineage(loaded.manifest, replace(facts, map_versions=m)) for m in ({}, {changed: "another"}))
    known = {unique_id: before.token(unique_id) for unique_id in [*before.nodes, IDENTITY]}
    there = {f"{node['schema']}.{node['alias']}" for node in before.nodes.values()}
    made = plan(after, known, there)
    models = {after.nodes[u]["name"]: u for u in (*made.anew, *made.before, *made.after) if "stg_" not in u}
    assert {name for name in models if name.startswith("canonical_")} == canonical
    assert not untouched & set(models)
    assert not made.fresh_before
