"""A company's own maps become versions in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.facts import _map_versions
from orchestration.maps import record
from orchestration.settings import SettingsError
from orchestration.warehouse import migrate

FIRST, LATER = "2026-06-01 09:00:00", "2026-06-02 09:00:00"


class Place:
    """A raw file in memory, a seed and the folder of the company's maps."""

    def __init__(self, folder: Path) -> None:
        self.maps, self.seeds = folder / "maps", folder / "seeds"
        self.maps.mkdir()
        self.seeds.mkdir()
        (self.seeds / "channels.csv").write_text("source_value,channel\nweb,organic\n")
        self.raw = duckdb.connect()
        migrate(self.raw)

    def describe(self, text: str) -> None:
        (self.seeds / "_seeds.yml").write_text(text)

    def write(self, text: str, name: str = "channels", encoding: str = "utf-8") -> None:
        (self.maps / f"{name}.csv").write_text(text, encoding=encoding)

    def record(self, read_at: str = FIRST, as_of: str | None = None) -> list[str]:
        return record(self.raw, self.maps, self.seeds, read_at, as_of)

    def versions(self) -> list[tuple[object, ...]]:
        query = "select map_name, version_seq, row_json from ledger.map_versions order by all"
        return self.raw.execute(query).fetchall()


DESCRIBED = """
seeds:
  - name: channels
    config: {meta: {keys: [source_value]}, column_types: {source_value: varchar, channel: varchar}}
    columns:
      - {name: source_value, config: {meta: {required: true}}}
      - {name: channel, config: {meta: {word_of: stages.stage where entity = person}}}
  - name: stages
    config:
      meta: {keys: [entity, stage]}
      column_types: {entity: varchar, stage: varchar, since: date, is_won: boolean, rank: bigint, rate: double, currency: varchar}
    columns:
      - {name: entity, config: {meta: {required: true, one_of: [person, deal]}}}
      - {name: stage, config: {meta: {required: true}}}
      - {name: rank, config: {meta: {required: true}}}
      - {name: rate, config: {meta: {least: 0, most: 1}}}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    yield Place(tmp_path)


def test_a_map_is_recorded_once_until_it_changes(place: Place) -> None:
    place.write("source_value,channel\n展示会,event\n")
    assert place.record() == ["channels"]
    assert place.record(LATER) == []
    place.write("source_value,channel\n展示会,seminar\n")
    assert place.record(LATER) == ["channels"]
    assert place.versions() == [
        ("channels", 1, '{"channel": "event", "source_value": "展示会"}'),
        ("channels", 2, '{"channel": "seminar", "source_value": "展示会"}'),
    ]


def test_the_order_of_rows_and_blank_lines_are_no_change(place: Place) -> None:
    place.write("source_value,channel\na,x\nb,y\n")
    place.record()
    place.write("source_value,channel\nb,y\n,\na,x\n", encoding="utf-8-sig")
    assert place.record() == []


def test_a_map_that_was_taken_away_gets_an_empty_version_once(place: Place) -> None:
    place.write("source_value,channel\na,x\n")
    place.record()
    (place.maps / "channels.csv").unlink()
    assert place.record(LATER) == ["channels"]
    assert place.record(LATER) == []
    assert place.versions()[-1] == ("channels", 2, "{}")


@pytest.mark.parametrize(
    ("name", "text", "encoding", "words"),
    [
        ("chanels", "source_value\n", "utf-8", ["chanels", "channels", "Rename"]),
        ("channels", "source_value,chanel\na,b\n", "utf-8", ["line 1", "chanel", "channel"]),
        ("channels", "source_value,channel\na,b\na,b,c\n", "utf-8", ["line 3", "3 values", "Quote"]),
        ("channels", "source_value,channel\n展示会,b\n", "cp932", ["UTF-8"]),
    ],
)
def test_a_wrong_map_is_named_with_its_remedy_and_nothing_is_recorded(
    place: Place, name: str, text: str, encoding: str, words: list[str]
) -> None:
    place.write(text, name, encoding)
    with pytest.raises(SettingsError) as refused:
        place.record()
    for word in words:
        assert word in str(refused.value)
    assert place.versions() == []


@pytest.mark.parametrize(
    ("name", "text", "where", "remedy"),
    [
        (
            "channels",
            "source_value,channel\nweb,lead\n,lead\n",
            "line 3, column source_value: is empty",
            "remove the line",
        ),
        (
            "channels",
            "source_value,channel\nweb,leed\n",
            "line 2, column channel: 'leed' is none of lead, sql",
            "Take one",
        ),
        ("channels", "source_value,channel\nweb,won\n", "line 2, column channel: 'won' is none of", "Take one"),
        (
            "channels",
            "source_value,channel\nweb,lead\nWEB,sql\n",
            "line 3: source_value 'WEB' stands on line 2",
            "Remove",
        ),
        (
            "stages",
            "entity,stage,rank\nlead,x,1\n",
            "line 2, column entity: 'lead' is none of deal, person",
            "Take one",
        ),
        ("stages", "entity,stage,rank\ndeal,x,\n", None, None),
        ("stages", "entity,stage,rank,rate\ndeal,x,,1\n", "line 2, column rank: is empty", "Give it a value"),
        ("stages", "entity,stage,rank\ndeal,x,1.5\n", "line 2, column rank: '1.5' is no whole number", "digits only"),
        ("stages", "entity,stage,rank,rate\ndeal,x,1,40%\n", "line 2, column rate: '40%' is no number", "a point only"),
        (
            "stages",
            "entity,stage,rank,rate\ndeal,x,1,1.5\n",
            "line 2, column rate: '1.5' is out of range",
            "from 0 to 1",
        ),
        (
            "stages",
            "entity,stage,rank,since\ndeal,x,1,1/4/2026\n",
            "line 2, column since: '1/4/2026' is no day",
            "2026-04-01",
        ),
        (
            "stages",
            "entity,stage,rank,is_won\ndeal,x,1,yes\n",
            "line 2, column is_won: 'yes' is neither true nor",
            "Write one",
        ),
        (
            "stages",
            "entity,stage,rank,currency\ndeal,x,1,yen\n",
            "line 2, column currency: 'yen' is no currency",
            "such as JPY",
        ),
    ],
)
def test_a_wrong_value_is_named_with_line_column_and_remedy_and_nothing_is_recorded(
    place: Place, name: str, text: str, where: str | None, remedy: str | None
) -> None:
    place.describe(DESCRIBED)
    header = "entity,stage,since,is_won,rank,rate,currency"
    (place.seeds / "stages.csv").write_text(f"{header}\nperson,lead,,,1,,\nperson,sql,,,2,,\ndeal,won,,,1,,\n")
    place.write(text, name)
    if where is None or remedy is None:  # nothing but its key takes a shipped row away
        assert place.record() == [name]
        return
    with pytest.raises(SettingsError) as refused:
        place.record()
    assert f"{name}.csv, {where.partition(': ')[0]}" in str(refused.value)
    assert where in str(refused.value) and remedy in str(refused.value)
    assert place.versions() == []


def test_a_word_of_the_companys_own_map_may_be_used_in_another(place: Place) -> None:
    place.describe(DESCRIBED)
    (place.seeds / "stages.csv").write_text("entity,stage,since,is_won,rank,rate,currency\nperson,lead,,,1,,\n")
    place.write("entity,stage,rank\nperson,trial,9\n", "stages")
    place.write("source_value,channel\nweb,trial\n")
    assert place.record() == ["channels", "stages"]


def test_every_mistake_of_all_maps_is_named_at_once(place: Place) -> None:
    place.write("source_value,chanel\na,b\n")
    place.write("source_value\n", "chanels")
    with pytest.raises(SettingsError, match=r"(?s)chanels.csv.*channels.csv, line 1"):
        place.record()


def test_a_map_is_known_from_its_reading_on_and_to_the_present_that_it_was_read_for(place: Place) -> None:
    place.write("source_value,channel\na,x\n")
    place.record(read_at="2026-06-03 12:00:00", as_of=FIRST)
    seen = {moment: _map_versions(place.raw, moment) for moment in (FIRST, LATER, "2026-06-03 12:00:00")}
    assert set(seen[FIRST]) == set(seen["2026-06-03 12:00:00"]) == {"channels"}
    assert seen[LATER] == {}


def test_a_clock_that_is_behind_the_newest_load_hides_no_map(place: Place) -> None:
    place.write("source_value,channel\na,x\n")
    place.record(read_at=FIRST, as_of=LATER)
    assert _map_versions(place.raw, FIRST) == {} and set(_map_versions(place.raw, LATER)) == {"channels"}
