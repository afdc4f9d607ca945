"""Mapping files: what they may say, and that every error names file, line, column, value and remedy."""

from pathlib import Path

import pytest

from sources.errors import ConfigurationError
from sources.files.mapping import FileMapping, load_mapping, parse_mapping

PLACE = Path("maps/deals.yaml")


def parse(text: str) -> FileMapping:
    return parse_mapping(text, PLACE)


GOOD = """
timezone: America/New_York
dates: us
streams:
  - entity: account
    object: company
    files: accounts*.csv
    key: name
    columns:
      name: name
      country: {constant: US}
  - entity: opportunity
    files: deals.csv
    delivery: changes
    key: [id, line]
    where: {kind: [deal, renewal]}
    columns:
      name: title
      account_id: account
      amount: {column: [net, gross], default: "0"}
      stage: {column: stage, values: {W: won, "-": ""}}
      close_date: {column: closed, format: eu}
"""


def test_a_mapping_says_where_each_column_comes_from() -> None:
    account, deal = parse(GOOD).streams
    assert (account.object, account.delivery, account.zone) == ("company", "full", "America/New_York")
    assert deal.object == "opportunity"
    assert deal.key == ("id", "line")
    assert deal.where == {"kind": ("deal", "renewal")}
    sources = {source.target: source for source in deal.columns}
    assert sources["amount"].columns == ("net", "gross")
    assert sources["amount"].default == "0"
    assert sources["stage"].values == {"W": "won", "-": ""}
    assert (sources["close_date"].order, sources["name"].order) == ("eu", "us")


def test_a_reference_points_to_the_object_that_the_mapping_gives_the_entity() -> None:
    assert parse(GOOD).streams[1].references["account_id"] == "company"
    assert parse(GOOD).streams[1].references["owner_id"] == "sales_user"


BAD = [
    ("", 1, 1, "", "empty"),
    ("streams: [", 1, 11, "", "no valid YAML"),
    ("stream:\n  - {}\n", 1, 1, "'stream'", "Known: streams, timezone, dates, label"),
    ("timezone: Tokyo\nstreams: []\n", 1, 11, "'Tokyo'", "Asia/Tokyo"),
    ("streams: []\n", 1, 10, "'a list'", "Begin each entry with"),
    ("streams:\n  - entity: customer\n    files: a\n    key: b\n    columns: {name: n}\n", 2, 13, "'customer'", "Write one of: account"),
    ("streams:\n  - entity: account\n    key: b\n    columns: {name: n}\n", 2, 5, "'files'", "Add `files:`"),
    ("streams:\n  - entity: account\n    files: /etc/*\n    key: b\n    columns: {name: n}\n", 3, 12, "'/etc/*'", "inside it"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    columns:\n      nmae: n\n", 6, 7, "'nmae'", "Known: parent_id"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    columns:\n      name: {constant: a, column: b}\n", 6, 13, "'name'", "exactly one"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    columns:\n      created_at: {column: b, format: jpn}\n", 6, 39, "'jpn'", "iso, jp, us, eu"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    columns:\n      employee_count: {column: b, type: text}\n", 6, 41, "'text'", "write bigint"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    delivery: daily\n    columns: {name: n}\n", 5, 15, "'daily'", "full, changes"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    columns: {name: n, name: m}\n", 5, 24, "'name'", "Remove one"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    header_line: 0\n    columns: {name: n}\n", 5, 18, "'0'", "from 1"),
    ("streams:\n  - entity: account\n    files: a\n    key: b\n    references: {parent_id: firm}\n    columns: {name: n}\n", 2, 5, "'firm'", "Write one of: account"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "value", "remedy"), BAD)
def test_an_error_names_file_line_column_value_and_remedy(
    text: str, line: int, column: int, value: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    message = str(caught.value)
    assert f"{PLACE}, line {line}, column {column}:" in message
    assert value in message
    assert remedy in message


def test_files_of_one_entity_are_all_lists_or_all_changes() -> None:
    two = GOOD + "  - {entity: opportunity, object: old_deal, files: old.csv, key: id, columns: {name: title}}\n"
    with pytest.raises(ConfigurationError, match="same `delivery:`"):
        parse(two)


def test_two_streams_of_one_entity_object_and_file_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="Set `object:`"):
        parse(GOOD + "  - {entity: account, object: company, files: accounts*.csv, key: name, columns: {name: name}}\n")


def test_a_mapping_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Put the file there"):
        load_mapping(tmp_path / "none.yaml")


def test_every_shipped_mapping_is_right() -> None:
    from sources.esales import MAPPING

    assert {stream.object for stream in load_mapping(MAPPING).streams} >= {"customer", "businessplan", "activity"}
