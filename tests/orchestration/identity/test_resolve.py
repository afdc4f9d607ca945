"""Identity over small canonical tables: what joins, what does not, and that increments end where a full run ends."""

from __future__ import annotations

import random
from typing import Any

import duckdb
import pytest

from orchestration.identity import clear_changed, ensure_tables, resolve
from orchestration.identity import tables as identity_tables

COMMON = (
    "record_key varchar, source_system varchar, vendor varchar, source_object varchar, source_id varchar, "
    "created_at timestamp, updated_at timestamp, is_deleted boolean, deleted_at timestamp, merged_into_key varchar, "
    "record_url varchar, extra_columns varchar, load_id varchar, load_seq bigint"
)
CANONICAL = {
    "canonical_account": "name varchar, domain varchar, website varchar, corporate_number varchar",
    "canonical_person": (
        "full_name varchar, family_name varchar, given_name varchar, family_kana varchar, given_kana varchar, "
        "email varchar, converted_to_key varchar"
    ),
    "canonical_opportunity": "mirror_of_key varchar",
    "canonical_campaign": "name varchar",
    "canonical_interaction": "subject varchar",
    "canonical_sales_user": "name varchar, email varchar, is_current boolean, valid_from timestamp",
}
NUMBER = "7000012050002"


class Warehouse:
    """Canonical tables in memory, with `put` for a new version of a record and `run` for one run of identity."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(
            "attach ':memory:' as raw; create schema raw.ledger; create schema canonical; create schema run"
        )
        self.con.execute(
            "create table raw.ledger.identity_history (entity_type varchar, old_entity_id varchar, "
            "new_entity_id varchar, changed_at timestamptz, reason varchar, run_seq bigint)"
        )
        for table, columns in CANONICAL.items():
            self.con.execute(f"create table canonical.{table} ({COMMON}, {columns})")
        self.con.execute(
            "create table canonical.canonical_record_link (record_key varchar, linked_key varchar, kind varchar, "
            "source_system varchar, load_seq bigint)"
        )
        self.con.execute("create table canonical.canonical_opportunity_version (record_key varchar, load_seq bigint)")
        self.con.execute("create table run.context (as_of timestamp, since_seq bigint, through_seq bigint)")
        self.seq = 0
        ensure_tables(self.con)

    def put(self, table: str, key: str, day: int | None = 1, **columns: Any) -> str:
        self.con.execute(f"delete from canonical.{table} where record_key = ?", [key])
        values = {
            "record_key": key,
            "source_system": key.partition(":")[0],
            "source_object": table,
            "source_id": key.rpartition(":")[2],
            "created_at": None if day is None else f"2025-01-{day:02d}",
            "load_seq": self.seq + 1,
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        self.con.execute(f"insert into canonical.{table} ({names}) values ({marks})", list(values.values()))
        return key

    def link(self, record: str, linked: str, kind: str) -> None:
        self.con.execute(
            "insert into canonical.canonical_record_link values (?, ?, ?, 'x', ?)", [record, linked, kind, self.seq + 1]
        )

    def run(self, *, full: bool = False) -> Any:
        self.seq += 1
        self.con.execute("delete from run.context")
        self.con.execute(
            "insert into run.context values (timestamp '2025-06-01' + to_days(?::int), ?, ?)",
            [self.seq, self.seq - 1, self.seq],
        )
        return resolve(self.con, full=full)

    def groups(self, entity_type: str) -> list[list[str]]:
        rows = self.con.execute(
            "select list(record_key order by record_key) from identity.clusters where entity_type = ? "
            "group by entity_id order by 1",
            [entity_type],
        ).fetchall()
        return [row[0] for row in rows]

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.con.execute(f"select * from {table} order by all").fetchall()

    def history(self) -> list[tuple[Any, ...]]:
        return self.con.execute(
            "select entity_type, old_entity_id, new_entity_id, reason, run_seq from raw.ledger.identity_history order by all"
        ).fetchall()


@pytest.fixture
def house() -> Warehouse:
    return Warehouse()


def test_equal_corporate_numbers_join_whatever_the_names_say(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", name="株式会社山田製作所", corporate_number=NUMBER)
    house.put("canonical_account", "hs:1", name="旧社名工業㈱", corporate_number="T" + NUMBER)
    house.put("canonical_account", "hs:2", name="株式会社山田製作所", corporate_number="7000012050003")
    house.run()
    assert house.groups("account") == [["hs:1", "sf:1"], ["hs:2"]]


def test_a_branch_with_its_companys_number_is_linked_to_the_head_office_and_not_joined(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", name="株式会社山田製作所", corporate_number=NUMBER)
    house.put("canonical_account", "sf:2", name="株式会社山田製作所 大阪支店", corporate_number=NUMBER)
    house.put("canonical_account", "es:1", name="山田製作所㈱大阪支店", corporate_number=NUMBER)
    house.run()
    assert house.groups("account") == [["es:1", "sf:2"], ["sf:1"]]
    assert house.rows("identity.branch_links") == [("es:1", "sf:1", NUMBER), ("sf:2", "sf:1", NUMBER)]


def test_a_company_domain_joins_only_with_the_same_name(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", name="Yamada Co., Ltd.", website="https://www.yamada.co.jp/en")
    house.put("canonical_account", "hs:1", name="YAMADA K.K.", domain="yamada.co.jp")
    house.put("canonical_account", "hs:2", name="Yamada Logistics Inc.", domain="yamada.co.jp")
    house.put("canonical_account", "hs:3", name="Sato", domain="gmail.com")
    house.put("canonical_account", "hs:4", name="Sato", domain="gmail.com")
    house.run()
    assert house.groups("account") == [["hs:1", "sf:1"], ["hs:2"], ["hs:3"], ["hs:4"]]


def test_one_address_joins_spellings_of_one_name(house: Warehouse) -> None:
    house.put(
        "canonical_person",
        "sf:1",
        full_name="山田 太郎",
        email="Taro@yamada.co.jp",
        family_kana="ヤマダ",
        given_kana="タロウ",
    )
    house.put("canonical_person", "hs:1", full_name="Taro YAMADA", email="taro+news@yamada.co.jp")
    house.put("canonical_person", "hs:2", full_name=None, email="taro@yamada.co.jp")
    house.run()
    assert house.groups("person") == [["hs:1", "hs:2", "sf:1"]]


def test_one_address_with_clearly_different_names_joins_only_equal_names(house: Warehouse) -> None:
    for key, name in [("sf:1", "山田 太郎"), ("hs:1", "山田太郎"), ("hs:2", "佐藤 花子"), ("hs:3", None)]:
        house.put("canonical_person", key, full_name=name, email="office.a@yamada.co.jp")
    house.run()
    assert house.groups("person") == [["hs:1", "sf:1"], ["hs:2"], ["hs:3"]]
    assert house.con.execute("select reason, record_count from identity.held_back").fetchall() == [
        ("clearly different names", 4)
    ]


def test_a_desks_mailbox_joins_nobody_without_the_same_full_name(house: Warehouse) -> None:
    for key, name in [("sf:1", "山田 太郎"), ("hs:1", "山田太郎"), ("hs:2", "山田"), ("hs:3", None)]:
        house.put("canonical_person", key, full_name=name, email="info@yamada.co.jp")
    house.run()
    assert house.groups("person") == [["hs:1", "sf:1"], ["hs:2"], ["hs:3"]]


def test_a_persons_shared_address_is_not_judged_by_the_users_of_the_tool(house: Warehouse) -> None:
    house.put("canonical_person", "sf:1", full_name="山田 太郎", email="a@yamada.co.jp")
    house.put("canonical_person", "hs:1", full_name="山田 太郎", email="a@yamada.co.jp")
    house.put("canonical_sales_user", "sf:u1", name="佐藤 花子", email="a@yamada.co.jp")
    house.put("canonical_sales_user", "hs:u1", name="佐藤花子", email="A@yamada.co.jp")
    house.run()
    assert house.groups("person") == [["hs:1", "sf:1"]]
    assert house.groups("user") == [["hs:u1", "sf:u1"]]


def test_chained_merges_end_in_one_entity_even_when_a_loser_is_in_no_table(house: Warehouse) -> None:
    house.put("canonical_account", "sf:A", day=3, name="A", merged_into_key="sf:B")
    house.put("canonical_account", "sf:C", day=2, name="C")
    house.link("sf:B", "sf:C", "merged")
    house.run()
    assert house.groups("account") == [["sf:A", "sf:C"]]


def test_a_link_to_another_entity_type_joins_nothing(house: Warehouse) -> None:
    house.put("canonical_account", "sf:acc")
    for lead in ("sf:l1", "sf:l2"):
        house.put("canonical_person", lead)
        house.link(lead, "sf:acc", "converted")
    house.run()
    assert house.groups("person") == [["sf:l1"], ["sf:l2"]]


def test_deals_and_activities_are_joined_by_links_alone(house: Warehouse) -> None:
    house.put("canonical_opportunity", "sf:o")
    house.put("canonical_opportunity", "hs:o", mirror_of_key="sf:o")
    house.put("canonical_interaction", "sf:t", subject="same")
    house.put("canonical_interaction", "hs:t", subject="same")
    house.run()
    assert house.groups("opportunity") == [["hs:o", "sf:o"]]
    assert house.groups("activity") == [["hs:t"], ["sf:t"]]


def test_the_entity_keeps_its_id_when_a_later_record_joins_and_history_tells_when_an_earlier_one_does(
    house: Warehouse,
) -> None:
    house.put("canonical_account", "sf:1", day=10, name="A", corporate_number=NUMBER)
    house.run()
    before = house.rows("identity.clusters")[0][2]
    house.put("canonical_account", "hs:1", day=12, name="A", corporate_number=NUMBER)
    house.run()
    assert {row[2] for row in house.rows("identity.clusters")} == {before}
    assert house.history() == []
    house.put("canonical_account", "es:1", day=2, name="A", corporate_number=NUMBER)
    house.run()
    (after,) = {row[2] for row in house.rows("identity.clusters")}
    assert house.history() == [("account", before, after, "earliest record changed", 3)]


def test_a_merge_and_a_split_are_written_once_and_a_full_refresh_writes_nothing(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", day=1, name="A")
    house.put("canonical_account", "hs:1", day=2, name="B")
    house.run()
    one, two = (row[2] for row in house.con.execute("from identity.clusters order by record_key desc").fetchall())
    house.put("canonical_account", "hs:1", day=2, name="B", corporate_number=NUMBER)
    house.put("canonical_account", "sf:1", day=1, name="A", corporate_number=NUMBER)
    house.run()
    assert house.history() == [("account", two, one, "merge: corporate_number", 2)]
    house.put("canonical_account", "hs:1", day=2, name="B")
    house.run()
    split = ("account", one, two, "split", 3)
    assert sorted(house.history()) == sorted([("account", two, one, "merge: corporate_number", 2), split])
    house.run()
    house.run(full=True)
    assert len(house.history()) == 2


def test_history_left_in_the_outbox_by_a_killed_run_reaches_the_ledger_once(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", day=1, name="A", corporate_number=NUMBER)
    house.run()
    row = "('account', 'a', 'b', timestamp '2025-06-02', 'merge', 1)"
    house.con.execute(f"insert into identity.history_outbox values {row}")
    house.con.execute(
        "insert into raw.ledger.identity_history from identity.history_outbox"
    )  # killed before the delete
    house.run()
    house.con.execute(f"insert into identity.history_outbox values {row}")
    house.run()
    assert len(house.history()) == 1
    assert house.rows("identity.history_outbox") == []


def test_changed_entities_gather_until_they_are_cleared_and_name_old_and_new_ids(house: Warehouse) -> None:
    house.put("canonical_account", "sf:1", day=1, name="A")
    house.put("canonical_account", "hs:1", day=2, name="B")
    house.put("canonical_opportunity", "sf:o")
    house.run()
    clear_changed(house.con)
    house.run()
    assert house.rows("identity.changed_entities") == []
    house.link("hs:1", "sf:1", "cross_reference")
    house.con.execute("insert into canonical.canonical_opportunity_version values ('sf:o', ?)", [house.seq + 1])
    house.run()
    house.run()
    kinds = [row[0] for row in house.rows("identity.changed_entities")]
    assert kinds == ["account", "account", "opportunity"]


def test_a_number_that_hundreds_of_records_carry_is_held_back_and_reported(house: Warehouse) -> None:
    for n in range(30):
        house.put("canonical_account", f"sf:{n}", name=f"Company {n}", corporate_number=NUMBER)
    house.run()
    assert len(house.groups("account")) == 30
    (reason,) = house.con.execute("select reason from identity.held_back").fetchone() or ("",)
    assert "30 names" in reason


NAMES = ["山田 太郎", "Taro Yamada", "佐藤 花子", "佐藤", None, "鈴木 一郎", "YAMADA Taro"]
EMAILS = ["a@yamada.co.jp", "b@yamada.co.jp", "info@yamada.co.jp", "c@gmail.com", None, "A+x@yamada.co.jp"]
COMPANIES = ["山田製作所", "㈱山田製作所", "山田製作所 大阪支店", "Sato Inc.", "佐藤工業(株)", None]
NUMBERS = [NUMBER, "4011001098993", None, None, "123"]
DOMAINS = ["yamada.co.jp", "sato.jp", None, "gmail.com"]


def _random_step(house: Warehouse, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 6)):
        system = rng.choice(["sf", "hs", "es"])
        n = rng.randint(1, 9)
        day = rng.choice([None, rng.randint(1, 28)])
        what = rng.random()
        if what < 0.35:
            house.put(
                "canonical_account", f"{system}:a{n}", day, name=rng.choice(COMPANIES), domain=rng.choice(DOMAINS),
                corporate_number=rng.choice(NUMBERS),
                merged_into_key=rng.choice([None, None, None, f"{system}:a{rng.randint(1, 12)}"]),
            )  # fmt: skip
        elif what < 0.7:
            house.put(
                "canonical_person", f"{system}:p{n}", day, full_name=rng.choice(NAMES), email=rng.choice(EMAILS),
                converted_to_key=rng.choice([None, None, f"{system}:p{rng.randint(1, 9)}", f"{system}:a{n}"]),
            )  # fmt: skip
        elif what < 0.8:
            house.put("canonical_opportunity", f"{system}:o{n}", day, mirror_of_key=rng.choice([None, f"sf:o{n}"]))
        elif what < 0.9:
            kind = rng.choice(["cross_reference", "merged", "mirror", "converted"])
            entity = rng.choice("apo")
            house.link(f"{system}:{entity}{n}", f"sf:{entity}{rng.randint(1, 12)}", kind)
        elif what < 0.95:
            house.con.execute(
                "delete from canonical.canonical_record_link where hash(record_key || linked_key) % 3 = ?",
                [rng.randint(0, 2)],
            )
        else:
            house.con.execute("delete from canonical.canonical_person where record_key = ?", [f"{system}:p{n}"])


@pytest.mark.parametrize("seed", range(15))
def test_random_increments_end_in_the_same_tables_as_a_full_run(seed: int) -> None:
    rng = random.Random(seed)
    house = Warehouse()
    for _ in range(8):
        _random_step(house, rng)
        house.run()
    compared = [name for name in identity_tables.TABLES if name not in {"changed_entities", "state"}]
    before = {name: house.rows(f"identity.{name}") for name in compared}
    history = house.history()
    house.seq -= 1
    house.run(full=True)
    for name in compared:
        after = house.rows(f"identity.{name}")
        assert before[name] == after, f"identity.{name} differs for seed {seed}"
    assert house.history() == history
    assert before["clusters"], "the random increments made no record"


def test_every_record_is_in_exactly_one_cluster(house: Warehouse) -> None:
    rng = random.Random(99)
    for _ in range(20):
        _random_step(house, rng)
    house.run()
    records = sum(
        house.con.execute(f"select count(*) from canonical.{table}").fetchone()[0]  # type: ignore[index]
        for table in CANONICAL
    )
    clustered = house.con.execute("select count(*), count(distinct entity_type || record_key) from identity.clusters")
    assert clustered.fetchone() == (records, records)
