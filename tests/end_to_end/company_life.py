"""What may happen to a company's records between two builds, one function a kind, written as loads into the raw log.

Each kind makes several changes of its sort in all the tools that know it, at random places. `KINDS` lists them all.
Field names and what the tools do at a merge, a delete and an undelete are in the folders of `sources/`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from tests.end_to_end.written_loads import Load, Log, Row

PORTALS = ("hubspot", "hubspot_emea")
STAMPS = {"contacts": "lastmodifieddate"}
SF_STAGES = ("Prospecting", "Qualification", "Proposal/Price Quote", "Negotiation/Review")


def hubspot(load: Load, table: str, row: Row, **changes: object) -> Row:
    """A version of a HubSpot record, changed just now."""
    return load.add(table, row, **{STAMPS.get(table, "hs_lastmodifieddate"): load.now, "archived": False, **changes})


def salesforce(load: Load, table: str, row: Row, **changes: object) -> Row:
    """A version of a Salesforce record, changed just now."""
    return load.add(table, row, **{"system_modstamp": load.now, **changes})


def esales(load: Load, table: str, row: Row, **changes: object) -> Row:
    """A version of a row of a delivered file."""
    return load.add(table, row, version_at=load.now, delivered_at=load.now, **changes)


def stage(log: Log) -> str:
    return log.chance.choice(SF_STAGES)


def text(log: Log) -> str:
    return f"{log.chance.randrange(16**8):08x}"


def history(row: Row, **entries: tuple[object, object]) -> str:
    """`properties_with_history` of a record with one more entry of some properties: (value, instant)."""
    known = json.loads(row["properties_with_history"] or "{}")
    for name, (value, instant) in entries.items():
        added = {"value": str(value), "timestamp": f"{instant:%Y-%m-%dT%H:%M:%S.000Z}", "sourceType": "CRM_UI"}
        known[name] = sorted([*known.get(name, []), added], key=lambda entry: entry["timestamp"], reverse=True)
    return json.dumps(known, separators=(",", ":"))


# kinds ----------------------------------------------------------------------------------------------------------------
def merge(log: Log) -> None:
    """Records are merged into others, and those once more: in Salesforce the loser is flagged, in HubSpot it is gone."""
    for table in ("account", "contact", "lead"):
        first, second, third = log.pick("salesforce", table, 3, "not is_deleted")
        for loser, winner in ((first, second), (second, third)):
            with log.load("salesforce") as load:
                salesforce(load, table, loser, is_deleted=True, master_record_id=winner["id"])
    for portal in PORTALS:
        for table in ("contacts", "companies", "deals"):
            first, second, third = log.pick(portal, table, 3, "hs_merged_object_ids is null")
            with log.load(portal) as load:
                hubspot(load, table, second, hs_merged_object_ids=first["id"])
                load.tombstone(table, id=first["id"])
            with log.load(portal) as load:
                ids = [second["id"], first["id"]] if log.chance.random() < 0.5 else [second["id"]]
                hubspot(load, table, third, hs_merged_object_ids=";".join(ids))
                load.tombstone(table, id=second["id"])


def split(log: Log) -> None:
    """What was one is two again: a merged record comes back, a link between two tools is taken away."""
    with log.load("salesforce") as load:
        for table in ("account", "contact", "lead"):
            for row in log.pick("salesforce", table, 3, "is_deleted and master_record_id is not null"):
                salesforce(load, table, row, is_deleted=False, master_record_id=None)
    with log.load("hubspot") as load:
        for table, link in (
            ("contacts", "salesforcecontactid"),
            ("contacts", "salesforceleadid"),
            ("companies", "salesforceaccountid"),
            ("deals", "hs_salesforceopportunityid"),
        ):
            for row in log.pick("hubspot", table, 4, f"{link} is not null"):
                hubspot(load, table, row, **{link: None})
    for portal in PORTALS:
        with log.load(portal) as load:
            for table in ("contacts", "companies", "deals"):
                for row in log.pick(portal, table, 2, "hs_merged_object_ids is not null"):
                    hubspot(load, table, row, hs_merged_object_ids=None)


def delete(log: Log) -> None:
    """Records are deleted: flagged, named by a feed, or missing in a sweep or in a full list."""
    with log.load("salesforce") as load:
        for table in ("account", "contact", "lead", "opportunity", "task", "opportunity_line_item"):
            for row in log.pick("salesforce", table, 2, "not is_deleted"):
                salesforce(load, table, row, is_deleted=True)
        for row in log.pick("salesforce", "campaign_member", 3):
            load.tombstone("campaign_member", log.between(row["created_date"]), id=row["id"])
        for table in ("opportunity_contact_role", "account_contact_relation"):
            for row in log.pick("salesforce", table, 4):
                load.tombstone(table, id=row["id"])
    for portal in PORTALS:
        with log.load(portal) as load:
            for table in ("contacts", "companies", "deals", "calls", "line_items"):
                for row in log.pick(portal, table, 2):
                    load.tombstone(table, id=row["id"])
    with log.load("esales") as load:
        for table in ("account", "person", "opportunity", "opportunity_state", "activity"):
            for row in log.pick("esales", table, 3):
                load.tombstone(table, id=row["id"])


def undelete(log: Log) -> None:
    """Deleted records come back, some unchanged (a sweep had missed them)."""
    with log.load("salesforce") as load:
        for table in ("account", "contact", "opportunity"):
            deleted = log.newest("salesforce", table, "is_deleted")
            for row in [row for row in deleted if not row.get("master_record_id")][:2]:
                salesforce(load, table, row, is_deleted=False)
    missed = {table: log.pick("hubspot", table, 2) for table in ("contacts", "deals")}
    missed_states = log.pick("esales", "opportunity_state", 2)
    with log.load("hubspot") as load, log.load("esales") as files:
        for table, rows in missed.items():
            for row in rows:
                load.tombstone(table, id=row["id"])
        for row in missed_states:
            files.tombstone("opportunity_state", id=row["id"])
    with log.load("hubspot") as load, log.load("esales") as files:
        for table, rows in missed.items():
            for row in rows:
                load.add(table, row)
        for row in missed_states:
            files.add("opportunity_state", row)


def back_dated_stage(log: Log) -> None:
    """A tool's own history tells of a stage in the past, between two others, that it had not told before."""
    with log.load("salesforce") as load:
        for rows in told_deals(log, "salesforce", "opportunity_history", "opportunity_id", "created_date"):
            at = log.between(rows[0]["created_date"], rows[-1]["created_date"])
            stamps = {"created_date": at, "system_modstamp": at}
            load.add("opportunity_history", rows[0], id=f"008{text(log)}", stage_name=stage(log), **stamps)
    for portal in PORTALS:
        with log.load(portal) as load:
            for deal in log.pick(portal, "deals", 3, "length(properties_with_history) > 10"):
                entries = json.loads(deal["properties_with_history"])["dealstage"]
                first, last = (datetime.fromisoformat(entries[place]["timestamp"]) for place in (-1, 0))
                told = history(deal, dealstage=(log.chance.choice(entries)["value"], log.between(first, last)))
                hubspot(load, "deals", deal, properties_with_history=told)
    with log.load("esales") as load:
        for rows in told_deals(log, "esales", "opportunity_state", "opportunity_ref", "entered_at"):
            at = log.between(rows[0]["entered_at"], rows[-1]["entered_at"])
            number = f"{rows[0]['source_id']}-{text(log)}"
            stamps = {"entered_at": at, "version_at": at, "delivered_at": load.now}
            load.add("opportunity_state", rows[0], id=f"progress_report|{number}", source_id=number, **stamps)


