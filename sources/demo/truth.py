"""Writes the truth of the company as of its clock: Parquet files and company.json, for tests and for readers, never for the product.

It reads the simulated truth and the tool tables' own `entity_id`, and imports nothing of any vendor's sandbox.

Rules a reader needs:
- `stage_events`: one row per entry to a stage, as the deal's own tool shows it; deals deleted by now are left out. What
  the mirror in another tool shows is not repeated.
- `amounts`: one row per product line of a live deal; a deal without lines has one row, family `unallocated`, with the
  deal's amount. `close_date` is the date in the tool (the expected one while open); `is_won` is null while open.
- `touches`: forms, e-mails, calls, meetings, visits and, from Marketo, visits of pages, opened and clicked e-mails and
  seminars that have happened and are noted by now and not deleted; tasks and notes are no touches. `channel` follows from the kind (`distributions.KIND_CHANNEL`).
- `people`: live people; `is_opted_out` if any live record says so; first entry to a stage over all tools' own fields (HubSpot's lifecycle stage, Salesforce's lead status, the
  conversion, the changes of Marketo's stage field); a stage that was skipped is null; a customer also from the closing
  of a won deal in which the person takes part, if that is earlier. Contacts in Salesforce, cards in esales and contacts in kintone have no such field.
- `records`: every record of every tool that exists by now, deleted and merged ones too. `difficulty` says what makes it hard
  to join; deals of esales and kintone are `observed_only`: those tools keep no history, so stage entries between two
  reads cannot be seen by any reader, although `stage_events` has them. `deleted`: gone from a tool that shows no deleted ones
  (esales' deliveries, kintone, HubSpot's form submissions), so a reader knows it only from before. `is_decidable` as in `decidable.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from sources.demo import distributions
from sources.demo.decidable import write_decidable

if TYPE_CHECKING:
    from sources.demo.company import Company

ENTITY_TABLES = {
    "account": "accounts",
    "person": "people",
    "opportunity": "deals",
    "campaign": "campaigns",
    "activity": "activities",
    "user": "users",
}
_NOW = "(select now from company.clock)"

_STAGE_EVENTS = f"""
select opportunity_entity_id, stage, "at" as entered_at, amount, owner_entity_id
from truth.deal_states
where "at" <= {_NOW} and (deleted_at is null or deleted_at > {_NOW}) and stage is distinct from previous_stage
order by opportunity_entity_id, entered_at
"""

_AMOUNTS = f"""
with deals as (
    select opportunity_entity_id, amount, currency, close_date,
        case stage when 'won' then true when 'lost' then false end as is_won
    from truth.deal_states
    where "at" <= {_NOW} and (until is null or until > {_NOW}) and (deleted_at is null or deleted_at > {_NOW})
),
lines as (
    select opportunity_entity_id, line, product_family, amount
    from truth.lines
    where "at" <= {_NOW} and (until is null or until > {_NOW})
)
select d.opportunity_entity_id, coalesce(l.line, 1) as line, coalesce(l.product_family, 'unallocated') as product_family,
    coalesce(l.amount, d.amount) as amount, d.currency, d.close_date, d.is_won
from deals as d left join lines as l using (opportunity_entity_id)
order by 1, 2
"""

_TOUCHES = f"""
select person_entity_id, account_entity_id, occurred_at, channel, kind
from truth.touches
where known_at <= {_NOW} and (deleted_at is null or deleted_at > {_NOW})
order by occurred_at, person_entity_id, kind
"""

# A person is a customer from the earliest of: what a tool recorded, and the closing of a won deal in which they take part.
_PEOPLE = f"""
with won as (
    select opportunity_entity_id, max("at") as closed_at
    from truth.deal_states
    where "at" <= {_NOW} and stage = 'won' and previous_stage is distinct from 'won'
        and opportunity_entity_id in (
            select opportunity_entity_id from truth.deal_states
            where "at" <= {_NOW} and (until is null or until > {_NOW}) and stage = 'won'
                and (deleted_at is null or deleted_at > {_NOW})
        )
    group by opportunity_entity_id
),
bought as (
    select people.entity_id, min(won.closed_at) as closed_at
    from current.deal_people as roles
    join current.deals as deals on deals.instance = roles.instance and deals.source_id = roles.deal_source_id
    join current.people as people on people.instance = roles.instance and people.source_id = roles.person_source_id
    join won on won.opportunity_entity_id = deals.entity_id
    where not roles.is_deleted and not deals.is_deleted
    group by people.entity_id
),
live as (select distinct entity_id from current.people where not is_deleted)
select entity_id as person_entity_id, min(created_at) as created_at,
    min("at") filter (where stage = 'mql') as mql_at,
    min("at") filter (where stage = 'sql') as sql_at,
    least(min("at") filter (where stage = 'customer'), any_value(bought.closed_at)) as customer_at,
    bool_or((is_email_opted_out or is_call_opted_out) and is_newest) as is_opted_out
