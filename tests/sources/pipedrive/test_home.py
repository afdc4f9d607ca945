"""A home with Pipedrive alone, by step 5 of the recipe: it syncs and builds, and the marts say what the sandbox holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources.demo.company import build
from sources.pipedrive.sandbox.rest import AccountOptions
from sources.pipedrive.sandbox.sql import DOMAIN, STAGES
from tests.end_to_end.homes import here
from tests.sources.pipedrive.account import Served, serving

pytestmark = pytest.mark.soak


@dataclass
class Published:
    """What was published, beside what the account holds (schema `account_pipedrive`)."""

    home: Path
    served: Served

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "published" / "tsunagu.duckdb"), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(query).fetchall()

    def held(self, query: str) -> list[tuple[Any, ...]]:
        return self.served.company.cursor().execute(query.replace("account.", "account_pipedrive.")).fetchall()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("pipedrive")
    home = folder / "home"
    with serving(build(7, "small"), folder, AccountOptions()) as served:
        served.expected()  # builds every table
        assert here(home, "init", "pipedrive").code == 0
        _fill(home / "tsunagu.toml", "base_url", served.address)
        _fill(home / ".dlt" / "secrets.toml", "api_token", served.config["api_token"])
        (home / "maps").mkdir(exist_ok=True)
        (home / "maps" / "field_map.csv").write_text(
            "source_system,source_object,source_field,canonical_column\n"
            f"pipedrive,organizations,{DOMAIN},account.domain\n"
        )
        for verb in ("doctor", "run"):
            ran = here(home, verb, now=served.company.now)
            assert ran.code == 0, ran.stdout + ran.stderr
        yield Published(home, served)


def _fill(path: Path, name: str, value: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert f'{name} = ""' in text, text
    path.write_text(text.replace(f'{name} = ""', f'{name} = "{value}"'), encoding="utf-8")


def test_every_deal_is_an_opportunity_with_its_stage_amount_and_owner(published: Published) -> None:
    stages = " ".join(f"when '{name}' then '{stage}'" for stage, name in STAGES)
    held = published.held(
        f"""
        select d.id::varchar, case when status = 'open' then case s.name {stages} end else status end, d.title,
            d.value::decimal(18, 2), d.currency, d.expected_close_date, d.lost_reason, u.name,
            case when d.pipeline_id = 2 then 'renewal' else 'new_business' end
        from account.deals d join account.stages s on s.id = d.stage_id left join account.users u on u.id = d.owner_id
        where not d.is_deleted order by 1
        """
    )
    found = published.rows(
        "select source_id, stage, name, amount, currency, expected_close_date, loss_reason, owner_name, pipeline_id"
        " from marts.opportunities order by 1"
    )
    assert found == held and len(found) > 200


def test_history_is_when_a_deal_was_made_moved_and_closed(published: Published) -> None:
    held = published.held(
        """
        select d.id::varchar, status, stage_change_time, close_time from account.deals d where not is_deleted order by 1
        """
    )
    found = published.rows(
        """
        select source_id, case when o.is_closed then o.stage else 'open' end,
            max(entered_at) filter (history_basis = 'observed' and h.stage not in ('won', 'lost')),
            max(entered_at) filter (h.stage in ('won', 'lost'))
        from marts.opportunities o join marts.opportunity_stage_history h using (opportunity_id) group by all order by 1
        """
    )
    assert [(a[0], a[1], a[3]) for a in found] == [(b[0], b[1], b[3]) for b in held]
    moved = {b[0]: b[2] for b in held}
    assert all(a[2] in (None, moved[a[0]]) for a in found)
    assert sum(a[2] is not None for a in found) > 100


def test_accounts_have_their_people_won_deals_and_touches(published: Published) -> None:
    held = published.held(
        """
        select o.name, count(*) filter (d.status = 'won'), coalesce(sum(d.value) filter (d.status = 'won'), 0)::decimal(18, 2),
            count(*) filter (d.status = 'open')
        from account.organizations o left join account.deals d on d.org_id = o.id and not d.is_deleted
        where not o.is_deleted group by o.id, o.name order by all
        """
    )
    found = published.rows(
        "select account_name, won_count, coalesce(won_amount, 0), open_opportunity_count, source_record_count"
        " from marts.customer_360 order by all"
    )
    assert sum(row[4] for row in found) == len(held)
    assert [sum(row[n] for row in found) for n in (1, 2, 3)] == [sum(row[n] for row in held) for n in (1, 2, 3)]
    alone = [row[:4] for row in found if row[4] == 1]
    assert Counter(alone) <= Counter(held) and len(alone) > 0.9 * len(held)
    people = published.held("select name, job_title from account.persons where not is_deleted order by all")
    assert published.rows("select full_name, job_title from marts.person_360 order by all") == people
    emails = published.held(
        "select lower(e.value) from (select unnest(emails) as e from account.persons where not is_deleted) order by 1"
    )
    assert published.rows("select lower(email) from marts.person_360 where email is not null order by 1") == emails


def test_a_custom_field_is_the_companys_domain_by_the_field_map(published: Published) -> None:
    held = {
        row[0]
        for row in published.held(f'select custom_fields."{DOMAIN}" from account.organizations where not is_deleted')
    }
    assert {row[0] for row in published.rows("select domain from marts.customer_360")} == held
    assert len(held) > 100


def test_activities_are_touches_at_their_due_time_and_lines_name_products(published: Published) -> None:
    held = published.held(
        """
        select case when done then type else 'task' end, due_date + due_time::time, subject
        from account.activities where not is_deleted order by all
        """
    )
    assert published.rows("select touch_type, occurred_at, subject from marts.touchpoints order by all") == held
    lines = published.held(
        """
        select p.name, l.quantity, l.sum::decimal(18, 2), l.billing_start_date
        from account.deal_products l join account.products p on p.id = l.product_id
        join account.deals d on d.id = l.deal_id where not d.is_deleted order by all
        """
    )
    found = published.rows(
        """
        select p.product_name, l.quantity, l.amount, l.service_start_date
        from marts.opportunity_lines l join marts.products p using (product_id) order by all
        """
    )
    assert found == lines


def test_nothing_is_unmapped_and_every_check_is_green(published: Published) -> None:
    assert published.rows("select * from marts.data_health where status <> 'ok'") == []
