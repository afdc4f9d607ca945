"""What the demo company's kintone holds: customers from their first win on, their people, and what is sold to them next."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Rows = Callable[[str], list[tuple[object, ...]]]

_WEST = "(select entity_id from company.account_versions where instance = 'esales')"
_NATIVE = "company.deal_versions where crm_source_id is null"


def _empty(rows: Rows, sql: str) -> None:
    found = rows(sql)
    assert not found, found[:3]


def test_it_holds_five_apps_two_subtables_and_users(rows: Rows) -> None:
    tables = ("account", "person", "deal", "activity", "product", "deal_line", "deal_person", "user", "campaign", "role",
              "person_account")  # fmt: skip
    held: set[str] = set()
    for table in tables:
        held |= {
            str(n) for (n,) in rows(f"select distinct object from company.{table}_versions where instance = 'kintone'")
        }
    assert held == {"customers", "contacts", "deals", "activities", "products", "deal_lines", "deals_contacts", "users"}


@pytest.mark.parametrize("table", ["account", "person", "deal", "activity"])
def test_every_app_counts_its_records_from_one_in_the_order_of_entry(rows: Rows, table: str) -> None:
    numbers = rows(
        f"select min(source_id::int), max(source_id::int), count(distinct source_id) from company.{table}_versions"
        " where instance = 'kintone'"
    )[0]
    assert numbers[0] == 1 and numbers[1] == numbers[2] and isinstance(numbers[1], int) and numbers[1] > 20
    _empty(
        rows,
        "select * from (select created_at, max(created_at) over (order by source_id::bigint rows between unbounded"
        f" preceding and 1 preceding) as before from company.{table}_versions where instance = 'kintone')"
        " where created_at < before",
    )


def test_a_customer_is_entered_after_its_first_win_and_all_of_the_west_are(rows: Rows) -> None:
    won = (
        '(select a.entity_id, min(d."at") as won_at from company.deal_versions as d join (select distinct instance,'
        " source_id, entity_id from company.account_versions) as a on a.instance = d.instance"
        " and a.source_id = d.account_source_id where d.stage = 'won' group by 1)"
    )
    customers = "(select entity_id, min(created_at) as created_at from company.account_versions where instance = 'kintone' group by 1)"
    _empty(rows, f"select * from {customers} as c left join {won} as w using (entity_id) where not c.created_at > w.won_at"
                 " or w.won_at is null")  # fmt: skip
    shares = dict(
        rows(
            f"select entity_id in {_WEST} as west, avg((entity_id in (select entity_id from {customers}))::int) from {won}"
            " where won_at < timestamp '2026-10-20' group by 1"
        )
    )
    west, others = shares[True], shares[False]
    assert isinstance(west, float) and isinstance(others, float)
    assert west > 0.9 and 0.2 < others < 0.6


def test_new_business_of_the_west_stays_in_esales_and_what_follows_is_here(rows: Rows) -> None:
    assert rows(f"select distinct deal_type from {_NATIVE} and instance = 'esales'") == [("new",)]
    kinds = {str(kind) for (kind,) in rows(f"select distinct deal_type from {_NATIVE} and instance = 'kintone'")}
    assert kinds == {"renewal", "upsell", "cross_sell"}
    _empty(rows, f"select entity_id from {_NATIVE} group by 1 having count(distinct instance) > 1")
    _empty(rows, "select * from company.deal_versions where instance = 'kintone' and is_deleted")


def test_a_deal_changes_when_its_lines_do_and_is_their_sum(rows: Rows) -> None:
    _empty(
        rows,
        "select l.deal_source_id from company.deal_line_versions as l left join company.deal_versions as d"
        ' on d.instance = l.instance and d.source_id = l.deal_source_id and d."at" = l."at"'
        " where l.instance = 'kintone' and d.source_id is null",
    )
    summed = "(select deal_source_id as source_id, sum(amount) as total from current.deal_lines where instance = 'kintone' group by 1)"
    _empty(
        rows,
        f"select * from current.deals join {summed} using (source_id) where instance = 'kintone' and amount <> total",
    )
    _empty(
        rows,
        f"select * from current.deals anti join {summed} using (source_id) where instance = 'kintone'"
        " and stage in ('proposal', 'agreement', 'contract', 'won')",
    )


def test_owners_are_login_names_of_people_who_have_a_seat(rows: Rows) -> None:
    _empty(
        rows,
        "select * from company.user_versions where instance = 'kintone' and source_id <> split_part(email, '@', 1)",
    )
    _empty(rows, "select * from company.deal_versions where instance = 'kintone' and owner_source_id is null")
    west = "(select source_id from company.user_versions where instance = 'kintone' and team in ('関西営業部', '九州営業部'))"
    _empty(rows, f"select * from company.deal_versions where instance = 'kintone' and owner_source_id not in {west}")


def test_contacts_hang_on_a_customer_and_have_no_stage_of_their_own(rows: Rows) -> None:
    contacts = "company.person_versions where instance = 'kintone'"
    _empty(rows, f"select * from {contacts} and account_source_id is null")
    _empty(rows, f"select * from {contacts} and coalesce(stage, lead_source, crm_source_id) is not null")
    _empty(rows, f"select * from {contacts} and coalesce(is_email_opted_out, is_call_opted_out) is not null")


def test_deleted_contacts_are_in_no_deal_and_no_activity(rows: Rows) -> None:
    gone = "(select source_id from company.person_versions where instance = 'kintone' and is_deleted)"
    assert rows(f"select 1 from {gone} limit 1")
    for table in ("activity", "deal_person"):
        _empty(
            rows, f"select * from company.{table}_versions where instance = 'kintone' and person_source_id in {gone}"
        )


def test_what_no_reader_can_see_is_named_in_the_truth(rows: Rows) -> None:
    told = "'{truth}/records.parquet' where source_system = 'kintone'"
    assert rows(f"select distinct difficulty from {told} and entity_type = 'opportunity'") == [("observed_only",)]
    _empty(
        rows,
        f"select source_object, source_id from {told} and difficulty = 'deleted' and entity_type = 'person' except"
        " select object, source_id from current.people where instance = 'kintone' and is_deleted",
    )
    assert rows(f"select 1 from {told} and difficulty = 'deleted' limit 1")
    _empty(rows, "select * from '{truth}/records.parquet' where source_system = 'hubspot' and difficulty = 'deleted'"
                 " and source_object <> 'forms'")  # fmt: skip


def test_many_customers_show_their_corporate_number(rows: Rows) -> None:
    share = rows("select avg((corporate_number is not null)::int) from current.accounts where instance = 'kintone'")[0][
        0
    ]
    assert isinstance(share, float) and 0.6 < share < 0.95


def test_activities_are_entered_when_done_and_most_are_about_a_deal(rows: Rows) -> None:
    activities = "company.activity_versions where instance = 'kintone'"
    _empty(rows, f"select * from {activities} and (created_at < occurred_at or account_source_id is null)")
    kinds = {str(kind) for (kind,) in rows(f"select distinct kind from {activities}")}
    assert kinds == {"call", "email", "meeting", "visit"}
    share = rows(f"select avg((deal_source_id is not null)::int) from {activities}")[0][0]
    assert isinstance(share, float) and share > 0.6
    _empty(
        rows,
        f"select a.source_id from {activities.replace('where', 'as a join company.deal_versions as d on d.instance = a.instance and d.source_id = a.deal_source_id where a.')}"
        " group by 1 having min(d.created_at) > min(a.created_at)",
    )


@pytest.mark.parametrize("tool", ["kintone", "marketo"])
def test_at_most_one_pair_in_a_hundred_of_the_tools_copies_cannot_be_joined(rows: Rows, tool: str) -> None:
    pairs, lonely = rows(
        "with r as (select * from '{truth}/records.parquet' where entity_type <> 'activity')"
        " select count(*), count(*) filter (where not (a.is_decidable and b.is_decidable)) from r as a join r as b"
        " on a.entity_type = b.entity_type and a.entity_id = b.entity_id"
        f" and (a.source_system, a.source_object, a.source_id) <> (b.source_system, b.source_object, b.source_id)"
        f" where a.source_system = '{tool}'"
    )[0]
    assert isinstance(pairs, int) and isinstance(lonely, int)
    assert pairs > 200 and lonely <= 0.01 * pairs


def test_instants_are_whole_minutes_and_a_closed_deal_was_last_changed_by_its_closing(rows: Rows) -> None:
    for table in ("account", "person", "deal", "deal_line", "deal_person", "activity"):
        instants = (
            f"""select unnest(["at", created_at]) as instant from company.{table}_versions where instance = 'kintone'"""
        )
        _empty(rows, f"select * from ({instants}) where instant <> date_trunc('minute', instant)")
    last = 'select source_id, max("at") as changed_at from ({}) group by 1'
    parts = " union all ".join(
        f"select {key} as source_id, \"at\" from company.{table}_versions where instance = 'kintone'"
        for table, key in (("deal", "source_id"), ("deal_line", "deal_source_id"), ("deal_person", "deal_source_id"))
    )
    _empty(
        rows,
        f'select * from ({last.format(parts)}) join (select source_id, stage, min("at") as stage_at from company.deal_versions'
        " where instance = 'kintone' group by all having stage in ('won', 'lost')) using (source_id)"
        " where changed_at <> stage_at and source_id not in (select source_id from company.deal_versions"
        " where instance = 'kintone' group by 1 having count(distinct stage) filter (where stage in ('won', 'lost')) > 1"
        " or count(*) filter (where stage = 'lost') > 1)",
    )
