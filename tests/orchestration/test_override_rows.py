"""Rows of maps that cannot stand beside each other: overrides of identity, and fields for one column."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.map_files import Maps
from orchestration.settings import SettingsError

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
HEADER = "entity_type,source_system,source_object,source_id,other_system,other_object,other_id,decision,note"


def read(folder: Path, name: str, text: str) -> list[dict[str, str]]:
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return Maps(SEEDS).read(folder)[name]


def overrides(folder: Path, *pairs: str) -> list[dict[str, str]]:
    lines = []
    for pair in pairs:
        kind, one, decision, other = pair.split()
        lines.append(f"{kind},crm,Account,{one},crm,Account,{other},{decision},")
    return read(folder, "identity_overrides", "\n".join([HEADER, *lines, ""]))


def test_pairs_that_agree_are_read(tmp_path: Path) -> None:
    assert len(overrides(tmp_path, "account 1 same 2", "account 2 same 3", "account 1 not_same 4")) == 3
    assert len(overrides(tmp_path, "account 1 same 2", "person 1 not_same 2")) == 2  # an id of another type


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (("account 1 same 2", "account 2 not_same 1"), "line 3: says that crm Account 2 and crm Account 1 are not the same, but line 2 says"),
        (
            ("account 1 same 2", "account 3 same 2", "account 7 same 8", "account 1 not_same 3"),
            "line 5: says that crm Account 1 and crm Account 3 are not the same, but lines 2, 3 together say",
        ),
        (("account 1 same 1",), "line 2: names one record twice (crm Account 1). Remove the line"),
        (("account 1 maybe 2",), "line 2, column decision: 'maybe' is none of not_same, same"),
        (("deal 1 same 2",), "line 2, column entity_type: 'deal' is none of account, campaign"),
        (("account 1 same 2", "account 1 not_same 2"), "stands on line 2 already. Remove one of the two"),
    ],
)  # fmt: skip
def test_a_pair_that_is_the_same_and_not_is_named_with_the_lines_that_say_so(
    tmp_path: Path, pairs: tuple[str, ...], words: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        overrides(tmp_path, *pairs)
    assert words in str(refused.value)


FIELDS = "source_system,source_object,source_field,canonical_column\n"


def test_a_field_may_wait_for_its_column(tmp_path: Path) -> None:
    rows = read(
        tmp_path, "field_map", FIELDS + "crm,Account,a_c,\ncrm,Account,b_c,\ncrm,Account,c_c,account.industry\n"
    )
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("crm,Account,a_c,account.industrie\n", "line 2, column canonical_column: 'account.industrie' is none of 66 words such as account.industry"),
        ("crm,Account,a_c,account.owner_key\n", "'account.owner_key' is none of"),
        ("crm,Account,a_c,account.city\ncrm,account,b_c,account.city\n", "canonical_column 'account.city' stands on line 2 already"),
        ("crm,Account,a_c,account.city\ncrm,Account,A_C,account.region\n", "source_field 'A_C' stands on line 2 already"),
        ("crm,Account,,account.city\n", "line 2, column source_field: is empty"),
    ],
)  # fmt: skip
def test_a_row_of_field_map_that_cannot_be_right_is_named(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, "field_map", FIELDS + lines)
    assert words in str(refused.value)