def told_deals(log: Log, instance: str, table: str, deal: str, stamp: str) -> list[list[Row]]:
    """Histories of three deals with more than one entry, each with its oldest entry first."""
    histories: dict[str, list[Row]] = {}
    for row in log.newest(instance, table):
        histories.setdefault(row[deal], []).append(row)
    long = [sorted(rows, key=lambda row: row[stamp]) for rows in histories.values() if len(rows) > 1]
    return log.chance.sample(long, 3)


def change_of_owner(log: Log) -> None:
    """Deals and accounts go to other people, and people to other teams."""
    users = [row["id"] for row in log.newest("salesforce", "user")]
    with log.load("salesforce") as load:
        for row in log.pick("salesforce", "account", 4, "not is_deleted"):
            salesforce(load, "account", row, owner_id=log.chance.choice(users))
        for row in log.pick("salesforce", "opportunity", 4, "not is_deleted"):
            owner = log.chance.choice(users)
            salesforce(load, "opportunity", row, owner_id=owner)
            entry = log.pick("salesforce", "opportunity_field_history", 1, "field = 'Owner'")[0]
            changes = {"opportunity_id": row["id"], "created_date": load.now, "old_value": row["owner_id"]}
            load.add("opportunity_field_history", entry, **changes, id=f"017{text(log)}", new_value=owner)
        for row in log.pick("salesforce", "user", 2):
            load.add("user", row, team_c=f"Team {text(log)}", system_modstamp=load.now)
    for portal in PORTALS:
        owners = [row["id"] for row in log.newest(portal, "owners")]
        with log.load(portal) as load:
            for row in log.pick(portal, "deals", 3):
                owner = log.chance.choice(owners)
                told = history(row, hubspot_owner_id=(owner, load.now))
                hubspot(load, "deals", row, hubspot_owner_id=owner, properties_with_history=told)
            for row in log.pick(portal, "companies", 3):
                hubspot(load, "companies", row, hubspot_owner_id=log.chance.choice(owners))
            for row in log.pick(portal, "owners", 1):
                load.add("owners", row, last_name=text(log))
    sellers = [row["id"] for row in log.newest("esales", "sales_user")]
    with log.load("esales") as load:
        for table in ("account", "person", "opportunity"):
            for row in log.pick("esales", table, 8):
                esales(load, table, row, owner_ref=log.chance.choice(sellers))


