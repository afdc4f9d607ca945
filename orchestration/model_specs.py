"""dbt's manifest as Dagster specs: an asset per seed and model, identity's tables between them, a check per dbt test.

Only definitions and translation of events; nothing here runs dbt. A dbt source is not an asset of its own: staging
depends on the streams of every instance that it unites, identity's tables are assets that a Python step makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from orchestration.built import Standing
from orchestration.settings import Settings

OWNERS = ["team:data"]
IDENTITY_TABLES = ("keys", "matches", "clusters", "changed_entities")
IDENTITY_LEDGER = ("ledger", "identity_history")
"""A ledger of the raw file that the same step appends to."""
IDENTITY_READS = (
    "account",
    "person",
    "person_account",
    "opportunity",
    "campaign",
    "interaction",
    "sales_user",
    "record_link",
    "identity_override",
)
SHOWN = ("seed", "model")
Event = dg.MaterializeResult[Any] | dg.AssetCheckResult


class Translator(DagsterDbtTranslator):
    """Keys and groups that mirror the rooms: `canonical/canonical_account` in group `canonical`."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: Any) -> dg.AssetSpec:
        node = _node(manifest, unique_id)
        if node["resource_type"] == "source":
            return dg.AssetSpec(key=dg.AssetKey([node["source_name"], node["name"]]))
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(
            key=dg.AssetKey([node["schema"], node["alias"]]),
            group_name=_room(node),
            kinds={"dbt", "duckdb"},
            owners=OWNERS,
            skippable=True,
        )


@dataclass(frozen=True)
class ModelSpecs:
    """The models step's assets and checks, and the way from dbt's unique ids to them."""

    assets: list[dg.AssetSpec]
    checks: list[dg.AssetCheckSpec]
    key_of: Mapping[str, dg.AssetKey]
    check_of: Mapping[str, dg.AssetCheckSpec]

    @property
    def mart_keys(self) -> list[dg.AssetKey]:
        return [key for key in self.key_of.values() if key.path[0] == "marts"]

    @property
    def relations(self) -> list[str]:
        """ "schema.name" of every asset."""
        return [_relation(key) for key in self.key_of.values()]

    def events(self, node_events: Sequence[Any], standing: Standing) -> Iterator[Event]:
        """Dagster's events of what dbt and identity did, and of the checks that were left alone because they stand.

        As dagster-dbt translates them: what failed or was skipped is not materialized, a skipped check has no result.
        """
        told: set[str] = set()
        for event in node_events:
            told.add(event.unique_id)
            if event.status in ("started", "skipped"):
                continue
            if event.unique_id in self.key_of and event.is_success:
                yield self._materialization(event, standing)
            elif event.unique_id in self.check_of:
                state = standing.checks.get(event.unique_id)
                failures = state.failures if state and state.status == event.status else None
                yield self._check(event.unique_id, event.status, event.message, failures)
        for unique_id, state in standing.checks.items():
            if unique_id in self.check_of and unique_id not in told and state.status != "skipped":
                yield self._check(unique_id, state.status, state.message, state.failures, unchanged_since=state.as_of)

    def _materialization(self, event: Any, standing: Standing) -> dg.MaterializeResult[Any]:
        key = self.key_of[event.unique_id]
        count = standing.row_counts.get(_relation(key))
        return dg.MaterializeResult(
            asset_key=key,
            metadata={
                "Execution Duration": event.seconds,
                "status": event.status,
                **({} if count is None else {"dagster/row_count": count}),
            },
        )

    def _check(
        self, unique_id: str, status: str, message: str, failures: int | None, unchanged_since: str = ""
    ) -> dg.AssetCheckResult:
        spec = self.check_of[unique_id]
        return dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=status == "pass",
            severity=dg.AssetCheckSeverity.WARN if status == "warn" else dg.AssetCheckSeverity.ERROR,
            description=message or None,
            metadata={
                "status": status,
                **({} if failures is None else {"dagster_dbt/failed_row_count": failures}),
                **({"unchanged_since": unchanged_since} if unchanged_since else {}),
            },
        )


