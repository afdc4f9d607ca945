"""The words of the demo's org and the map that translates them are the same words."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sources.salesforce.sandbox.ids import KEY_PREFIXES, with_suffix
from sources.salesforce.vocabulary import LEAD_STATUSES, RECORD_TYPES, STAGES, StageName

ROOT = Path(__file__).resolve().parents[3]
CANONICAL = (
    "inquiry",
    "discovery",
    "first_meeting",
    "decision_maker",
    "proposal",
    "agreement",
    "contract",
    "won",
    "lost",
)


def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "stage", [stage for stages in STAGES.values() for stage in stages], ids=lambda stage: stage.label
)
def test_every_stage_of_the_org_is_in_the_stage_map(stage: StageName) -> None:
    rows = [row for row in seed("stage_map.csv") if stage.label in row.values()]
    assert any(stage.stage in row.values() and "salesforce" in row.values() for row in rows)


@pytest.mark.parametrize("pipeline", STAGES)
def test_a_process_has_every_canonical_stage_in_its_order(pipeline: str) -> None:
    seen = list(dict.fromkeys(stage.stage for stage in STAGES[pipeline]))
    assert seen == list(CANONICAL)


def test_every_lead_status_has_a_stage_in_the_map() -> None:
    mapped = {value for row in seed("lifecycle_authority.csv") for value in row.values()}
    assert set(LEAD_STATUSES.values()) <= mapped


def test_ids_have_the_vendors_checksum() -> None:
    assert with_suffix("001D000000IqhSL") == "001D000000IqhSLIAZ"  # as the vendor's REST guide writes it
    assert all(with_suffix(one[:15]) == one for one in RECORD_TYPES.values())
    assert all(len(prefix) == 3 for prefix in KEY_PREFIXES.values())
