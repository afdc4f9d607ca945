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

from orchestration.settings import Settings

OWNERS = ["team:data"]
IDENTITY_TABLES = ("keys", "matches", "clusters", "changed_entities")
IDENTITY_READS = (
    "account",
    "person",
    "person_account",
    "opportunity",
    "campaign",
    "interaction",
    "sales_user",
    "record_link",
)
SHOWN = ("seed", "model")


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

    def events(self, node_events: Sequence[Any]) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        """Dagster's events of what dbt and identity did; a skipped node has none."""
        for event in node_events:
            if event.status == "started":
                continue
            if event.unique_id in self.key_of and event.is_success:
                yield dg.MaterializeResult(
                    asset_key=self.key_of[event.unique_id],
                    metadata={"Execution Duration": event.seconds, "status": event.status},
                )
            elif event.unique_id in self.check_of:
                yield self._check(event)

    def _check(self, event: Any) -> dg.AssetCheckResult:
        spec = self.check_of[event.unique_id]
        severity = dg.AssetCheckSeverity.WARN if event.status == "warn" else dg.AssetCheckSeverity.ERROR
        return dg.AssetCheckResult(
            asset_key=spec.asset_key,
            check_name=spec.name,
            passed=event.status == "pass",
            severity=severity,
            metadata={"message": event.message or "", "status": event.status},
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
    if node["resource_type"] == "seed":
        return "maps"
    rooms = node["fqn"][1:-1]
    return str(rooms[0]) if rooms else "models"