def late_load(log: Log) -> None:
    """Versions that the tools stamped long before those that are there already."""
    with log.load("salesforce") as load:
        for table in ("account", "contact", "lead", "opportunity", "user"):
            for row in log.pick("salesforce", table, 3):
                at = log.between(row["created_date"], row["system_modstamp"])
                load.add(table, row, system_modstamp=at, name=f"Old {text(log)}")
    for portal in PORTALS:
        with log.load(portal) as load:
            for table, name in (("contacts", "lastname"), ("companies", "name"), ("deals", "dealname")):
                for row in log.pick(portal, table, 3):
                    stamp = STAMPS.get(table, "hs_lastmodifieddate")
                    at = log.between(row["createdate"], row[stamp])
                    load.add(table, row, **{stamp: at, name: f"Old {text(log)}", "hs_merged_object_ids": None})
    with log.load("esales") as load:
        for row in log.pick("esales", "opportunity", 3):
            at = log.between(row["created_at"], row["version_at"])
            load.add("opportunity", row, version_at=at, delivered_at=load.now, stage="提案")


def killed_load(log: Log) -> None:
    """Processes die: what one had written counts never, what another had finished counts from the next sync on."""
    with log.load("salesforce", is_killed=True) as load:
        for table in ("account", "opportunity"):
            for row in log.pick("salesforce", table, 3):
                salesforce(load, table, row, name="Ghost", is_deleted=True)
    with log.load("hubspot", is_killed=True) as found:
        for table in ("contacts", "deals"):
            for row in log.pick("hubspot", table, 3):
                hubspot(found, table, row, hs_merged_object_ids=None)
                found.tombstone(table, id=row["id"])
    with log.load("hubspot") as load:
        for row in log.pick("hubspot", "companies", 3):
            hubspot(load, "companies", row, name=text(log))
    log.find_killed(found)


def new_records(log: Log) -> None:
    """New customers, people, deals and touches."""
    with log.load("salesforce") as load:
        made = {"created_date": load.now, "is_deleted": False}
        for row in log.pick("salesforce", "opportunity", 3, "not is_deleted"):
            account = log.pick("salesforce", "account")[0]
            one = salesforce(load, "account", account, id=f"001{text(log)}", name=text(log), **made)
            deal = salesforce(load, "opportunity", row, id=f"006{text(log)}", account_id=one["id"], **made)
            for task in log.pick("salesforce", "task", 2):
                salesforce(load, "task", task, id=f"00T{text(log)}", what_id=deal["id"], account_id=one["id"], **made)
    for portal in PORTALS:
        with log.load(portal) as load:
            for row in log.pick(portal, "contacts", 3):
                number = str(log.chance.randrange(10**11, 10**12))
                created = load.now - timedelta(days=log.chance.randrange(900))  # an older one renames its entity
                hubspot(load, "contacts", row, id=number, createdate=created, hs_merged_object_ids=None)
            for row in log.pick(portal, "deals", 2):
                number = str(log.chance.randrange(10**11, 10**12))
                hubspot(load, "deals", row, id=number, createdate=load.now, properties_with_history=None)
    with log.load("esales") as load:
        for row in log.pick("esales", "account", 2):
            number = f"9{text(log)}"
            esales(load, "account", row, id=f"customer|{number}", source_id=number, created_at=load.now)
        for row in log.pick("esales", "person", 150):
            stage_id = f"{row['source_id']}-{text(log)}"
            entry = {"id": f"stage|{stage_id}", "source_object": "stage", "source_id": stage_id}
            value = log.chance.choice(("lead", "mql", "sql"))
            esales(
                load, "lifecycle", entry, person_ref=row["id"], stage=value, entered_at=log.between(row["created_at"])
            )


