"""The HubSpot source with plain dlt into a DuckDB of the test's own: what is loaded, and with how many requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from sources.demo.company import Company
from sources.errors import BadAnswer, CredentialsRejected
from sources.extract import build_source
from sources.hubspot import VENDOR
from sources.hubspot.sandbox.words import PORTALS
from sources.hubspot.wire import Wire
from sources.notes import Notes
from sources.stream import Vendor, Window
from tests.sources.hubspot.portal import Served, serving

OBJECTS = ("contacts", "companies", "deals", "products", "line_items", "calls", "emails", "meetings", "notes", "tasks")


@dataclass
class Loader:
    """Runs the source as anyone with dlt would, and reads what it loaded."""

    served: Served
    folder: Path
    vendor: Vendor = VENDOR

    def run(
        self, instance: str = "hubspot", *, window: Window | None = None, streams: Sequence[str] | None = None
    ) -> Notes:
        notes = Notes()
        pipeline = dlt.pipeline(
            instance,
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "raw.duckdb")),
            dataset_name=f"raw_{instance}",
        )
        source = build_source(
            self.vendor,
            instance,
            clock=lambda: self.served.company.now,
            config=self.served.line[instance],
            notes=notes,
            window=window,
            streams=streams,
        )
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load()
        return notes

    def rows(self, sql: str) -> list[Any]:
        with duckdb.connect(str(self.folder / "raw.duckdb"), read_only=True) as con:
            return con.execute(sql).fetchall()

    def live(self, table: str, instance: str = "hubspot") -> int:
        newest = f"select * from raw_{instance}.{table} qualify row_number() over (partition by id order by _dlt_load_id desc, _seq desc) = 1"
        return int(self.rows(f"select count(*) from ({newest}) where not _deleted")[0][0])


@pytest.fixture
def loader(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    return Loader(served, tmp_path)


@pytest.mark.parametrize("instance", ["hubspot", "hubspot_emea"])
def test_a_first_load_holds_every_live_record_that_the_sandbox_expects(loader: Loader, instance: str) -> None:
    notes = loader.run(instance)
    expected = loader.served.line["expected"][instance]
    assert {name: loader.live(name, instance) for name in OBJECTS} == {name: expected[name] for name in OBJECTS}
    assert notes.quarantined == {} and notes.skipped == {}
    counted = dict(loader.rows(f"select stream, live_count from raw_{instance}.vendor_count where status = 'counted'"))
    assert counted == {name: expected[name] for name in OBJECTS}  # and nothing that HubSpot does not count itself


def test_a_first_load_asks_no_more_than_one_request_a_page(loader: Loader) -> None:
    notes = loader.run()
    assert notes.requests == len(loader.served.seen["hubspot"])
    asked = Counter(path for _, path in loader.served.seen["hubspot"])
    assert asked["/crm/v3/objects/contacts"] == 6 + 1  # 257 in pages of 50 with history, and the archived ones
    assert asked["/crm/v3/objects/companies"] == 1 + 1
    assert asked["/crm/v4/associations/contacts/companies/batch/read"] == 1
    assert notes.requests < 80


def test_associations_hold_whole_sets_with_types_and_labels(loader: Loader) -> None:
    loader.run()
    expected = loader.served.line["expected"]["hubspot_associations"]
    for table in ("contacts_companies", "deals_companies", "deals_contacts", "deals_line_items", "calls_contacts"):
        pairs = loader.rows(f"select sum(json_array_length(associations)) from raw_hubspot.{table}")[0][0]
        assert pairs == expected[table.replace("_", ">", 1)], table
    found = loader.rows("select associations from raw_hubspot.contacts_companies where from_id = '101'")[0][0]
    first, second = json.loads(found)
    assert [kind["type_id"] for kind in first["types"]] == [1, 279]
    assert [kind["label"] for kind in second["types"]] == [None, "Advisor"]


def test_values_are_typed_by_the_properties_endpoint(loader: Loader) -> None:
    loader.run(streams=["deals", "contacts"])
    deal = loader.rows(
        "select amount::varchar, closedate, hs_is_closed, hs_deal_stage_probability, dealstage from raw_hubspot.deals where id = '9001'"
    )[0]
    assert deal[0] == "1500000.500000000"
    assert deal[1].isoformat() == "2026-03-30T15:00:00+00:00"  # midnight in Tokyo
    assert deal[2:] == (True, 1.0, "closedwon")
    contact = loader.rows("select firstname, hs_email_optout, hubspotscore from raw_hubspot.contacts where id = '101'")[
        0
    ]
    assert contact == ("太郎0 😀", True, 0.0)


def test_history_of_stage_owner_and_lifecycle_comes_with_the_record(loader: Loader) -> None:
    loader.run(streams=["deals", "contacts"])
    text = loader.rows("select properties_with_history from raw_hubspot.deals where id = '9001'")[0][0]
    stages = json.loads(text)["dealstage"]
    assert [entry["value"] for entry in stages] == ["closedwon", "1035500101", "appointmentscheduled"]
    assert stages[-1]["timestamp"] == "2025-01-06T01:03:03.456Z"


def test_an_archived_record_is_kept_whole_and_flagged_and_a_merged_one_is_a_tombstone(loader: Loader) -> None:
    loader.run(streams=["contacts"])
    rows = loader.rows(
        "select id, email is not null, _deleted, _deleted_at is not null, hs_merged_object_ids from raw_hubspot.contacts "
        "where id in ('110', '111', '112', '113') order by id"
    )
    assert rows == [
        ("110", True, True, True, None),
        ("111", False, True, False, None),
        ("112", False, True, False, None),
        ("113", True, False, False, "111;112"),
    ]


def test_an_increment_reads_what_changed_and_nothing_else(loader: Loader) -> None:
    loader.run()
    before = len(loader.served.seen["hubspot"])
    loader.served.company.advance(7)
    notes = loader.run()
    asked = Counter(path for _, path in loader.served.seen["hubspot"][before:])
    assert asked["/crm/v3/objects/contacts/batch/read"] == 1
    assert asked["/crm/v3/objects/contacts"] == 1  # the archived ones only
    assert asked["/crm/v4/associations/contacts/companies/batch/read"] == 1
    assert not [path for path in asked if path.startswith("/crm/v4/associations/deals")]
    assert {name for name, count in notes.rows.items() if count} - {
        "owners",
        "teams",
        "pipelines",
        "forms",
        "account_info",
    } == {
        "contacts",
        "contacts_companies",
    }
    changed = (
        "select id from raw_hubspot.contacts where _dlt_load_id = (select max(_dlt_load_id) from raw_hubspot.contacts)"
    )
    assert sorted(loader.rows(changed)) == [("110",), ("121",), ("130",), ("131",), ("132",)]
    assert loader.live("contacts") == 255


def test_an_increment_without_a_change_reads_no_record(loader: Loader) -> None:
    loader.run(streams=["companies", "deals", "deals_contacts"])
    loader.served.company.advance(1)
    notes = loader.run(streams=["companies", "deals", "deals_contacts"])
    assert notes.rows == {"companies": 0, "deals": 0, "deals_contacts": 0}


def test_an_increment_of_everything_without_a_change_asks_a_few_questions_an_object(loader: Loader) -> None:
    loader.run()
    loader.run()  # the look-back of an hour shows nothing new: no record changed in it
    loader.served.seen["hubspot"].clear()
    loader.run()
    asked = Counter(
        path.rsplit("/", 1)[-1] if path.endswith("search") else path for _, path in loader.served.seen["hubspot"]
    )
    assert asked["search"] == 2 * len(OBJECTS)  # what changed, and how many there are
    assert not [path for path in asked if "batch" in path]
    assert asked["/marketing/v3/forms"] == 1
    # properties and archived records of each object; two lists of owners, forms with a page each, pipelines, the account
    assert asked.total() <= 4 * len(OBJECTS) + 10


def test_a_restored_record_comes_back_although_its_stamp_did_not_move(loader: Loader) -> None:
    loader.run(streams=["contacts"])
    cursor = loader.served.company.cursor()
    mine = "source_id = '110' and instance = 'hubspot'"
    cursor.execute(f"delete from company.person_versions where {mine} and is_deleted")
    newest = f'(select max("at") from company.person_versions where {mine})'
    cursor.execute(f'update company.person_versions set until = null where {mine} and "at" = {newest}')
    loader.served.company.advance(1)
    loader.run(streams=["contacts"])
    rows = loader.rows("select _deleted from raw_hubspot.contacts where id = '110' order by _dlt_load_id")
    assert rows == [(True,), (False,)]


def test_a_set_that_became_empty_replaces_the_old_one(loader: Loader) -> None:
    loader.run(streams=["deals", "deals_contacts"])
    cursor = loader.served.company.cursor()
    later = datetime(2026, 10, 30, 12)
    cursor.execute(
        'insert into company.deal_person_versions select * replace (?::timestamp as "at", true as is_deleted) '
        "from company.deal_person_versions where deal_source_id = '9001' and instance = 'hubspot'",
        [later],
    )
    cursor.execute(
        "update company.deal_person_versions set until = ?::timestamp "
        "where deal_source_id = '9001' and instance = 'hubspot' and not is_deleted",
        [later],
    )
    loader.served.company.advance(1)
    loader.run(streams=["deals", "deals_contacts"])
    rows = loader.rows(
        "select associations from raw_hubspot.deals_contacts where from_id = '9001' order by _dlt_load_id"
    )
    assert len(rows) == 2 and rows[1] == ("[]",)


def test_a_backfill_reads_its_window_and_leaves_the_state(loader: Loader) -> None:
    loader.run(streams=["contacts"])
    born = loader.rows("select created_at from raw_hubspot.contacts where id = '102'")[0][0]
    window = Window(born.replace(microsecond=0), born)
    notes = loader.run(streams=["contacts"], window=window)
    assert notes.rows["contacts"] >= 1
    loader.served.company.advance(7)
    assert loader.run(streams=["contacts"]).windows["contacts"].start is not None


def test_equal_ids_of_two_portals_stay_apart(loader: Loader) -> None:
    loader.run("hubspot", streams=["contacts", "account_info"])
    loader.run("hubspot_emea", streams=["contacts", "account_info"])
    shared = "select count(*) from raw_hubspot.contacts a join raw_hubspot_emea.contacts b using (id)"
    assert loader.rows(shared)[0][0] == 25
    assert loader.live("contacts") == 257 and loader.live("contacts", "hubspot_emea") == 25
    portals = loader.rows(
        "select portal_id from raw_hubspot.account_info union all select portal_id from raw_hubspot_emea.account_info"
    )
    assert portals == [(PORTALS["hubspot"].portal_id,), (PORTALS["hubspot_emea"].portal_id,)]


def test_form_submissions_are_read_back_to_the_windows_start_only(loader: Loader) -> None:
    loader.run(streams=["forms", "form_submissions"])
    assert loader.rows("select count(*), count(distinct form_id), count(email) from raw_hubspot.form_submissions")[
        0
    ] == (70, 2, 70)
    loader.served.company.advance(1)
    before = loader.served.count("hubspot", "/form-integrations/")
    assert loader.run(streams=["form_submissions"]).rows["form_submissions"] == 0
    assert loader.served.count("hubspot", "/form-integrations/") - before == 2
    loader.served.company.advance(20)
    loader.run(streams=["form_submissions"])
    assert loader.rows("select count(*) from raw_hubspot._seen where key is not null") == [
        (140,)
    ]  # listed twice, whole


def test_pipelines_owners_and_teams_are_read_whole(loader: Loader) -> None:
    loader.run(streams=["pipelines", "owners", "teams"])
    known = {(p.pipeline_id, s.stage_id, s.label) for p in PORTALS["hubspot"].pipelines for s in p.stages}
    assert set(loader.rows("select pipeline_id, stage_id, stage_label from raw_hubspot.pipelines")) == known
    closed = loader.rows(
        "select stage_id from raw_hubspot.pipelines where is_closed and pipeline_id = 'default' order by 1"
    )
    assert closed == [("closedlost",), ("closedwon",)]
    assert loader.rows("select id, archived from raw_hubspot.owners order by id") == [
        ("71", False),
        ("72", False),
        ("73", True),
    ]
    assert loader.rows("select name from raw_hubspot.teams") == [("West",)]


def test_a_refused_token_stops_with_the_name_of_the_setting(loader: Loader) -> None:
    loader.served.line["hubspot"]["token"] = "pat-na1-wrong-token-value"
    with pytest.raises(Exception) as failure:
        loader.run(streams=["contacts"])
    causes: list[BaseException] = [failure.value]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    refused = next(one for one in causes if isinstance(one, CredentialsRejected))
    assert "SOURCES__HUBSPOT__TOKEN" in str(refused) and "pat-na1-wrong-token-value" not in str(refused)


def test_every_declared_stream_lands_a_typed_table_even_when_it_is_empty(loader: Loader) -> None:
    loader.run("hubspot_emea")
    tables = {
        name for (name,) in loader.rows("select table_name from duckdb_tables() where schema_name = 'raw_hubspot_emea'")
    }
    assert {stream.name for stream in VENDOR.streams} <= tables
    assert replace(VENDOR.stream("deals")).cursor == "hs_lastmodifieddate"


def test_with_the_sandboxs_limits_on_a_load_is_paced_and_nothing_is_refused(company: Company, tmp_path: Path) -> None:
    with serving(company, tmp_path / "limited", rate_limit=True) as limited:
        loader = Loader(limited, tmp_path)
        notes = loader.run(streams=["contacts", "companies", "deals", "products", "line_items", "calls", "emails"])
        assert notes.requests == len(limited.seen["hubspot"])
        assert limited.refused["hubspot"] == 0


@pytest.mark.parametrize("place", ["kept", "forgotten by HubSpot"])
def test_a_long_first_listing_lands_in_parts_and_goes_on_behind_the_last_page(
    loader: Loader, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Contacts, so that the parts must still tell together who was merged away and who is archived."""
    monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)
    loader.vendor = replace(VENDOR, streams=(replace(VENDOR.stream("contacts"), window_rows=100),))
    listings: list[str | None] = []
    listed = Wire.list

    def listing(wire: Wire, name: str, *more: Any, archived: bool = False, after: str | None = None) -> Any:
        if not archived:
            listings.append(after)
            if after and place != "kept" and listings.count(after) == 1 and len(listings) == 2:
                raise BadAnswer("hubspot: 400 the paging token is unknown")
        return listed(wire, name, *more, archived=archived, after=after)

    monkeypatch.setattr(Wire, "list", listing)
    runs = [loader.run()]
    while runs[-1].cut and len(runs) < 50:
        runs.append(loader.run())
    assert len(runs) > 2
    assert listings[0] is None and listings[1] is not None
    assert loader.live("contacts") == loader.served.line["expected"]["hubspot"]["contacts"]
    read = sum(run.rows["contacts"] for run in runs)
    there = loader.rows("select count(distinct id) from raw_hubspot.contacts")[0][0]
    assert read < there + (60 if place == "kept" else 160), "only the archived ones may come twice"
    loader.vendor = VENDOR
    assert loader.run(streams=["contacts"]).rows["contacts"] < 100, "the next window is a usual one"
