"""The source against the sandbox, with plain dlt into a DuckDB file: full loads, windows, deletions, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import dlt
import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sources.errors import ConfigurationError, CredentialsRejected, QuotaExhausted
from sources.extract import build_source
from sources.notes import Notes
from sources.salesforce import VENDOR
from sources.stream import Vendor, Window
from tests.sources.salesforce.hand_made import (
    ACCOUNTS,
    DAY,
    DEALS,
    MEMBERS,
    NOW,
    OBJECTS,
    ROLES_OF_DEALS,
    Rows,
    company_rows,
    sf_id,
)
from tests.sources.salesforce.serving import Sandbox

STREAMS = {stream.name: stream.object for stream in VENDOR.streams}


@dataclass
class Loaded:
    """A pipeline of its own, and what it has written."""

    folder: Path
    sandbox: Sandbox
    vendor: Vendor = VENDOR

    def run(self, streams: list[str] | None = None, window: Window | None = None, **settings: str) -> Notes:
        notes = Notes()
        source = build_source(
            self.vendor, "salesforce", clock=self.sandbox.clock, streams=streams, window=window,
            config={**self.sandbox.settings, **settings}, notes=notes,
        )  # fmt: skip
        pipeline = dlt.pipeline(
            "salesforce",
            pipelines_dir=str(self.folder / "pipelines"),
            destination=dlt.destinations.duckdb(str(self.folder / "raw.duckdb")),
            dataset_name="raw_salesforce",
        )
        pipeline.extract(source, loader_file_format="parquet")
        pipeline.normalize()
        pipeline.load()
        return notes

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "raw.duckdb"), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'; use raw.raw_salesforce")
            return con.execute(sql).fetchall()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Sandbox], Loaded]]:
    monkeypatch.setenv("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.chdir(tmp_path)
    yield lambda sandbox: Loaded(tmp_path, sandbox)


Load = Callable[[Sandbox], Loaded]


def queries(sandbox: Sandbox, name: str) -> list[str]:
    """SOQL that was asked of one object, counts left out."""
    asked = [path.split("q=", 1)[1] for _, path in sandbox.log if "?q=SELECT" in path]
    return [soql for soql in asked if re.search(rf" FROM {name}( |$)", soql) and "COUNT()" not in soql]


def test_a_full_load_holds_every_row_of_the_vendor_and_its_own_count(sandbox: Sandbox, load: Load) -> None:
    loaded = load(sandbox)
    notes = loaded.run()
    expected = sandbox.line["expected"]
    for stream, name in STREAMS.items():
        assert loaded.rows(f"select count(*), count(distinct id) from {stream}") == [
            (expected["salesforce_all"][name],) * 2
        ]
    counted = dict(loaded.rows("select object, live_count from vendor_count where status = 'counted'"))
    assert counted == expected["salesforce"]
    assert not notes.skipped and not notes.quarantined
    assert loaded.rows("select count(*) from quarantine") == [(0,)]


def test_every_declared_column_is_there_and_typed(sandbox: Sandbox, load: Load) -> None:
    loaded = load(sandbox)
    loaded.run()
    names = {
        "text": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "decimal": "DECIMAL(38,9)", "bool": "BOOLEAN",
        "timestamp": "TIMESTAMP WITH TIME ZONE", "date": "DATE",
    }  # fmt: skip
    for stream in VENDOR.streams:
        types = dict(loaded.rows(f"select column_name, column_type from (describe {stream.name})"))
        assert {name: types.get(name) for name in stream.columns} == {
            name: names[kind] for name, kind in stream.columns.items()
        }
        assert {"_hash", "_seq", "_deleted", "_deleted_at", "_dlt_load_id"} <= set(types)


def test_values_keep_their_types_and_custom_fields_come_along(sandbox: Sandbox, load: Load) -> None:
    loaded = load(sandbox)
    loaded.run(["account", "opportunity", "opportunity_field_history", "opportunity_line_item", "product2"])
    deal = loaded.rows(
        "select amount::varchar, probability, close_date::varchar, is_won, stage_name, pipeline_c, last_stage_change_date::varchar,"
        f" push_count from opportunity where id = '{DEALS[0]}'"
    )
    assert deal == [
        ("1500000.500000000", 100.0, "2026-12-25", True, "Closed Won", "New Business", "2026-10-25 09:00:00+00", 1)
    ]
    assert loaded.rows("select corporate_number_c, domain_c, billing_country_code from account limit 1") == [
        ("7010401022916", "c3.example", "JP")
    ]
    assert loaded.rows("select margin_rate_c, family from product2") == [(62.5, "Platform")]
    assert loaded.rows("select service_end_date_c::varchar, is_recurring_c from opportunity_line_item") == [
        ("2027-10-31", True)
    ]
    assert ("Amount", "1000000.0", "1500000.5") in loaded.rows(
        "select field, old_value, new_value from opportunity_field_history"
    )
    fields = {name for name, *_ in loaded.rows("describe account")}
    assert "size_band_c" in fields and "size_band_c" not in VENDOR.stream("account").columns
    assert "billing_address" not in fields


def test_deleted_and_merged_records_are_flagged(sandbox: Sandbox, load: Load) -> None:
    loaded = load(sandbox)
    loaded.run(["account", "opportunity"])
    assert loaded.rows("select id, _deleted, master_record_id from account where is_deleted order by id") == [
        (ACCOUNTS[0], True, None),
        (ACCOUNTS[1], True, ACCOUNTS[2]),
        (ACCOUNTS[2], True, ACCOUNTS[3]),
    ]
    assert loaded.rows("select id from opportunity where _deleted") == [(DEALS[1],)]
    assert loaded.rows("select count(*) from account where _deleted is null") == [(0,)]


def test_a_second_run_reads_its_window_only(moving_sandbox: Sandbox, load: Load) -> None:
    loaded = load(moving_sandbox)
    loaded.run()
    moving_sandbox.company.advance(7)
    moving_sandbox.log.clear()
    second = loaded.run()
    for stream in VENDOR.streams:
        asked = [soql for soql in queries(moving_sandbox, stream.object) if soql != f"SELECT Id FROM {stream.object}"]
        assert len(asked) == 1, asked
        assert "> 2026-10-30T08:45:00Z AND" in asked[0] and "<= 2026-11-06T09:00:00Z" in asked[0]
    changed = {name: count for name, count in second.rows.items() if count}
    assert changed == {"opportunity": 1, "opportunity_history": 1, "opportunity_field_history": 2, "campaign_member": 1}
    assert len([path for _, path in moving_sandbox.log if path.startswith("/services/oauth2")]) == 1


def test_deletions_that_rows_do_not_show_become_tombstones(moving_sandbox: Sandbox, load: Load) -> None:
    loaded = load(moving_sandbox)
    loaded.run(["campaign_member", "opportunity_contact_role"])
    moving_sandbox.company.advance(7)
    loaded.run(["campaign_member", "opportunity_contact_role"])
    assert loaded.rows("select id, _deleted_at::varchar, status from campaign_member where _deleted") == [
        (MEMBERS[1], "2026-11-01 09:00:00+00", None)
    ]
    last = "(select max(_dlt_load_id) from _seen)"
    swept = loaded.rows(
        f"select key from _seen where stream = 'opportunity_contact_role' and _dlt_load_id = {last} and key <> ''"
    )
    assert swept == [(ROLES_OF_DEALS[0],)]


def test_deletions_are_read_once_and_none_falls_between_two_runs(moving_sandbox: Sandbox, load: Load) -> None:
    loaded = load(moving_sandbox)
    for days in (0, 1, 1, 1, 4):
        moving_sandbox.company.advance(days)
        loaded.run(["campaign_member"])
    assert loaded.rows("select id, count(*) from campaign_member where _deleted group by id") == [(MEMBERS[1], 1)]


def test_a_pause_longer_than_the_feed_of_deletions_is_said(moving_sandbox: Sandbox, load: Load) -> None:
    loaded = load(moving_sandbox)
    loaded.run(["campaign_member"])
    moving_sandbox.company.advance(40)
    notes = loaded.run(["campaign_member"])
    assert notes.quarantined == {"campaign_member": 1}
    (reason,) = loaded.rows("select reason from quarantine")[0]
    assert "last 15 days" in reason and "2026-10-30" in reason


def boundary_rows() -> Rows:
    """Accounts around the end of the first window, and one that is changed on it, before it and after it."""
    rows = Rows()
    for number, seconds in enumerate((-1, 0, 1, 899, 900, 901, 86_399, 86_400)):
        rows.add("account_versions", sf_id("001", number + 1), NOW + timedelta(seconds=seconds), name=f"at {seconds}")
    for seconds in (-3600, 0, 60):
        rows.add("account_versions", sf_id("001", 100), NOW + timedelta(seconds=seconds), name=f"version at {seconds}")
    return rows


def test_nothing_is_lost_at_the_boundary_of_two_windows(make_sandbox: Callable[..., Sandbox], load: Load) -> None:
    sandbox = make_sandbox(boundary_rows())
    loaded = load(sandbox)
    loaded.run(["account"])
    assert {name for (name,) in loaded.rows("select name from account")} == {"at -1", "at 0", "version at 0"}
    sandbox.company.advance(1)
    loaded.run(["account"])
    assert {name for (name,) in loaded.rows("select name from account")} == {
        *(f"at {seconds}" for seconds in (-1, 0, 1, 899, 900, 901, 86_399, 86_400)),
        "version at 0",
        "version at 60",
    }


def test_a_token_that_ends_in_the_middle_is_renewed_and_no_row_is_lost(
    make_sandbox: Callable[..., Sandbox], load: Load
) -> None:
    sandbox = make_sandbox(token_life_requests=3, page_size=50)
    loaded = load(sandbox)
    loaded.run(["account", "opportunity"])
    assert loaded.rows("select count(*), count(distinct id) from account") == [(450, 450)]
    signed_in = [path for _, path in sandbox.log if path.startswith("/services/oauth2/token")]
    assert len(signed_in) >= 4


def test_an_object_without_permission_is_reported_and_the_others_are_read(
    make_sandbox: Callable[..., Sandbox], load: Load
) -> None:
    sandbox = make_sandbox(forbidden_objects=("OpportunitySplit", "AccountContactRelation"))
    loaded = load(sandbox)
    notes = loaded.run()
    assert set(notes.skipped) == {"opportunity_split", "account_contact_relation"}
    refused = loaded.rows("select stream, status, message from vendor_count where status <> 'counted' order by stream")
    assert [(stream, status) for stream, status, _ in refused] == [
        ("account_contact_relation", "no_permission"),
        ("opportunity_split", "no_permission"),
    ]
    assert "Read" in refused[0][2]
    assert loaded.rows("select count(*) from opportunity_split") == [(0,)]
    assert loaded.rows("select count(*) from account") == [(450,)]


def test_an_object_with_more_fields_than_an_address_holds_is_read_in_parts(
    sandbox: Sandbox, load: Load, tmp_path: Path
) -> None:
    whole, parts = load(sandbox), Loaded(tmp_path / "parts", sandbox)
    whole.run(["account", "opportunity"])
    sandbox.log.clear()
    parts.run(["account", "opportunity"], longest_uri="600")
    asked = queries(sandbox, "Account")
    assert len(asked) >= 3
    assert max(len(f"/services/data/v62.0/queryAll?q={quote_plus(soql)}") for soql in asked) <= 600
    for stream in ("account", "opportunity"):
        sql = f"select * exclude (_seq, _dlt_load_id) from {stream} order by id"
        assert parts.rows(sql) == whole.rows(sql)


def test_a_backfill_reads_its_window_and_leaves_the_forward_state(moving_sandbox: Sandbox, load: Load) -> None:
    loaded = load(moving_sandbox)
    loaded.run(["opportunity"])
    moving_sandbox.log.clear()
    now = moving_sandbox.clock()
    notes = loaded.run(["opportunity"], window=Window(now - 6 * DAY, now - 4 * DAY))
    assert notes.rows["opportunity"] == 2  # one won five days ago, one deleted four days ago
    moving_sandbox.company.advance(1)
    moving_sandbox.log.clear()
    loaded.run(["opportunity"])
    assert "> 2026-10-30T08:45:00Z" in queries(moving_sandbox, "Opportunity")[0]


def test_a_private_key_signs_in(make_sandbox: Callable[..., Sandbox], load: Load) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    sandbox = make_sandbox(public_key=public.decode())
    sandbox.company.advance(90)  # the company's clock is not the one that an assertion is judged by
    loaded = load(sandbox)
    notes = loaded.run(
        ["user"], client_secret="", private_key=pem.replace("\n", "\\n"), username="integration@tsunagu.example"
    )
    assert notes.rows == {"user": 2}


WRONG: list[tuple[Mapping[str, str], type[Exception], str]] = [
    ({"client_secret": "wrong"}, CredentialsRejected, "SOURCES__SALESFORCE__CLIENT_SECRET"),
    ({"client_id": "nobody"}, CredentialsRejected, "invalid_client_id"),
    ({"client_secret": ""}, ConfigurationError, "SOURCES__SALESFORCE__PRIVATE_KEY"),
    ({"private_key": "no key", "username": "x"}, ConfigurationError, "PEM"),
    ({"private_key": "no key"}, ConfigurationError, "SOURCES__SALESFORCE__USERNAME"),
]


@pytest.mark.parametrize(("settings", "error", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_a_wrong_setting_is_one_clear_message_that_shows_no_secret(
    sandbox: Sandbox, load: Load, settings: Mapping[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(Exception) as caught:  # dlt wraps what a resource raises
        load(sandbox).run(["user"], **settings)
    cause: BaseException | None = caught.value
    while cause is not None and not isinstance(cause, error):
        cause = cause.__cause__ or cause.__context__
    assert cause is not None, repr(caught.value)
    assert words in str(cause) and "\n" not in str(cause)
    assert sandbox.settings["client_secret"] not in str(cause)


def test_a_used_up_allowance_ends_the_run_and_what_was_read_before_lands(
    make_sandbox: Callable[..., Sandbox], load: Load
) -> None:
    loaded = load(make_sandbox(quota=4))
    notes = loaded.run(["account", "opportunity", "lead"])
    assert notes.rows["account"] and not notes.rows["lead"]
    assert list(notes.failed) == ["opportunity", "lead"]
    problem = notes.failed["lead"]
    assert isinstance(problem, QuotaExhausted) and "REQUEST_LIMIT_EXCEEDED" in str(problem)


def test_a_long_first_load_is_cut_at_a_stamp_and_goes_on_there(
    make_sandbox: Callable[..., Sandbox], load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sources.extract.PAGE_BYTES", 1)
    loaded = load(make_sandbox(page_size=50))
    loaded.vendor = replace(VENDOR, streams=(replace(VENDOR.stream("account"), window_rows=100),))
    runs = [loaded.run()]
    while runs[-1].cut:
        runs.append(loaded.run())
    live = loaded.sandbox.line["expected"]["salesforce_all"]["Account"]
    assert len(runs) == -(-live // 100)
    assert loaded.rows("select count(distinct id) from account") == [(live,)]
    assert loaded.rows("select count(*) from account")[0][0] < live + 50, "a cut reads one stamp again, not a window"


def test_rows_made_and_read_agree_with_the_hand_made_company() -> None:
    """The numbers in this file are counted from the company, not from the sandbox that serves it."""
    rows = company_rows()
    visible = {
        table: {row["source_id"] for row in each if row["at"] <= NOW}
        for table, each in rows.tables.items()
        if table in OBJECTS
    }
    assert len(visible["account_versions"]) == 450 and len(visible["deal_versions"]) == 4
