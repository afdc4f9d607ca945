"""What a person said of two records goes before keys and links, touches only what it names, and can be taken back."""

from __future__ import annotations

import random
from collections.abc import Iterator

import duckdb
import pytest

from orchestration.identity import tables as identity_tables
from orchestration.identity.overrides import TABLE
from orchestration.identity.partition import partition
from tests.orchestration.identity.test_resolve import Warehouse

NUMBER = "7000012050002"


class Told(Warehouse):
    """A warehouse in which a person says which records are the same."""

    def __init__(self) -> None:
        super().__init__()
        self.con.execute(
            f"create table canonical.{TABLE} (entity_type varchar, record_key varchar, other_key varchar, "
            "decision varchar, note varchar, record_name varchar, other_name varchar)"
        )

    def say(self, decision: str, one: str, other: str, entity_type: str = "account") -> None:
        self.con.execute(
            f"insert into canonical.{TABLE} (entity_type, record_key, other_key, decision) values (?, ?, ?, ?)",
            [entity_type, one, other, decision],
        )

    def take_back(self) -> None:
        self.con.execute(f"delete from canonical.{TABLE}")

    def reasons(self) -> list[str]:
        return [row[3] for row in sorted(self.history(), key=lambda row: row[4])]


@pytest.fixture
def house() -> Iterator[Told]:
    told = Told()
    for key, day in (("sf:1", 1), ("hs:1", 2), ("es:1", 3)):
        told.put("canonical_account", key, day, name="山田製作所", corporate_number=NUMBER)
    told.put("canonical_account", "sf:9", 4, name="Sato")
    told.put("canonical_account", "hs:9", 5, name="Suzuki")
    told.run()
    yield told


ALL = [["es:1", "hs:1", "sf:1"], ["hs:9"], ["sf:9"]]


def test_two_records_are_held_together_whatever_their_keys_say(house: Told) -> None:
    house.say("same", "sf:9", "hs:9")
    assert house.run().touched_records == 2
    assert house.groups("account") == [["es:1", "hs:1", "sf:1"], ["hs:9", "sf:9"]]
    assert house.reasons() == ["merge: override"]
    matched = dict(house.con.execute("select record_key, matched_by from identity.clusters").fetchall())
    assert (matched["sf:9"], matched["es:1"]) == ("override", "corporate_number")


def test_two_records_are_kept_apart_and_the_third_stays_with_one_of_them(house: Told) -> None:
    house.say("not_same", "es:1", "sf:1")
    house.run()
    assert house.groups("account") == [["es:1", "hs:1"], ["hs:9"], ["sf:1"], ["sf:9"]]
    assert house.reasons() == ["split: override"]


def test_those_that_lose_the_middle_of_their_group_stay_together(house: Told) -> None:
    house.say("not_same", "es:1", "hs:1")  # es:1 is the middle of the group's star
    house.say("not_same", "sf:1", "es:1")
    house.run()
    assert house.groups("account") == [["es:1"], ["hs:1", "sf:1"], ["hs:9"], ["sf:9"]]


def test_an_override_taken_back_gives_the_pair_back_to_the_rules(house: Told) -> None:
    house.say("not_same", "es:1", "sf:1")
    house.say("same", "sf:9", "hs:9")
    house.run()
    house.take_back()
    house.run()
    assert house.groups("account") == ALL
    assert sorted(house.reasons()) == [
        "merge: override",
        "merge: override removed",
        "split: override",
        "split: override removed",
    ]
    assert house.rows("identity.kept_apart") == []


def test_what_a_tool_merged_can_be_kept_apart(house: Told) -> None:
    house.put("canonical_account", "hs:9", 5, name="Suzuki", merged_into_key="sf:9")
    house.run()
    assert ["hs:9", "sf:9"] in house.groups("account")
    house.say("not_same", "hs:9", "sf:9")
    house.run()
    assert house.groups("account") == ALL
    assert house.con.execute(
        "select distinct matched_by from identity.clusters where record_key = 'hs:9'"
    ).fetchone() == ("single",)


