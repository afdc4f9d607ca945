"""What the marts say of people, accounts and the health of the data, over a few records that a reader can hold in mind."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt_project.marts_fixture import Canonical, Marts, entity_id, template

AS_OF = "2025-06-30 03:00:00"


def people_and_accounts() -> Canonical:
    canonical = Canonical()
    canonical.add(
        "canonical_sales_user", "rep", name="Rep", team="east", department="sales", is_active=True, is_current=True
    )
    _accounts(canonical)
    _people(canonical)
    _deals(canonical)
    _touches(canonical)
    return canonical


def _accounts(canonical: Canonical) -> None:
    # One company in two tools; the first is the system of record by the map that the fixture writes.
    canonical.add(
        "canonical_account",
        "acme",
        name="Acme K.K.",
        domain=None,
        employee_count=1200,
        owner_key="rep",
        updated_at="2024-01-01",
    )
    canonical.add(
        "canonical_account", "acme-ma", source_system="ma", vendor="ma", name="ACME", domain="acme.example",
        employee_count=5, updated_at="2025-06-01",
    )  # fmt: skip
    canonical.entities["acme-ma"] = "acme"
    # A chain of merges: first into second into third.
    for loser, winner in (("first", "second"), ("second", "third")):
        canonical.add("canonical_account", loser, is_deleted=True, merged_into_key=winner, name=loser)
        canonical.entities[loser] = "third"
    canonical.add("canonical_account", "third", name="Third", parent_key="acme-ma")
    canonical.add("canonical_account", "gone", name="Gone", is_deleted=True, deleted_at="2025-01-01")


def _people(canonical: Canonical) -> None:
    shared: dict[str, Any] = {"email": "info@acme.example"}
    canonical.add("canonical_person", "hana", full_name="Hana", account_key="acme", lead_source="seminar", **shared)
    canonical.add("canonical_person", "taro", full_name="Taro", account_key="acme-ma", **shared)
    # A lead and the contact it became; the deleted copy in the other tool holds the refusal of e-mail.
    canonical.add("canonical_person", "lead", full_name="Yuki (lead)", created_at="2024-02-01", lead_source="referral")
    canonical.add("canonical_person", "contact", full_name="Yuki", account_key="first", created_at="2024-05-01")
    canonical.add("canonical_person", "copy", is_deleted=True, is_email_opted_out=True, source_system="ma", vendor="ma")
    canonical.entities |= {"contact": "lead", "copy": "lead"}
    canonical.add("canonical_person", "moved", full_name="Moved", account_key="acme")
    for key, account, since, until in (
        ("old", "third", "2023-01-01", "2025-02-01"),
        ("new", "acme", "2025-02-01", None),
    ):
        canonical.add(
            "canonical_person_account", key, person_key="moved", account_key=account, role="employee", is_primary=True,
            valid_from=since, valid_to=until,
        )  # fmt: skip
    # The other tool calls another account primary, and said so later.
    canonical.add("canonical_person", "moved-ma", full_name="Moved", source_system="ma", vendor="ma")
    canonical.entities["moved-ma"] = "moved"
    canonical.add(
        "canonical_person_account", "other", person_key="moved-ma", account_key="third", role="advisor",
        is_primary=True, valid_from="2025-03-01", source_system="ma", vendor="ma",
    )  # fmt: skip
    for key, stage, entered_at in (
        ("hana", "mql", "2024-03-01"),
        ("hana", "sql", "2024-04-01"),
        ("taro", "mql", "2024-03-05"),
        ("taro", "disqualified", "2024-03-09"),
    ):
        canonical.event(
            "canonical_lifecycle_event", record_key=key, stage=stage, source_field="stage", entered_at=entered_at
        )


def _deals(canonical: Canonical) -> None:
    won = [("2024-05-01 00:00:00", "proposal", 1_000_000, "rep"), ("2024-05-31 00:00:00", "won", 1_200_000, "rep")]
    canonical.deal("won", won, account_key="first", close_date=date(2024, 5, 31), primary_person_key="lead")
    mirror = canonical.deal(
        "won-mirror", won, account_key="third", close_date=date(2024, 5, 31), source_system="ma", mirror_of_key="won"
    )
    canonical.entities[mirror] = "won"
    canonical.deal(
        "open",
        [("2025-06-01 00:00:00", "proposal", 500_000, "nobody")],
        account_key="acme",
        lead_source="Skywriting",
    )
    canonical.deal(
        "renewed", [("2025-06-01 00:00:00", "proposal", 70_000, "rep")], account_key="third", pipeline="renewal"
    )
    canonical.add(
        "canonical_opportunity_line", "line", opportunity_key="won", product_family="Cloud", amount_original=365_000,
        currency="JPY", is_recurring=True, service_start_date=date(2024, 7, 1), service_end_date=date(2025, 9, 30),
    )  # fmt: skip
    canonical.add(
        "canonical_opportunity_person", "role", opportunity_key="open", person_key="hana", role="Economic Buyer"
    )


def _touches(canonical: Canonical) -> None:
    for key, person, account, at, kind, direction, channel in (
        ("t1", "hana", "acme", "2024-01-10", "form", "inbound", "website"),
        ("t2", "hana", None, "2025-05-31 03:00:00", "meeting", None, "meeting"),
        ("t3", "moved", None, "2024-06-01", "call", "outbound", "phone"),
        ("t4", "moved", None, "2025-06-20", "email", "outbound", "unmapped"),
        ("t5", None, "third", "2025-06-25", "task", "internal", "none"),
        ("planned", "hana", "acme", "2025-07-10", "meeting", None, "meeting"),
    ):
        canonical.add(
            "canonical_interaction", key, person_key=person, account_key=account, occurred_at=at, touch_type=kind,
            direction=direction, channel=channel, source_channel="barter" if channel == "unmapped" else channel,
            opportunity_key="open" if key == "planned" else None,
        )  # fmt: skip


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    marts = template(tmp_path_factory.mktemp("people") / "home")
    marts.execute(
        "delete from maps.system_of_record",
        """insert into maps.system_of_record by name
           select unnest(['account', 'person', 'opportunity']) as entity_type, 'crm' as source_system, 1 as rank""",
        "insert into maps.key_accounts (domain, note) values ('ACME.example', 'largest')",
    )
    canonical = people_and_accounts()
    canonical.event("canonical_vendor_count", stream="account", source_object="account", live_count=9, status="counted",
                    is_current=True, counted_at=AS_OF)  # fmt: skip
    marts.fill(canonical, AS_OF)
    failed = [name for name, status in marts.build().items() if status == "fail"]
    assert not failed, failed
    return marts


def account(key: str) -> str:
    return entity_id("account", key)


def person(key: str) -> str:
    return entity_id("person", key)


def one(marts: Marts, query: str, *parameters: Any) -> tuple[Any, ...]:
    [row] = marts.rows(query, parameters)
    return row


def test_the_record_of_the_system_of_record_rules_and_the_other_fills_what_it_lacks(marts: Marts) -> None:
    found = one(
        marts,
        """select account_name, domain, employee_count, owner_name, segment, is_key_account, source_systems,
                  source_record_count from marts.customer_360 where account_id = ?""",
        account("acme"),
    )
    assert found == ("Acme K.K.", "acme.example", 1200, "Rep", "enterprise", True, "crm,ma", 2)


def test_chained_merges_are_followed_to_the_end(marts: Marts) -> None:
    assert {row[0] for row in marts.rows("select account_id from marts.customer_360")} == {
        account("acme"),
        account("third"),
    }
    [won] = marts.rows("select account_id, amount from marts.opportunities where is_won")
    assert won == (account("third"), Decimal("1200000.00"))
    mapped = marts.rows("select source_id from marts.identity_map where entity_id = ? order by 1", [account("third")])
    assert mapped == [("first",), ("second",), ("third",)]


def test_a_mirrored_deal_is_counted_once(marts: Marts) -> None:
    assert one(marts, "select count(*) from marts.opportunities where is_won") == (1,)
    assert one(
        marts, "select won_count, won_amount from marts.customer_360 where account_id = ?", account("third")
    ) == (
        1,
        Decimal("1200000.00"),
    )


def test_people_who_share_an_address_stay_two_people(marts: Marts) -> None:
    assert one(marts, "select count(*) from marts.person_360 where email = 'info@acme.example'") == (2,)


def test_a_converted_lead_and_its_contact_are_one_person_who_came_as_the_lead(marts: Marts) -> None:
    found = one(
        marts,
        """select full_name, lead_source, created_at, account_id, lifecycle_stage, customer_at, source_record_count
           from marts.person_360 where person_id = ?""",
        person("lead"),
    )
    assert found[1:] == ("referral", datetime(2024, 2, 1), account("third"), "customer", datetime(2024, 5, 31), 2)


def test_any_tools_refusal_wins_even_from_a_deleted_record(marts: Marts) -> None:
    found = "select is_opted_out, opted_out_channels from marts.person_360 where person_id = ?"
    assert one(marts, found, person("lead")) == (True, "email")
    assert one(marts, found, person("hana")) == (False, None)


def test_a_person_is_disqualified_when_that_was_said_last(marts: Marts) -> None:
    found = dict(
        marts.rows("select full_name, lifecycle_stage from marts.person_360 where full_name in ('Hana', 'Taro')")
    )
    assert found == {"Hana": "sql", "Taro": "disqualified"}


def test_a_touch_keeps_the_account_of_its_day(marts: Marts) -> None:
    found = dict(marts.rows("select source_id, account_id from marts.touchpoints"))
    assert found == {
        "t1": account("acme"),
        "t2": account("acme"),
        "t3": account("third"),
        "t4": account("acme"),
        "t5": account("third"),
        "planned": account("acme"),
    }
    assert one(marts, "select account_id from marts.person_360 where person_id = ?", person("moved")) == (
        account("acme"),
    )


def test_the_primary_account_is_that_of_the_record_that_rules(marts: Marts) -> None:
    found = marts.rows(
        "select account_id, is_primary from marts.person_accounts where person_id = ? and valid_to is null order by 2",
        [person("moved")],
    )
    assert found == [(account("third"), False), (account("acme"), True)]


def test_a_task_of_our_own_is_an_activity_and_no_touch(marts: Marts) -> None:
    assert one(
        marts,
        """select first_touch_at, last_touch_at, days_since_last_activity, last_activity_type from marts.customer_360
           where account_id = ?""",
        account("third"),
    ) == (datetime(2024, 6, 1), datetime(2024, 6, 1), 5, "task")


def test_planned_activities_are_not_in_the_past(marts: Marts) -> None:
    assert one(
        marts,
        "select first_touch_at, last_touch_at, last_activity_type from marts.customer_360 where account_id = ?",
        account("acme"),
    ) == (datetime(2024, 1, 10), datetime(2025, 6, 20), "email")
    assert one(marts, "select last_activity_at, next_activity_at from marts.opportunities where name is null and not is_closed and pipeline_id = 'new_business'") == (
        None,
        datetime(2025, 7, 10),
    )  # fmt: skip


def test_engagement_halves_in_thirty_days(marts: Marts) -> None:
    # A meeting of 30 days ago (8 points, so 4) and an outbound e-mail of 10 days and 3 hours ago (half a point).
    [score] = one(marts, "select engagement_score from marts.customer_360 where account_id = ?", account("acme"))
    assert math.isclose(score, 4 + 0.5 * 2 ** (-10.125 / 30), abs_tol=1e-4)


def test_recurring_service_that_lies_ahead_is_no_historical_value(marts: Marts) -> None:
    # 92 of 457 days of a line of 365,000 come after 30 June 2025.
    [value] = one(
        marts, "select historical_value_amount from marts.customer_360 where account_id = ?", account("third")
    )
    assert value == Decimal("1200000.00") - (Decimal(365_000) * 92 / 457).quantize(Decimal("0.01"))


def test_an_open_deal_makes_its_account_worked_on_by_sales_and_an_unknown_owner_is_none(marts: Marts) -> None:
    found = dict(marts.rows("select account_id, lifecycle_stage from marts.customer_360"))
    assert found == {account("acme"): "sql", account("third"): "customer"}
    units = marts.rows(
        """select unit_id, sum(opportunity_count) from marts.pipeline_daily
           where level = 'team' and stage = 'all' and snapshot_date = date '2025-06-30' group by 1 order by 1"""
    )
    assert units == [("east", 1), ("none", 1)]


def test_renewals_stay_out_of_the_new_business_funnel(marts: Marts) -> None:
    assert marts.rows("select distinct pipeline_id from marts.funnel_monthly where unit = 'opportunity'") == [
        ("new_business",)
    ]
    assert one(
        marts,
        """select sum(entered_count) from marts.funnel_monthly
           where unit = 'opportunity' and basis = 'cohort' and stage = 'inquiry'""",
    ) == (2,)


def test_an_absent_channel_is_none(marts: Marts) -> None:
    found = marts.rows(
        """select channel, sum(entered_count) from marts.funnel_monthly
           where unit = 'person' and basis = 'cohort' and stage = 'lead' group by 1 order by 1"""
    )
    assert found == [("none", 2), ("referral", 1), ("seminar", 1)]


def test_a_decision_maker_is_known_by_role(marts: Marts) -> None:
    found = marts.rows("select pipeline_id, has_decision_maker from marts.opportunities where not is_closed order by 1")
    assert found == [("new_business", True), ("renewal", False)]


def test_the_count_of_the_vendor_stands_beside_ours(marts: Marts) -> None:
    found = one(
        marts,
        "select measured_value, expected_value, status, details from marts.data_health where check_name = 'row_counts'",
    )
    assert found == (2.0, 9.0, "warn", "account: 7 fewer than the vendor counts")


def test_a_channel_that_no_map_knows_is_named(marts: Marts) -> None:
    found = marts.rows(
        "select source_system, status, measured_value, details from marts.data_health where check_name = 'unmapped_channels' order by 1"
    )
    assert found == [("crm", "warn", 2.0, "Skywriting, barter"), ("ma", "ok", 0.0, None)]


def test_every_pending_column_is_empty_and_every_built_one_may_hold_something(marts: Marts) -> None:
    for table, column, status in marts.rows("select table_name, column_name, status from marts.metrics"):
        [count] = one(marts, f"select count({column}) from marts.{table}")
        assert status == "built" or count == 0, f"{table}.{column}"


def test_every_number_column_is_in_the_list_of_metrics(marts: Marts) -> None:
    missing = marts.rows(
        """select table_name, column_name from information_schema.columns c
           where table_schema = 'marts' and data_type in ('DOUBLE', 'DECIMAL(18,2)')
             and table_name not in ('data_health', 'identity_map')
             and not exists (select 1 from marts.metrics m
                             where m.table_name = c.table_name and m.column_name = c.column_name)"""
    )
    assert not missing
