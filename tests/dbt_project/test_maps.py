"""The shipped maps: their columns are the ones that models read, and they hold the words that the vendors use."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SEEDS = yaml.safe_load((PROJECT / "seeds" / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
STAGES = ["inquiry", "discovery", "first_meeting", "decision_maker", "proposal", "agreement", "contract", "won", "lost"]


def rows(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def definitions() -> dict[str, dict[str, object]]:
    text = (PROJECT / "macros" / "maps" / "map_definition.sql").read_text(encoding="utf-8")
    found = re.search(r"set definitions = (\{.*\}) -%\}", text, re.DOTALL)
    assert found
    return ast.literal_eval(found.group(1))


@pytest.mark.parametrize("name", sorted(definitions()))
def test_a_map_that_companies_may_lay_rows_over_names_the_columns_of_its_seed(name: str) -> None:
    seed = next(one for one in SEEDS if one["name"] == name)
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    declared = definitions()[name]["columns"]
    assert isinstance(declared, dict)
    spelled = {column: kind.replace("varchar", "string") for column, kind in seed["config"]["column_types"].items()}
    assert header == list(declared) == list(spelled)
    assert {column: str(kind) for column, kind in declared.items()} == spelled
    assert [column["name"] for column in seed["columns"]] == header


def test_a_field_may_fill_every_column_of_an_entity_but_keys_and_histories() -> None:
    text = (PROJECT / "macros" / "staging" / "entity_columns.sql").read_text(encoding="utf-8")
    fields = next(one for one in SEEDS if one["name"] == "field_map")
    listed = next(one for one in fields["columns"] if one["name"] == "canonical_column")["config"]["meta"]["one_of"]
    entities = re.search(
        r"return\(\[([^\]]*)\]", (PROJECT / "macros" / "maps" / "own_fields.sql").read_text(encoding="utf-8")
    )
    assert entities
    wanted = []
    for entity in re.findall(r'"(\w+)"', entities.group(1)):
        columns = re.search(rf'"{entity}": common\s*\+ \[(.*?)\n        \]', text, re.DOTALL)
        assert columns
        names = re.findall(r'\("(\w+)",', columns.group(1))
        wanted += [f"{entity}.{name}" for name in names if not name.endswith(("_key", "_id"))]
    assert set(wanted) - set(listed) == {"person.converted_at", "interaction.occurred_at"}
    assert set(listed) <= set(wanted)


@pytest.mark.parametrize("name", sorted(definitions()))
def test_the_key_of_a_map_names_each_row_once(name: str) -> None:
    keys = definitions()[name]["keys"]
    assert isinstance(keys, list)
    found = [tuple(row[key].lower() for key in keys) for row in rows(name)]
    assert len(found) == len(set(found))


def test_the_shipped_maps_are_right_by_their_own_rules(tmp_path: Path) -> None:
    from orchestration.map_files import Maps

    maps = Maps(PROJECT / "seeds")
    for name in definitions():
        (tmp_path / f"{name}.csv").write_bytes((PROJECT / "seeds" / f"{name}.csv").read_bytes())
        assert list(maps.known[name].keys) == definitions()[name]["keys"]
    assert set(maps.read(tmp_path)) == set(definitions())


def test_every_canonical_stage_has_labels_and_an_exit_criterion() -> None:
    found = rows("stages")
    stages = sorted((r for r in found if r["entity"] == "opportunity"), key=lambda r: int(r["stage_order"]))
    assert [row["stage"] for row in stages if row["stage"] in STAGES] == STAGES  # others may stand between them
    assert [int(row["stage_order"]) for row in stages] == list(range(1, len(stages) + 1))
    assert all(row["label_en"] and row["label_ja"] and row["exit_criterion"] for row in found)


def test_the_stage_map_leads_to_canonical_stages_only() -> None:
    known = {row["stage"] for row in rows("stages") if row["entity"] == "opportunity"}
    assert {row["stage"] for row in rows("stage_map")} <= known


def test_a_persons_stage_is_a_canonical_one() -> None:
    known = {row["stage"] for row in rows("stages") if row["entity"] == "person"}
    assert {row["stage"] for row in rows("lifecycle_authority")} - {""} <= known


def test_the_stage_map_holds_salesforces_stages_and_the_eight_questions() -> None:
    from sources.salesforce.vocabulary import DEFAULT_STAGES, QUESTION_STAGES

    listed = {row["source_stage"]: row["stage"] for row in rows("stage_map") if row["source_system"] == "salesforce"}
    assert listed == {stage.label: stage.stage for stage in (*DEFAULT_STAGES, *QUESTION_STAGES)}


def test_the_stage_map_holds_every_stage_of_the_demos_portals() -> None:
    from sources.hubspot.sandbox.words import PORTALS

    listed = {(r["source_system"], r["pipeline"], r["source_stage"]): r["stage"] for r in rows("stage_map")}
    for instance, portal in PORTALS.items():
        for pipeline in portal.pipelines:
            for stage in pipeline.stages:
                found = {
                    listed.get((system, name, word))
                    for system in (instance, "hubspot")
                    for name in (pipeline.pipeline_id, pipeline.label)
                    for word in (stage.stage_id, stage.label)
                } - {None}
                assert found == {stage.canonical}, (instance, pipeline.label, stage.label)


def test_the_stage_map_holds_the_seven_japanese_stages() -> None:
    words = ["問い合わせ", "ヒアリング", "初訪問", "決裁者へリーチ", "提案", "合意", "契約"]
    listed = {row["source_stage"]: row["stage"] for row in rows("stage_map") if row["source_system"] == "*"}
    assert [listed[word] for word in words] == STAGES[:7]
