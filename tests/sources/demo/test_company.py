"""The company is a pure function of seed and scale, and its clock only ever adds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sources.demo.company import COMPANY_START_NOW, Company, build
from sources.demo.simulate import simulate
from sources.demo.tables import CURRENT_NAME, TABLES, TARGET

# column → the table it points into
REFERENCES = {
    "account_source_id": "account_versions",
    "parent_source_id": None,
    "owner_source_id": "user_versions",
    "changed_by_source_id": "user_versions",
    "user_source_id": "user_versions",
    "manager_source_id": "user_versions",
    "role_source_id": "role_versions",
    "deal_source_id": "deal_versions",
    "product_source_id": "product_versions",
    "campaign_source_id": "campaign_versions",
    "person_source_id": "person_versions",
    "converted_account_source_id": "account_versions",
    "converted_contact_source_id": "person_versions",
    "converted_opportunity_source_id": "deal_versions",
    "merged_into_source_id": None,
}


def test_the_same_seed_gives_the_same_tables_and_another_seed_others() -> None:
    one, two, other = simulate(3, "small"), simulate(3, "small"), simulate(4, "small")
    for name in [*TABLES, "target"]:
        assert one.tools[name].equals(two.tools[name]), name
    for name, table in one.truth.items():
        assert table.equals(two.truth[name]), name
    assert not one.tools["deal_versions"].equals(other.tools["deal_versions"])
    assert not one.tools["person_versions"].equals(other.tools["person_versions"])


def test_tables_have_the_published_columns_and_types(company: Company) -> None:
    for name, schema in TABLES.items():
        table = company.cursor().execute(f"select * exclude (until) from company.{name} limit 0").to_arrow_table()
        assert table.schema.names == schema.names, name
        assert [str(field.type) for field in table.schema] == [str(field.type) for field in schema], name
    assert (
        company.cursor().execute("select * from company.target limit 0").to_arrow_table().schema.names == TARGET.names
    )


def test_small_builds_in_under_four_seconds() -> None:
    started = time.process_time()
    build(5, "small")
    assert time.process_time() - started < 4.0


def test_advancing_only_adds_versions_and_moves_every_view() -> None:
    moved = build(3, "small")
    before = {
        name: set(moved.cursor().execute(f'select instance, object, source_id, "at" from visible.{name}').fetchall())
        for name in TABLES
    }
    old = moved.now
    assert moved.advance(7) == old + timedelta(days=7) == moved.now
    added = 0
    for name in TABLES:
        after = set(moved.cursor().execute(f'select instance, object, source_id, "at" from visible.{name}').fetchall())
        assert before[name] <= after, name
        fresh = after - before[name]
        assert all(at > old.replace(tzinfo=None) for *_, at in fresh), name
        added += len(fresh)
    assert added > 100


def test_the_clock_never_goes_back() -> None:
    moved = build(3, "small")
    with pytest.raises(ValueError, match="never goes back"):
        moved.advance(-1)
    assert moved.now == COMPANY_START_NOW


def test_the_hidden_future_is_in_no_view(company: Company) -> None:
    now = company.now.replace(tzinfo=None)
    for name, short in CURRENT_NAME.items():
        for view in (f"visible.{name}", f"current.{short}"):
            newest, created = (
                company.cursor().execute(f'select max("at"), max(created_at) from {view}').fetchone() or ()
            )
            assert newest <= now and created <= now, view
    assert company.cursor().execute('select count(*) from company.deal_versions where "at" > ?', [now]).fetchone() != (
        0,
    )


def test_a_view_of_the_current_shows_one_version_per_record_and_the_newest(company: Company) -> None:
    for name, short in CURRENT_NAME.items():
        wrong = (
            company.cursor()
            .execute(
                f'with newest as (select instance, object, source_id, max("at") as "at" from visible.{name} group by all)'
                f" select count(*), (select count(*) from newest), (select count(*) from newest join current.{short}"
                f' using (instance, object, source_id, "at")) from current.{short}'
            )
            .fetchone()
        )
        assert wrong is not None and len(set(wrong)) == 1, (name, wrong)


@pytest.mark.parametrize("name", TABLES)
def test_every_reference_exists_when_it_is_written(company: Company, name: str) -> None:
    for column in TABLES[name].names:
        if not column.endswith("_source_id") or column == "crm_source_id":
            continue
        into = REFERENCES[column] or name
        same_object = " and r.object = v.person_object" if "person_object" in TABLES[name].names else ""
        same_object = same_object if column == "person_source_id" else ""
        missing = (
            company.cursor()
            .execute(
                f"select count(*) from company.{name} as v left join (select instance, object, source_id,"
                f' min("at") as since from company.{into} group by all) as r'
                f" on r.instance = v.instance and r.source_id = v.{column}{same_object}"
                f' where v.{column} is not null and (r.since is null or r.since > v."at")'
            )
            .fetchone()
        )
        assert missing == (0,), column


@pytest.mark.parametrize("name", ["account_versions", "person_versions", "deal_versions"])
def test_every_cross_reference_names_a_salesforce_record_that_exists(company: Company, name: str) -> None:
    found = (
        company.cursor()
        .execute(
            f"select count(*), count(r.source_id) from company.{name} as v left join (select source_id, entity_id,"
            f""" min("at") as since from company.{name} where instance = 'salesforce' group by all) as r"""
            f' on r.source_id = v.crm_source_id and r.entity_id = v.entity_id and r.since <= v."at"'
            f" where v.crm_source_id is not null"
        )
        .fetchone()
    )
    assert found is not None and found[0] == found[1] > 0


def test_versions_of_a_record_differ_in_their_instant_and_nothing_follows_a_deletion(company: Company) -> None:
    for name in TABLES:
        key = "instance, object, source_id"
        doubled = f'select count(*) from (select {key}, "at" from company.{name} group by all having count(*) > 1)'
        after = f"select count(*) from company.{name} where is_deleted and until is not null"
        early = f'select count(*) from company.{name} where "at" < created_at'
        entities = (
            f"select count(*) from (select {key} from company.{name} group by all having count(distinct entity_id) > 1)"
        )
        for sql in (doubled, after, early, entities):
            assert company.cursor().execute(sql).fetchone() == (0,), (name, sql)


def test_merges_lead_to_a_record_that_lives_or_goes_on_to_another(company: Company) -> None:
    for table in ("account_versions", "person_versions"):
        chains = (
            company.cursor()
            .execute(
                f"""
            with gone as (select instance, object, source_id, merged_into_source_id as into_id, "at"
                          from company.{table} where merged_into_source_id is not null)
            select count(*), count(*) filter (where w."at" < g."at") from gone as g
            join gone as w on w.instance = g.instance and w.object = g.object and w.source_id = g.into_id
            """
            )
            .fetchone()
        )
        assert chains is not None and chains[0] > 0 and chains[1] == 0, (table, chains)


def test_cursors_serve_many_threads(company: Company) -> None:
    def count(_: int) -> int:
        found = company.cursor().execute("select count(*) from current.people where not is_deleted").fetchone()
        return 0 if found is None else int(found[0])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(count, range(40)))) == 1
