"""A company's mapping: what is wrong in it is told with file, line, app, field, value and remedy, before a record is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sources.errors import ConfigurationError
from sources.kintone import MAPPING
from sources.kintone.mapping import load_mapping, parse_mapping
from tests.sources.kintone.conftest import Loader, cause

TEXT = MAPPING.read_text(encoding="utf-8")
PATH = Path("own.yaml")


def test_the_example_names_its_objects_and_what_they_refer_to() -> None:
    mapping = load_mapping(MAPPING)
    assert mapping.objects_of("opportunity_line") == ("deal_lines",)
    deals = mapping.of("opportunity")[0]
    refers = {column.name: column.refers_to for column in deals.columns if column.refers_to}
    assert refers == {"account_ref": "customers", "person_ref": "contacts", "owner_ref": "users"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "own.yaml, line 1: the mapping is empty"),
        ("apps: {a: [}", "own.yaml, line 1: this is no valid YAML"),
        ("apps: 12\n", "own.yaml, line 1: '12' stands where apps should be"),
        ("app:\n  a: 1\n", "'app' is not known in the mapping. Known: apps, label"),
        ("apps:\n  a:\n    columns: {name: 名}\n", "own.yaml, line 3: 'entity' is missing in app `a`"),
        ("apps:\n  a:\n    entity: company\n    columns: {name: 名}\n", "line 3: 'company' is no `entity` that is known"),
        ("apps:\n  a:\n    entity: account\n    columns: {nmae: 名}\n", "line 4: 'nmae' is not known in columns. Known: parent_id"),
        ("apps:\n  a:\n    entity: account\n    columns: {name: [名, ]}\n  a: {}\n", "'a' stands twice in apps"),
        ("apps:\n  a:\n    entity: account\n    columns: {name: {values: {x: y}}}\n", "both or neither of `field` and `constant`"),
        ("apps:\n  a:\n    entity: product\n    columns: {margin_rate: {field: 率, divide_by: half}}\n", "'half' is no whole number"),
        ("apps:\n  a:\n    entity: sales_user\n    columns: {name: 名}\n", "line 3: 'a' has no `key`"),
        (
            "apps:\n  a:\n    entity: person\n    columns: {account_id: 客}\n    references: {account_id: b}\n",
            "'b' is no app of this mapping. Write one of: a",
        ),
        (
            "apps:\n  a:\n    entity: account\n    columns: {name: 名}\n    subtables:\n      t: {entity: opportunity_line, columns: {}}\n",
            "'a' is an app of `account`. Subtables are read of apps of `opportunity`",
        ),
        (
            "apps:\n  a:\n    entity: opportunity\n    columns: {name: 名}\n    subtables:\n      t: {entity: opportunity_line, columns: {amount: 額}}\n"
            "  b:\n    entity: opportunity_line\n    columns: {amount: 額}\n",
            "'opportunity_line' is fed by an app and by a subtable",
        ),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_told_with_line_value_and_remedy(text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as problem:
        parse_mapping(text, PATH)
    assert expected in str(problem.value)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("stage: 進捗\n", "stage: 進捗度\n", "app deals: field '進捗度' is no field code of it. Known there: "),
        ("name: 会社名\n", "name: 会社名（正式名称）\n", "app customers: field '会社名（正式名称）' is no field code"),  # a label
        ("quantity: 数量\n", "quantity: 金額\n", "app deals: field '金額' is no field code of its subtable 明細"),
        ("      明細:\n", "      明細表:\n", "app deals: field '明細表' is no subtable of the app. Its subtables: 明細, 関係者"),
        ("name: 会社名\n", "name: 添付\n", "app customers: field '添付' is of type FILE, which gives no text for `name`"),
        ("amount: 金額\n", "amount: 受注予定日\n", "app deals: field '受注予定日' is of type DATE, which gives no decimal"),
        ("取引中: customer", "取引: customer", "app customers: field '取引状況' offers no choice '取引'. Its choices: 見込, 取引中, 解約"),
        ("key: ログイン名", "key: ユーザー", "app users: field 'ユーザー' is no field code of it"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_the_apps_form_stops_before_a_record_is_read(
    loader: Loader, tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in TEXT
    own = tmp_path / "own.yaml"
    own.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    loader.settings["mapping"] = str(own)
    problem = cause(loader)
    assert isinstance(problem, ConfigurationError)
    assert expected in str(problem) and "own.yaml, line " in str(problem)
    assert loader.served.asked("records.json") == []


def test_mapping_and_setting_name_the_same_apps(loader: Loader, tmp_path: Path) -> None:
    apps = dict(loader.served.config["apps"])
    loader.settings["apps"] = {name: app for name, app in apps.items() if name != "products"}
    problem = str(cause(loader))
    assert "app products of the mapping" in problem and "has no id and token in SOURCES__KINTONE__APPS" in problem
    loader.settings["apps"] = {**apps, "orders": apps["deals"]}
    problem = str(cause(loader))
    assert "app orders of SOURCES__KINTONE__APPS is not in the mapping" in problem


def test_a_mapping_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"The mapping /nowhere/own.yaml cannot be read .* correct `mapping`"):
        load_mapping(Path("/nowhere/own.yaml"))
