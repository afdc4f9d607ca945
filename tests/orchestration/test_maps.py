"""A company's own maps become versions in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

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

    def write(self, text: str, name: str = "channels", encoding: str = "utf-8") -> None:
        (self.maps / f"{name}.csv").write_text(text, encoding=encoding)

    def record(self, read_at: str = FIRST) -> list[str]:
        return record(self.raw, self.maps, self.seeds, read_at)

    def versions(self) -> list[tuple[object, ...]]:
        query = "select map_name, version_seq, row_json from ledger.map_versions order by all"
        return self.raw.execute(query).fetchall()


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