def test_an_override_touches_nothing_but_what_hangs_together_with_its_records(house: Told) -> None:
    for number in range(50):
        house.put("canonical_account", f"sf:n{number}", 6, name=f"Firm {number}")
    house.run()
    house.say("not_same", "es:1", "sf:1")
    assert house.run().changed_records == 0
    assert house.con.execute("select count(*) from members").fetchone() == (3,)
    assert house.run().touched_records == 0


def test_a_record_that_is_not_there_is_passed_over_until_it_comes(house: Told) -> None:
    house.say("same", "sf:9", "kt:1")
    house.say("same", "sf:9", "hs:1", entity_type="person")
    house.run()
    assert house.groups("account") == ALL
    house.put("canonical_account", "kt:1", 9, name="佐藤")
    house.run()
    assert ["kt:1", "sf:9"] in house.groups("account")


def test_a_weaker_match_does_not_bring_together_over_others_what_is_kept_apart(house: Told) -> None:
    house.say("not_same", "sf:9", "es:1")
    house.link("sf:9", "hs:9", "cross_reference")
    house.put("canonical_account", "hs:9", 5, name="Suzuki", corporate_number=NUMBER)
    house.run()
    assert house.groups("account") == [
        ["es:1", "hs:1", "sf:1"],
        ["hs:9", "sf:9"],
    ]  # the link is stronger than the number


def test_what_a_pair_kept_apart_held_off_comes_together_when_the_pairs_side_lets_go(house: Told) -> None:
    house.put("canonical_account", "hs:9", 5, name="Suzuki", corporate_number="1010001112577")
    house.put("canonical_account", "kt:1", 6, name="Suzuki", corporate_number="1010001112577")
    house.put("canonical_account", "kt:2", 7, name="Tanaka")
    house.link("sf:9", "hs:9", "cross_reference")
    house.link("kt:1", "kt:2", "cross_reference")
    house.say("not_same", "sf:9", "kt:2")
    house.run()
    assert ["hs:9", "sf:9"] in house.groups("account") and ["kt:1", "kt:2"] in house.groups("account")
    house.con.execute("delete from canonical.canonical_record_link where record_key = 'sf:9'")
    house.run()
    assert ["hs:9", "kt:1", "kt:2"] in house.groups("account") and ["sf:9"] in house.groups("account")


STATE = ("identity.clusters", "identity.matches", "identity.kept_apart")


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_overrides_and_records_ends_where_a_full_run_begins(seed: int) -> None:
    chance, told = random.Random(seed), Told()
    keys = [f"{tool}:{number}" for tool in ("sf", "hs", "es") for number in range(8)]
    for _ in range(9):
        for key in chance.sample(keys, 4):
            number = chance.choice([None, NUMBER, "1010001112577"])
            told.put(
                "canonical_account", key, chance.randrange(1, 28), name=chance.choice("ABC"), corporate_number=number
            )
        if chance.random() < 0.3:
            told.take_back()
        for _ in range(chance.randrange(4)):
            told.say(chance.choice(["not_same", "not_same", "same"]), *chance.sample(keys, 2))
        if chance.random() < 0.4:
            told.link(*chance.sample(keys, 2), "cross_reference")
        told.run()
    before = {name: told.rows(name) for name in STATE}
    told.run(full=True)
    assert {name: told.rows(name) for name in STATE} == before
    assert set(identity_tables.TABLES) >= {name.split(".")[1] for name in STATE}


def test_parts_do_not_depend_on_the_order_of_matches() -> None:
    matches = [("email", "x", "a", other, 1.0) for other in "bcd"] + [("link", "", "c", "e", 1.0)]
    chance = random.Random(3)
    found = []
    for _ in range(20):
        chance.shuffle(matches)
        found.append(partition(matches, [("d", "a"), ("b", "e")], ["link", "email"], ["email"]))
    assert all(sorted(one) == sorted(found[0]) for one in found)
    with duckdb.connect() as con:
        con.execute("create table held (rule varchar, evidence varchar, l varchar, r varchar, p double)")
        con.executemany("insert into held values (?, ?, ?, ?, ?)", found[0])
        assert con.execute("select count(*) from held where (l, r) in (('a', 'd'), ('b', 'e'))").fetchone() == (0,)