def new_keys(log: Log) -> None:
    """Addresses, domains and 法人番号 change to those of others, or to new ones: entities form anew."""
    with log.load("salesforce") as load:
        for table in ("contact", "lead"):
            first, second, third = log.pick("salesforce", table, 3, "not is_deleted and email is not null")
            salesforce(load, table, first, email=second["email"], name=second["name"], last_name=second["last_name"])
            salesforce(load, table, third, email=f"{text(log)}@elsewhere.example")
        first, second, third = log.pick("salesforce", "account", 3, "not is_deleted and corporate_number_c is not null")
        salesforce(load, "account", first, corporate_number_c=second["corporate_number_c"])
        salesforce(load, "account", third, corporate_number_c=None, domain_c=f"{text(log)}.example")
    for portal in PORTALS:
        with log.load(portal) as load:
            first, second, third = log.pick(portal, "contacts", 3, "email is not null")
            hubspot(load, "contacts", first, email=second["email"])
            hubspot(load, "contacts", third, email=f"{text(log)}@elsewhere.example")
            first, second, third = log.pick(portal, "companies", 3, "domain is not null")
            hubspot(load, "companies", first, domain=second["domain"], name=second["name"])
            hubspot(load, "companies", third, domain=f"{text(log)}.example")


def labels(log: Log) -> None:
    """What the tools call their stages, roles, forms and themselves."""
    for portal in PORTALS:
        with log.load(portal) as load:
            first, second, third = log.pick(portal, "pipelines", 3, "not is_closed", "pipeline_id, stage_id")
            for row, label in ((first, second["stage_label"]), (third, f"Stage {text(log)}")):
                load.add("pipelines", row, stage_label=label, updated_at=load.now)
            for row in log.pick(portal, "forms", 1):
                load.add("forms", row, name=f"Form {text(log)}", updated_at=load.now)
            for row in log.pick(portal, "account_info", 1, key="portal_id"):
                load.add("account_info", row, ui_domain=f"app-{text(log)}.hubspot.com")
    with log.load("salesforce") as load:
        for row in log.pick("salesforce", "user_role", 2):
            salesforce(load, "user_role", row, name=f"Role {text(log)}")


def relations(log: Log) -> None:
    """Who belongs to whom: companies, deals, roles, lines and touches move; leads become contacts."""
    with log.load("salesforce") as load:
        accounts = [row["id"] for row in log.newest("salesforce", "account", "not is_deleted")]
        for row in log.pick("salesforce", "contact", 3, "not is_deleted"):
            salesforce(load, "contact", row, account_id=log.chance.choice(accounts))
        for row in log.pick("salesforce", "opportunity", 2, "not is_deleted"):
            salesforce(load, "opportunity", row, account_id=log.chance.choice(accounts))
        for row in log.pick("salesforce", "task", 3, "who_id is not null"):
            salesforce(load, "task", row, who_id=None)
        contacts = log.pick("salesforce", "contact", 2, "not is_deleted")
        for row, contact in zip(
            log.pick("salesforce", "lead", 2, "not is_converted and not is_deleted"), contacts, strict=False
        ):
            became = {"is_converted": True, "converted_date": load.now.date(), "converted_contact_id": contact["id"]}
            salesforce(load, "lead", row, **became)
    for portal in PORTALS:
        with log.load(portal) as load:
            for table in (
                "deals_companies",
                "deals_contacts",
                "contacts_companies",
                "deals_line_items",
                "calls_contacts",
            ):
                first, second = log.pick(portal, table, 2, "associations <> '[]'", "from_id")
                load.add(table, first, associations=second["associations"], read_at=load.now)
                load.add(table, second, associations="[]", read_at=load.now)
    with log.load("esales") as load:
        accounts = [row["id"] for row in log.newest("esales", "account")]
        for table in ("person", "opportunity"):
            for row in log.pick("esales", table, 8):
                esales(load, table, row, account_ref=log.chance.choice(accounts))
        deals = told_deals(log, "esales", "opportunity_state", "opportunity_ref", "entered_at")
        first, second, _ = sorted(deals, key=lambda rows: rows[0]["entered_at"])  # no deal's present state changes
        load.add("opportunity_state", first[0], opportunity_ref=second[0]["opportunity_ref"], delivered_at=load.now)


Kind = Callable[[Log], None]
KINDS: Sequence[Kind] = (
    merge,
    split,
    delete,
    undelete,
    back_dated_stage,
    change_of_owner,
    late_load,
    killed_load,
    new_records,
    new_keys,
    labels,
    relations,
)


def plan(chance: Random, increments: int, kinds: Sequence[Kind] = KINDS) -> list[list[Kind]]:
    """Kinds of each increment: every kind once in all, and some kind in each; so that small increments come up too."""
    dealt = chance.sample(kinds, len(kinds))
    while len(dealt) < increments:
        dealt += chance.sample(kinds, len(kinds))
    made = [[kind] for kind in dealt[:increments]]
    for kind in dealt[increments:]:
        chance.choice(made).append(kind)
    return made
