"""The company looks like one: rates, sizes, days and the odd things of real life are there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sources.demo.ids import salesforce_id, salesforce_suffix
from sources.demo.names import corporate_number

Rows = Callable[[str], list[tuple[object, ...]]]

_NATIVE = "current.deals where not is_deleted and crm_source_id is null"
_STEPS = """
(select *, lag(stage) over w as before, lag(expected_close_date) over w as expected_before,
    lag(owner_source_id) over w as owner_before
 from visible.deal_versions where crm_source_id is null window w as (partition by instance, object, source_id order by "at"))
"""

RANGES = {
    "win rate of new deals": (
        f"select avg((stage = 'won')::int) from {_NATIVE} and deal_type = 'new' and stage in ('won', 'lost')", 0.2, 0.5),
    "renewals are mostly won": (
        f"select avg((stage = 'won')::int) from {_NATIVE} and deal_type = 'renewal' and stage in ('won', 'lost')", 0.8, 1),
    "deals still open": (f"select avg((stage not in ('won', 'lost'))::int) from {_NATIVE}", 0.08, 0.4),
    "lost deals keep an amount": (f"select min(amount)::double from {_NATIVE} and stage = 'lost'", 1, 1e12),
    "log-normal sizes: mean over median": (
        "select (avg(amount) / median(amount))::double from (select * from " + _NATIVE + " and currency = 'JPY')", 1.15, 3),
    "wins in March over the mean of January and February": (
        "select 2.0 * count(*) filter (where month(expected_close_date) = 3)"
        f" / count(*) filter (where month(expected_close_date) in (1, 2)) from {_NATIVE} and stage = 'won'", 1.5, 20),
    "people who became an MQL": (
        "select count(mql_at) / count(*) from '{truth}/people.parquet'", 0.25, 0.6),
    "calls on a weekend": (
        "select avg((dayofweek(occurred_at + interval 9 hour) in (0, 6))::int) from current.activities"
        " where kind = 'call'", 0, 0.05),
    "calls of Japan in office hours": (
        "select avg((hour(occurred_at + interval 9 hour) between 9 and 17)::int) from current.activities"
        " where kind = 'call' and instance in ('salesforce', 'esales')", 0.92, 1),
    "forms on a weekend": (
        "select avg((dayofweek(occurred_at + interval 9 hour) in (0, 6))::int) from current.activities"
        " where kind = 'form'", 0.03, 0.3),
}  # fmt: skip

HAPPENS = {
    "a deal skips a stage": f"select * from {_STEPS} where before = 'inquiry' and stage = 'first_meeting'",
    "a deal goes back": f"select * from {_STEPS} where before = 'proposal' and stage = 'decision_maker'",
    "a lost deal is reopened": f"select * from {_STEPS} where before = 'lost' and stage = 'proposal'",
    "a deal is pushed": f"select * from {_STEPS} where expected_close_date > expected_before and stage = before",
    "a deal stalls in a stage": (
        "select * from (select *, lead(entered_at) over (partition by opportunity_entity_id order by entered_at) as next_at"
        " from '{truth}/stage_events.parquet') where stage <> 'lost' and next_at > entered_at + interval 60 day"
    ),
    "a deal changes its owner": f"select * from {_STEPS} where owner_source_id <> owner_before and stage = before",
    "a deal is split": "select deal_source_id from current.deal_splits group by 1 having count(*) = 2 and sum(share) = 1",
    "a deal is deleted": "select * from current.deals where is_deleted and instance = 'salesforce'",
    "a reason for a loss": f"select * from {_NATIVE} and stage = 'lost' and loss_reason = 'Price'",
    "one-off and recurring lines in a deal": (
        "select deal_source_id from current.deal_lines group by instance, deal_source_id"
        " having bool_or(is_recurring) and not bool_and(is_recurring)"
    ),
    "a renewal": f"select * from {_NATIVE} and deal_type = 'renewal'",
    "an upsell": f"select * from {_NATIVE} and deal_type = 'upsell'",
    "a cross-sell": f"select * from {_NATIVE} and deal_type = 'cross_sell'",
    "a mirrored deal": "select * from current.deals where instance = 'hubspot' and crm_source_id is not null",
    "a deal native to HubSpot": "select * from current.deals where instance = 'hubspot' and crm_source_id is null",
    "a former customer or a first one": "select * from current.accounts where account_type in ('customer', 'former')",
    "a converted lead with its opportunity": (
        "select * from current.people where object = 'Lead' and converted_opportunity_source_id is not null"
    ),
    "one account in two tools under two names": (
        "select entity_id from current.accounts group by 1 having count(distinct instance) > 1 and count(distinct name) > 1"
    ),
    "one person in two tools under two addresses": (
        "select entity_id from current.people group by 1 having count(distinct instance) > 1 and count(distinct email) > 1"
    ),
    "people who share an address": (
        "select email from current.people where email like 'info@%' group by 1 having count(distinct entity_id) > 1"
    ),
    "a branch with its parent's number": (
        "select corporate_number from current.accounts group by 1 having count(distinct entity_id) > 1"
    ),
    "a duplicate that is alive": (
        "select * from current.people where not is_deleted and object <> 'Lead'"
        " qualify count(*) over (partition by entity_id, instance) > 1"
    ),
    "a user who changed team": (
        "select source_id from visible.user_versions group by instance, source_id having count(distinct team) > 1"
    ),
    "a user who left": "select * from current.users where not is_active",
    "ids that both portals use": (
        "select a.source_id from current.people as a join current.people as b using (source_id)"
        " where a.instance = 'hubspot' and b.instance = 'hubspot_emea' and a.entity_id <> b.entity_id"
    ),
    "a changed employer": (
        "select entity_id from current.person_accounts where instance = 'salesforce' and not is_active"
    ),
    "a former name in another tool": "select * from '{truth}/records.parquet' where difficulty = 'former_name'",
    "Latin and Japanese names": "select * from current.accounts where name like '%GmbH%'",
    "targets of both currencies": "select currency from company.target group by 1 having currency = 'EUR'",
}  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_it_is_in_a_plausible_range(rows: Rows, name: str) -> None:
    sql, low, high = RANGES[name]
    value = rows(sql)[0][0]
    assert isinstance(value, int | float) and low <= value <= high, value


@pytest.mark.parametrize("name", HAPPENS)
def test_it_happens(rows: Rows, name: str) -> None:
    assert rows(HAPPENS[name]), name


def test_salesforce_ids_carry_the_checking_characters() -> None:
    assert salesforce_suffix("001A0000006Vm9r") == "IAC"
    made = salesforce_id("Contact", 4_711)
    assert len(made) == 18 and made.startswith("003") and made[15:] == salesforce_suffix(made[:15])


def test_corporate_numbers_carry_their_check_digit() -> None:
    from random import Random

    for seed in range(50):
        number = corporate_number(Random(seed))
        digits = [int(digit) for digit in number]
        total = sum(digit * (1 if place % 2 == 0 else 2) for place, digit in enumerate(reversed(digits[1:])))
        assert len(number) == 13 and digits[0] == 9 - total % 9