def model_specs(settings: Settings, manifest: Mapping[str, Any]) -> ModelSpecs:
    """Specs for every enabled node of the manifest."""
    translator = Translator()
    staging = _staging_deps(settings)
    assets: list[dg.AssetSpec] = [_identity_spec(table) for table in IDENTITY_TABLES]
    key_of = {f"identity.{table}": spec.key for table, spec in zip(IDENTITY_TABLES, assets, strict=True)}
    by_id: dict[str, dg.AssetSpec] = {}
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] in SHOWN:
            spec = translator.get_asset_spec(manifest, unique_id, None)
            by_id[unique_id] = spec.replace_attributes(deps=list(_deps(manifest, node, translator, staging)))
            key_of[unique_id] = spec.key
    checks = dict(_checks(manifest, by_id))
    return ModelSpecs([*assets, *by_id.values()], list(checks.values()), key_of, checks)


def _deps(
    manifest: Mapping[str, Any], node: Mapping[str, Any], translator: Translator, staging: Mapping[str, list[str]]
) -> Iterator[dg.AssetDep]:
    seen: set[dg.AssetKey] = set()
    for upstream in node.get("depends_on", {}).get("nodes", []):
        for key in _upstream_keys(manifest, upstream, translator, staging):
            if key not in seen:
                seen.add(key)
                yield dg.AssetDep(key)


def _upstream_keys(
    manifest: Mapping[str, Any], unique_id: str, translator: Translator, staging: Mapping[str, list[str]]
) -> Iterator[dg.AssetKey]:
    node = _node(manifest, unique_id)
    if node["resource_type"] in SHOWN:
        yield translator.get_asset_spec(manifest, unique_id, None).key
    elif node["source_name"] in staging:
        for instance in staging[node["source_name"]]:
            yield dg.AssetKey([instance, node["name"]])
    elif node["source_name"] == "identity" and node["name"] in IDENTITY_TABLES:
        yield dg.AssetKey(["identity", node["name"]])
    elif (node["source_name"], node["name"]) == IDENTITY_LEDGER:
        yield dg.AssetKey(["identity", "clusters"])


def _staging_deps(settings: Settings) -> dict[str, list[str]]:
    """staging folder -> instances that it unites."""
    from sources.stream import load_vendor

    united: dict[str, list[str]] = {}
    for instance in settings.instances:
        vendor = load_vendor(instance.vendor)
        united.setdefault(vendor.staging or vendor.name, []).append(instance.name)
    return united


def _identity_spec(table: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=dg.AssetKey(["identity", table]),
        group_name="identity",
        kinds={"python", "duckdb"},
        owners=OWNERS,
        skippable=True,
        deps=[dg.AssetKey(["canonical", f"canonical_{entity}"]) for entity in IDENTITY_READS],
        description="Which records are the same account, person, deal, campaign, activity or user",
        metadata={"dagster/table_name": f"tsunagu.identity.{table}"},
    )


def _checks(manifest: Mapping[str, Any], by_id: Mapping[str, dg.AssetSpec]) -> Iterator[tuple[str, dg.AssetCheckSpec]]:
    names: set[tuple[dg.AssetKey, str]] = set()
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] != "test":
            continue
        upstream: str | None = node.get("attached_node") or next(
            (u for u in node["depends_on"]["nodes"] if u in by_id), None
        )
        if upstream is None or upstream not in by_id:
            continue
        spec = dg.AssetCheckSpec(
            name=node["name"],
            asset=by_id[upstream].key,
            description=node.get("description") or None,
            blocking=False,
        )
        if (spec.asset_key, spec.name) not in names:
            names.add((spec.asset_key, spec.name))
            yield unique_id, spec


def _node(manifest: Mapping[str, Any], unique_id: str) -> Mapping[str, Any]:
    return manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]


def _room(node: Mapping[str, Any]) -> str:
    """Seeds are maps, what marts are made of on the way is work, the others stand in the room they are written in."""
    if node["resource_type"] == "seed":
        return "maps"
    if node["schema"] == "work":
        return "work"
    rooms = node["fqn"][1:-1]
    return str(rooms[0]) if rooms else "models"


def _relation(key: dg.AssetKey) -> str:
    return ".".join(key.path)
