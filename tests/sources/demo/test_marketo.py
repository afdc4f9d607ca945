"""What the demo company's Marketo holds: who is there, how it is linked, what changes and what never does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sources.demo.company import build
from sources.demo.engagement import place_later
from sources.demo.hours import END, Ints
from sources.demo.presence import Presence, decide
from sources.demo.presence_later import decide_later
from sources.demo.simulate import make_world
from sources.demo.touches import TOOLS, make_touches

Rows = Callable[[str], list[tuple[object, ...]]]

_LEADS = "company.person_versions where instance = 'marketo'"
_RANK = "list_position(['lead', 'engaged', 'mql', 'sql', 'customer'], {0})"


def _empty(rows: Rows, sql: str) -> None:
    found = rows(sql)
    assert not found, found[:3]


def _share(rows: Rows, sql: str) -> float:
    value = rows(sql)[0][0]
    assert isinstance(value, float), value
    return value


def test_it_holds_leads_programs_members_and_activities_and_nothing_else(rows: Rows) -> None:
    tables = ("account", "person", "deal", "user", "product", "campaign", "campaign_member", "activity")
    held = {
        table: {str(name) for (name,) in rows(f"select distinct object from company.{table}_versions where instance = 'marketo'")}
        for table in tables
    }  # fmt: skip
    assert held == {
        "account": set(), "person": {"leads"}, "deal": set(), "user": set(), "product": set(), "campaign": {"programs"},
        "campaign_member": {"program_members"}, "activity": {"activities"},
    }  # fmt: skip


def test_every_lead_is_a_person_who_lives_in_another_tool_or_was_born_here(rows: Rows) -> None:
    _empty(
        rows,
        "select entity_id from current.people where instance = 'marketo' and not is_deleted and entity_id not in"
        " (select person_entity_id from '{truth}/people.parquet')",
    )
    copied, born = rows(
        "select count(*) filter (where others), count(*) filter (where not others) from (select m.entity_id,"
        " exists (select 1 from company.person_versions as o where o.entity_id = m.entity_id and o.instance <> 'marketo'"
        f" and o.created_at <= m.created_at) as others from (select entity_id, min(created_at) as created_at from {_LEADS}"
        " group by 1) as m)"
    )[0]
    assert isinstance(copied, int) and isinstance(born, int) and copied > 150 and born > 80


def test_who_was_born_here_is_never_in_hubspot_and_in_salesforce_only_when_qualified(rows: Rows) -> None:
    born = f"""
        (select entity_id from {_LEADS} group by 1 having min(created_at) <= all (
            select created_at from company.person_versions as o where o.entity_id = any_value(person_versions.entity_id)))
    """
    _empty(rows, f"select entity_id from company.person_versions where instance = 'hubspot' and entity_id in {born}")
    _empty(
        rows,
        f"select entity_id, min(created_at) from company.person_versions where object = 'Lead' and entity_id in {born}"
        " and entity_id not in (select entity_id from company.person_versions where instance = 'marketo'"
        " and stage in ('mql', 'sql', 'customer')) group by 1",
    )
    assert rows(f"select 1 from company.person_versions where object = 'Lead' and entity_id in {born} limit 1")


def test_most_leads_that_salesforce_knows_carry_its_id_and_those_of_the_west_none(rows: Rows) -> None:
    linked = _share(
        rows,
        "select avg((crm_source_id is not null)::int) from current.people where instance = 'marketo' and not is_deleted"
        " and entity_id in (select entity_id from current.people where instance = 'salesforce')"
        " and entity_id not in (select entity_id from current.people where instance = 'esales')"
        " and source_id not in (select source_id from '{truth}/records.parquet' where difficulty = 'duplicate')",
    )
    assert 0.7 < linked < 0.9
    _empty(
        rows,
        f"select * from {_LEADS} and crm_source_id is not null"
        " and entity_id in (select entity_id from current.people where instance = 'esales')",
    )
    assert rows("select 1 from current.people where object = 'leads' and entity_id in"
                " (select entity_id from current.people where instance = 'esales') limit 1")  # fmt: skip


@pytest.mark.parametrize("seed", [5, 7])  # in both somebody's colleague buys before they are qualified themselves
def test_a_lead_starts_as_lead_and_its_stage_never_goes_back(seed: int) -> None:
    steps = f"""
        (select *, lag(stage) over known as before, row_number() over known as step from {_LEADS}
         window known as (partition by source_id order by "at"))
    """
    cursor = build(seed, "small").cursor()
    back = f"{_RANK.format('stage')} < {_RANK.format('before')} and before <> 'disqualified'"
    for wrong in ("step = 1 and stage <> 'lead'", back):
        assert not cursor.execute(f"select * from {steps} where {wrong}").fetchall(), wrong
    jump = f"select 1 from {steps} where before = 'lead' and stage in ('mql', 'sql') limit 1"
    assert cursor.execute(jump).fetchall(), "a late copy jumps"


@pytest.mark.parametrize("tool", ["marketo", "kintone"])
def test_no_touch_is_noted_on_a_copy_that_will_be_deleted(tool: str) -> None:
    world = make_world(7, "small")
    presence = decide(world)
    decide_later(world, presence)
    drawn = make_touches(world, presence)
    place = TOOLS.index(tool)
    before = place_later(world, presence, drawn)
    some = {int(person) for person in before.person[before.tool == place][::3]}
    for person in some:
        presence.people[person].gone[tool] = END
    after = place_later(world, presence, drawn)
    left = {
        int(person) for person in after.person[(after.tool == place) & (_drawn_elsewhere(presence, after.person, tool))]
    }
    assert some and not left & some
    assert len(after.person) == len(before.person)


def _drawn_elsewhere(presence: Presence, person: Ints, tool: str) -> NDArray[np.bool_]:
    """Whose touches need not be here; who was born in the tool has no other one at first."""
    return np.array([presence.people[index].born != tool for index in person.tolist()])


def test_a_score_changes_with_the_stage_and_without_it(rows: Rows) -> None:
    steps = f"""
        (select *, lag(stage) over known as stage_before, lag(score) over known as score_before from {_LEADS}
         window known as (partition by source_id order by "at"))
    """
    assert rows(f"select 1 from {steps} where stage <> stage_before and score > score_before limit 1")
    assert rows(f"select 1 from {steps} where stage = stage_before and score <> score_before limit 1")
    _empty(rows, f"select * from {_LEADS} and (score is null or score < 0 or score > 100)")


def test_duplicates_are_merged_and_their_activities_stay_on_them() -> None:
    chained = merged = moved = 0
    for seed in (3, 11, 23):
        cursor = build(seed, "small").cursor()
        gone = (
            "(select source_id, merged_into_source_id as winner from company.person_versions where instance = 'marketo'"
        )
        gone += " and merged_into_source_id is not null)"
        for sql, into in (
            (f"select count(*) from {gone}", "merged"),
            (f"select count(*) from {gone} as a join {gone} as b on b.source_id = a.winner", "chained"),
            (
                f"select count(*) from company.activity_versions where instance = 'marketo' and person_source_id in"
                f" (select source_id from {gone})",
                "moved",
            ),
        ):
            count = (cursor.execute(sql).fetchone() or (0,))[0]
            merged, chained, moved = (
                merged + count * (into == "merged"), chained + count * (into == "chained"), moved + count * (into == "moved")
            )  # fmt: skip
    assert merged > 15 and chained > 0 and moved > 0


def test_deleted_leads_leave_neither_activities_nor_memberships(rows: Rows) -> None:
    deleted = f"(select source_id from {_LEADS} and is_deleted and merged_into_source_id is null)"
    assert rows(f"select 1 from {deleted} limit 1")
    _empty(
        rows, f"select * from company.activity_versions where instance = 'marketo' and person_source_id in {deleted}"
    )
    _empty(
        rows,
        f"select * from company.campaign_member_versions where instance = 'marketo' and person_source_id in {deleted}",
    )


def test_activities_never_change_and_are_noted_when_they_happen(rows: Rows) -> None:
    activities = "company.activity_versions where instance = 'marketo'"
    _empty(rows, f"select source_id from {activities} group by 1 having count(*) > 1")
    _empty(rows, f'select * from {activities} and (is_deleted or occurred_at <> created_at or "at" <> created_at)')
    kinds = {str(kind) for (kind,) in rows(f"select distinct kind from {activities}")}
    assert kinds == {"web_visit", "form", "email", "email_open", "email_click", "seminar"}
    _empty(rows, f"select * from {activities} and (kind = 'email') <> (direction = 'outbound')")


def test_what_only_marketo_can_note_is_in_the_truth_with_its_channel(rows: Rows) -> None:
    shown = rows(
        "select kind, count(*) from current.activities where instance = 'marketo'"
        " and kind in ('web_visit', 'email_open', 'email_click', 'seminar') group by 1 order by 1"
    )
    told = rows(
        "select kind, count(*) from '{truth}/touches.parquet'"
        " where kind in ('web_visit', 'email_open', 'email_click', 'seminar') group by 1 order by 1"
    )
    assert shown == told and all(isinstance(count, int) and count > 30 for _, count in told)
    channels = rows(
        "select distinct kind, channel from '{truth}/touches.parquet' where kind in ('email_open', 'web_visit')"
    )
    assert sorted(channels) == [("email_open", "newsletter"), ("web_visit", "website")]


def test_a_member_has_attended_if_there_is_a_seminar_of_that_program(rows: Rows) -> None:
    attended = "select distinct campaign_source_id, entity_id.split(':')[1] from current.campaign_members where status = 'Attended'"
    did = (
        "select distinct a.campaign_source_id, p.entity_id from current.activities as a join current.people as p"
        " on p.instance = a.instance and p.source_id = a.person_source_id"
        " where a.kind = 'seminar' and a.campaign_source_id is not null"
    )
    assert rows(attended)
    _empty(rows, f"({attended}) except ({did})")
    _empty(rows, f"({did}) except ({attended})")
    _empty(
        rows,
        "select * from current.campaign_members where instance = 'marketo'"
        " and (responded_at is not null) <> (status in ('Attended', 'Clicked', 'Downloaded'))",
    )


def test_synced_programs_are_the_campaign_that_they_name(rows: Rows) -> None:
    _empty(
        rows,
        "select p.source_id from current.campaigns as p left join current.campaigns as c"
        " on c.instance = 'salesforce' and c.source_id = p.crm_source_id and c.entity_id = p.entity_id"
        " where p.instance = 'marketo' and p.crm_source_id is not null and c.source_id is null",
    )
    assert rows("select 1 from current.campaigns where instance = 'marketo' and crm_source_id is null limit 1")
    _empty(
        rows,
        "select entity_id from current.campaigns where instance = 'marketo' and crm_source_id is null and entity_id in"
        " (select entity_id from current.campaigns where instance = 'salesforce')",
    )


def test_ids_follow_the_order_of_creation(rows: Rows) -> None:
    for table in ("person", "campaign", "activity"):
        _empty(
            rows,
            "select * from (select created_at, max(created_at) over (order by source_id::bigint rows between unbounded"
            f" preceding and 1 preceding) as before from company.{table}_versions where instance = 'marketo')"
            " where created_at < before",
        )