from (
    select v.*, not v.is_deleted and c.source_id is not null as is_newest
    from visible.person_versions as v
    left join current.people as c
        on c.instance = v.instance and c.object = v.object and c.source_id = v.source_id and c."at" = v."at"
) semi join live using (entity_id) left join bought using (entity_id)
group by entity_id
order by entity_id
"""

_ACCOUNTS = f"""
with live as (
    select entity_id, min(created_at) as created_at, string_agg(distinct instance, ',' order by instance) as source_systems
    from current.accounts where not is_deleted group by entity_id
),
closed as (
    select s.opportunity_entity_id, s.amount, s.currency, s.close_date, s.stage
    from truth.deal_states as s
    where s."at" <= {_NOW} and (s.until is null or s.until > {_NOW}) and (s.deleted_at is null or s.deleted_at > {_NOW})
),
deals as (
    select distinct d.entity_id as opportunity_entity_id, a.entity_id
    from current.deals as d
    join current.accounts as a on a.instance = d.instance and a.source_id = d.account_source_id
    where not d.is_deleted and d.crm_source_id is null
),
sums as (
    select d.entity_id, c.currency, count(*) filter (where c.stage = 'won') as won_count,
        sum(c.amount) filter (where c.stage = 'won') as won_amount,
        count(*) filter (where c.stage not in ('won', 'lost')) as open_count
    from deals as d join closed as c using (opportunity_entity_id) group by all
)
select live.entity_id as account_entity_id, live.created_at, live.source_systems, coalesce(sums.currency, '') as currency,
    coalesce(sums.won_count, 0) as won_count, coalesce(sums.won_amount, 0) as won_amount,
    coalesce(sums.open_count, 0) as open_count
from live left join sums using (entity_id)
order by 1, 4
"""


def write(company: Company, folder: Path) -> None:
    """Writes records, stage_events, amounts, touches, people, accounts (.parquet) and company.json into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    con = company.cursor()
    queries = {
        "stage_events": _STAGE_EVENTS,
        "amounts": _AMOUNTS,
        "touches": _TOUCHES,
        "people": _PEOPLE,
        "accounts": _ACCOUNTS,
        "records": _records(con),
    }
    for name, query in queries.items():
        con.execute(f"copy ({query}) to '{_quoted(folder / f'{name}.parquet')}' (format parquet)")
    (folder / "company.json").write_text(json.dumps(describe(company), ensure_ascii=False, indent=1), encoding="utf-8")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _records(con: duckdb.DuckDBPyConnection) -> str:
    """The query of `records`; builds the list of undecidable records first."""
    write_decidable(con)
    parts = [
        f"select '{kind}' as entity_type, entity_id, instance, object, source_id, is_deleted from current.{view}"
        for kind, view in ENTITY_TABLES.items()
    ]
    return f"""
    with every as ({" union all ".join(parts)})
    select e.entity_type, e.entity_id, e.instance as source_system, e.object as source_object, e.source_id,
        case when e.is_deleted and (e.instance in ('esales', 'kintone') or e.object = 'forms') then 'deleted'
            when h.difficulty is not null then h.difficulty
            when e.entity_type = 'opportunity' and e.instance in ('esales', 'kintone') then 'observed_only'
            else 'plain' end as difficulty,
        u.source_id is null as is_decidable
    from every as e
    left join truth.difficulty as h using (instance, object, source_id)
    left join undecidable as u using (instance, object, source_id)
    order by all
    """


def describe(company: Company) -> dict[str, Any]:
    """What the company was made with, for company.json."""
    rates = {
        name: sorted(value) if isinstance(value, set) else value
        for name, value in vars(distributions).items()
        if name.isupper()
    }
    return {
        "seed": company.seed,
        "scale": company.scale,
        "now": company.now.isoformat().replace("+00:00", "Z"),
        "history": {
            "salesforce": "vendor",
            "hubspot": "vendor",
            "hubspot_emea": "vendor",
            "esales": "observed: only what successive deliveries show",
            "marketo": "vendor: changes of a lead's stage and score are activities",
            "kintone": "observed: only what successive reads show",
        },
        "distributions": rates,
    }
