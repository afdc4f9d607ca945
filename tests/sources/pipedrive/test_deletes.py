"""Landed syncs of the account: what is gone, what comes back, and that an unchanged account adds nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sources.demo.company import Company
from sources.pipedrive import VENDOR
from tests.faults.home import Home
from tests.sources.pipedrive.account import Served

STREAMS = ["persons", "deals", "stages", "products", "deal_products"]


@pytest.fixture
def home(served: Served, tmp_path: Path) -> Home:
    """A home that has read everything once. The account's own clock stands still: items are changed by hand."""
    home = Home(tmp_path / "home", VENDOR, served.company.now, served.config, "pipedrive")
    home.sync(streams=STREAMS)
    return home


def tombstones(home: Home, table: str) -> list[str]:
    return [row[0] for row in home.rows(f"select id from {table} where _deleted order by id")]


def test_an_unchanged_account_adds_nothing(home: Home) -> None:
    counts = "select (select count(*) from persons), (select count(*) from deals), (select count(*) from stages)"
    before = home.rows(counts + ", (select count(*) from products), (select count(*) from deal_products)")
    home.later(hours=24)
    home.sync(streams=STREAMS)
    assert home.rows(counts + ", (select count(*) from products), (select count(*) from deal_products)") == before


def test_what_is_gone_is_found_by_the_next_sweep_and_a_deleted_deal_says_so_at_once(
    home: Home, company: Company
) -> None:
    held = company.cursor()
    (deal,) = held.execute("select min(id) from account_pipedrive.deals where not is_deleted").fetchall()[0]
    (person,) = held.execute("select min(id) from account_pipedrive.persons where not is_deleted").fetchall()[0]
    (line,) = held.execute("select min(id) from account_pipedrive.deal_products").fetchall()[0]
    known = tombstones(home, "deals")
    held.execute(
        "update account_pipedrive.deals set is_deleted = true, status = 'deleted', update_time = ? where id = ?",
        [company.now.replace(tzinfo=None) + timedelta(hours=1), deal],
    )
    held.execute("update account_pipedrive.persons set is_deleted = true where id = ?", [person])
    held.execute("delete from account_pipedrive.deal_products where id = ?", [line])
    home.later(hours=2)
    home.sync(streams=STREAMS)
    assert set(tombstones(home, "deals")) - set(known) == {str(deal)}
    assert home.rows(f"select title is not null from deals where _deleted and id = '{deal}'") == [(True,)]
    assert tombstones(home, "persons") == tombstones(home, "deal_products") == [], "a sweep is due after twenty hours"
    home.later(hours=22)
    home.sync(streams=STREAMS)
    assert tombstones(home, "persons") == [str(person)]
    assert tombstones(home, "deal_products") == [str(line)]
