"""What staging and canonical make of a few records of Salesforce and HubSpot, in increments and in full."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot

from tests.dbt_project import story
from tests.dbt_project.canonical_fixture import Files
from tests.dbt_project.raw_fixture import INSTANCES

# Without the files' models a build takes a quarter less.
TOOLS = tuple(instance for instance in INSTANCES if instance["staging"] != "files")


def key(source_system: str, source_object: str, source_id: str) -> str:
    return hashlib.md5(f"{source_system}|{source_object}|{source_id}".encode()).hexdigest()


@pytest.fixture(scope="module")
def increments(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Built after the first three loads, and again after the rest."""
    folder = tmp_path_factory.mktemp("increments")
    files = Files(folder, folder / "raw.duckdb", TOOLS)
    files.land(*story.BEFORE)
    files.build()
    files.land(*story.AFTER)
    with duckdb.connect(str(files.raw)) as con:  # a killed load: its rows are there, the ledger does not know it
        con.execute(
            "insert into raw_salesforce.account (id, name, _seq, _dlt_load_id) values ('001X', 'Ghost', 0, 'killed')"
        )
    files.build()
    return files


@pytest.fixture(scope="module")
def full(increments: Files, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The same raw file, built at once into another file."""
    files = Files(tmp_path_factory.mktemp("full"), increments.raw, TOOLS)
    files.build()
    return files


@pytest.fixture(scope="module")
def earlier(increments: Files, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The same raw file as of the first loads."""
    files = Files(tmp_path_factory.mktemp("earlier"), increments.raw, TOOLS)
    files.build(as_of="2026-02-02T00:00:00Z")
    return files


def versions(files: Files, record_key: str) -> list[tuple[object, ...]]:
    return files.rows(
        "select stage, amount_original::int, valid_from, valid_to, history_basis"
        f" from canonical.canonical_opportunity_version where record_key = '{record_key}' order by valid_from"
    )


def test_increments_equal_a_full_build(increments: Files, full: Files) -> None:
    assert increments.differences(full) == {}


def test_the_second_run_read_the_new_loads_only(increments: Files) -> None:
    assert increments.rows("select since_seq, through_seq from run.context") == [(3, 7)]


def test_rows_of_a_load_that_the_ledger_does_not_know_are_not_there(full: Files) -> None:
    assert full.rows("select source_id from canonical.canonical_account where vendor = 'salesforce'") == [("001A",)]


def test_an_older_version_that_comes_late_does_not_win(full: Files) -> None:
    assert full.rows("select name, load_seq from canonical.canonical_account where source_id = '001A'") == [("Acme", 1)]


def test_fields_that_no_column_holds_are_offered_as_json(full: Files) -> None:
    assert full.rows("select extra_columns from canonical.canonical_account where source_id = '001A'") == [
        ('{"rating":"Hot"}',)
    ]


def test_owners_from_field_history_divide_the_versions_of_a_deal(earlier: Files) -> None:
    owners = earlier.rows(
        "select owner_key, valid_from from canonical.canonical_opportunity_version"
        f" where record_key = '{key('salesforce', 'Opportunity', '006A')}' order by valid_from"
    )
    first, second = key("salesforce", "User", "005A"), key("salesforce", "User", "005B")
    assert owners == [
        (first, datetime(2026, 1, 1)),
        (second, datetime(2026, 1, 10)),
        (second, datetime(2026, 1, 20)),
    ]


def test_a_deleted_deal_is_flagged_and_its_last_version_ends_with_it(full: Files, earlier: Files) -> None:
    deal = key("salesforce", "Opportunity", "006A")
    flag = f"select is_deleted, deleted_at from canonical.canonical_opportunity where record_key = '{deal}'"
    assert full.rows(flag) == [(True, datetime(2026, 2, 5, 3))]
    assert versions(full, deal)[-1] == ("discovery", 200, datetime(2026, 1, 20), datetime(2026, 2, 5, 3), "vendor")
    assert earlier.rows(flag) == [(False, None)]
    assert versions(earlier, deal)[-1][3] is None


def test_a_deal_without_history_shows_its_loaded_versions(full: Files) -> None:
    assert versions(full, key("salesforce", "Opportunity", "006Q")) == [
        ("inquiry", 50, datetime(2026, 1, 1), datetime(2026, 2, 3), "assumed"),
        ("proposal", 50, datetime(2026, 2, 3), None, "observed"),
    ]


def test_probabilities_are_shares_whatever_the_vendors_scale(full: Files) -> None:
    found = full.rows("select distinct probability from canonical.canonical_opportunity_version order by 1")
    assert found == [(0.05,), (0.1,), (0.2,), (0.75,)]


def test_a_lead_and_the_contact_that_it_became_are_linked_at_the_instant_of_the_conversion(full: Files) -> None:
    found = full.rows(
        "select converted_to_key, converted_at from canonical.canonical_person where source_object = 'Lead'"
    )
    # ConvertedDate is the day in Tokyo; the contact was made at one o'clock in the morning there.
    assert found == [(key("salesforce", "Contact", "003A"), datetime(2026, 1, 1, 16))]
    entries = "select stage, entered_at from canonical.canonical_lifecycle_event where source_field = 'IsConverted'"
    assert full.rows(entries) == [("sql", datetime(2026, 1, 1, 16))]


def test_a_record_that_a_sweep_missed_and_that_comes_back_is_alive(full: Files) -> None:
    found = full.rows(
        "select source_id, is_deleted, deleted_at from canonical.canonical_opportunity_person"
        " where vendor = 'salesforce' order by 1"
    )
    assert found == [("00KA", False, None), ("00KB", True, datetime(2026, 2, 8))]


def test_two_portals_with_the_same_ids_stay_apart(full: Files) -> None:
    found = full.rows(
        "select source_system, record_key from canonical.canonical_person where source_id = '20' order by 1"
    )
    assert found == [(portal, key(portal, "contacts", "20")) for portal in ("hubspot", "hubspot_emea")]


def test_each_link_of_a_chain_of_merges_is_kept(full: Files) -> None:
    found = dict(
        full.rows("select source_id, merged_into_key from canonical.canonical_person where source_system = 'hubspot'")
    )
    assert found == {
        "18": key("hubspot", "contacts", "19"),  # merged away before the first load: known by its id only
        "19": None,
        "20": key("hubspot", "contacts", "19"),
        "21": key("hubspot", "contacts", "20"),
    }


def test_a_close_date_is_cut_in_the_companys_zone(full: Files) -> None:
    deal = key("hubspot", "deals", "1")
    assert full.rows(f"select close_date from canonical.canonical_opportunity where record_key = '{deal}'") == [
        (date(2026, 3, 31),)
    ]


def test_an_emptied_amount_is_empty_and_not_the_one_before(full: Files) -> None:
    assert [row[1] for row in versions(full, key("hubspot", "deals", "1"))] == [300, None, 500]


def test_the_label_of_a_stage_that_the_portal_deleted_stays_in_history(full: Files) -> None:
    deal = key("hubspot", "deals", "1")
    found = full.rows(
        "select distinct source_stage, stage from canonical.canonical_opportunity_version"
        f" where record_key = '{deal}' order by 1"
    )
    assert found == [("Appointment Scheduled", "inquiry"), ("Qualified", "discovery")]


def test_a_deal_of_several_companies_is_one_deal_of_the_primary_one(full: Files) -> None:
    found = full.rows("select account_key, mirror_of_key from canonical.canonical_opportunity where vendor = 'hubspot'")
    assert found == [(key("hubspot", "companies", "10"), key("salesforce", "Opportunity", "006A"))]


def test_a_role_that_was_taken_back_is_flagged(full: Files) -> None:
    found = full.rows(
        "select source_id, role, is_deleted from canonical.canonical_opportunity_person"
        " where vendor = 'hubspot' order by 1"
    )
    assert found == [
        ("1:20:Champion", "Champion", False),
        ("1:20:Decision Maker", "Decision Maker", True),
        ("1:21", None, True),
    ]


def test_a_company_that_a_contact_left_keeps_its_days(full: Files) -> None:
    found = full.rows(
        "select account_key, is_primary, valid_from, valid_to from canonical.canonical_person_account"
        f" where person_key = '{key('hubspot', 'contacts', '20')}' order by valid_from"
    )
    assert found == [
        (key("hubspot", "companies", "9"), False, datetime(2026, 1, 1), datetime(2026, 1, 3)),
        (key("hubspot", "companies", "10"), True, datetime(2026, 1, 3), None),
    ]


def test_a_submission_stays_with_its_contact_when_the_address_changes(full: Files) -> None:
    found = full.rows("select person_key, channel, subject from canonical.canonical_interaction")
    assert found == [(key("hubspot", "contacts", "20"), "website", "資料請求")]


def test_a_lifecycle_value_that_nobody_mapped_is_the_literal_unmapped(full: Files) -> None:
    found = full.rows(
        "select source_system, source_value from canonical.canonical_lifecycle_event where stage = 'unmapped'"
    )
    assert found == [("hubspot_emea", "nobody knows")]


def test_every_compiled_model_reads_as_spark_sql(full: Files) -> None:
    compiled = sorted(full.compiled.rglob("*.sql"))
    assert len(compiled) > 60
    for path in compiled:
        sqlglot.parse_one(path.read_text(encoding="utf-8"), read="spark")


def test_going_back_in_time_needs_a_full_refresh(increments: Files) -> None:
    with pytest.raises(Exception, match="--full-refresh"):
        increments.build(as_of="2026-02-02T00:00:00Z")


def test_no_model_after_staging_names_a_vendor() -> None:
    from sources.stream import vendors

    models = Path(__file__).resolve().parents[2] / "dbt_project" / "models" / "canonical"
    text = "\n".join(path.read_text(encoding="utf-8").lower() for path in models.rglob("*.*"))
    assert [vendor for vendor in vendors() if vendor != "files" and vendor in text] == []
