"""More of what may happen between two builds: in Marketo and kintone, and what a company itself says in its maps.

As `company_life`: one function a kind, each makes several changes of its sort.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import datetime

from orchestration.map_files import Maps
from tests.end_to_end.company_life import text
from tests.end_to_end.written_loads import Load, Log, Row

IDENTITY_OVERRIDES = "identity_overrides"
RECORDS: Sequence[tuple[str, str, str, str]] = (
    ("account", "salesforce", "account", "Account"),
    ("account", "hubspot", "companies", "companies"),
    ("account", "hubspot_emea", "companies", "companies"),
    ("account", "kintone", "account", "customers"),
    ("person", "salesforce", "contact", "Contact"),
    ("person", "hubspot", "contacts", "contacts"),
    ("person", "marketo", "leads", "leads"),
)
"""entity type, instance, raw table, the tool's name of the object"""
CHANNELS = ("event", "email", "web", "referral")


def marketo(load: Load, row: Row, **changes: object) -> Row:
    """A version of a lead, changed just now."""
    return load.add("leads", row, **{"updated_at": load.now, **changes})


def activity(log: Log, load: Load, lead: Row, kind: int, at: datetime, value: str | None, **attributes: str) -> None:
    load.add(
        "activities",
        {
            "marketo_guid": f"x{text(log)}",
            "lead_id": lead["id"],
            "activity_date": at,
            "activity_type_id": kind,
            "primary_attribute_value": value,
            "attributes": json.dumps({name.replace("_", " "): value for name, value in attributes.items()}),
        },
    )


def kintone(load: Load, table: str, row: Row, **changes: object) -> Row:
    """A version of a record of an app, changed just now."""
    return load.add(table, row, **{"updated_at": load.now, **changes})


# Marketo --------------------------------------------------------------------------------------------------------------
def marketo_merge(log: Log) -> None:
    """Leads are merged, and the winners once more; of some the activity comes a load before the lead goes."""
    first, second, third, fourth = log.pick("marketo", "leads", 4)
    with log.load("marketo") as load:
        activity(log, load, second, 32, load.now, None, Merge_IDs=f"[{first['id']}]")
        load.tombstone("leads", load.now, id=first["id"])
        activity(log, load, fourth, 32, load.now, None, Merge_IDs=third["id"])
    with log.load("marketo") as load:
        load.tombstone("leads", load.now, id=third["id"])
        activity(log, load, fourth, 32, load.now, None, Merge_IDs=f"{second['id']},9{text(log)[:6].translate(DIGITS)}")
        load.tombstone("leads", load.now, id=second["id"])


DIGITS = str.maketrans("abcdef", "012345")


def marketo_delete(log: Log) -> None:
    """Leads are deleted, some of them never seen; members leave programs; one lead comes back."""
    gone = log.pick("marketo", "leads", 3)
    with log.load("marketo") as load:
        for row in gone:
            load.tombstone("leads", load.now, id=row["id"])
            seen = {"lead_id": row["id"], "activity_date": load.now}
            load.add("deleted_leads", {"marketo_guid": f"d{text(log)}", **seen})
        load.add(
            "deleted_leads", {"marketo_guid": f"d{text(log)}", "lead_id": f"9{text(log)}", "activity_date": load.now}
        )
        for row in log.pick("marketo", "program_members", 4, key="program_id, lead_id"):
            load.tombstone("program_members", program_id=row["program_id"], lead_id=row["lead_id"])
    with log.load("marketo") as load:
        marketo(load, gone[0])


def marketo_life(log: Log) -> None:
    """Stages, also of the past; touches; companies, addresses, references to Salesforce; programs."""
    with log.load("marketo") as load:
        for row in log.pick("marketo", "leads", 4):
            at = log.between(row["created_at"])
            old, new = log.chance.sample(("Known", "Engaged", "Marketing Qualified", "Sales Qualified"), 2)
            activity(log, load, row, 13, at, "Lead Status", Old_Value=old, New_Value=new)
            activity(log, load, row, 1, load.now, "/pricing/")
        first, second, third, fourth = log.pick("marketo", "leads", 4)
        marketo(load, first, email=second["email"], first_name=second["first_name"], last_name=second["last_name"])
        marketo(load, second, lead_status="Engaged", unsubscribed=True)
        accounts = log.pick("salesforce", "account", 2, "not is_deleted")
        contacts = log.pick("salesforce", "contact", 1, "not is_deleted")
        marketo(load, third, sfdc_account_id=accounts[0]["id"], sfdc_contact_id=contacts[0]["id"])
        marketo(load, fourth, sfdc_account_id=None, sfdc_contact_id=None, sfdc_lead_id=None, company=text(log))
        for row in log.pick("marketo", "programs", 2):
            load.add("programs", row, name=text(log), channel="Webinar", updated_at=load.now)


# kintone --------------------------------------------------------------------------------------------------------------
def kintone_delete(log: Log) -> None:
    """Records of every app are gone at the next sweep; one customer comes back unchanged."""
    with log.load("kintone") as load:
        gone = {table: log.pick("kintone", table, 2) for table in ("account", "person", "opportunity", "activity")}
        for table, rows in gone.items():
            for row in rows:
                load.tombstone(table, id=row["id"])
    with log.load("kintone") as load:
        load.add("account", gone["account"][0])


def kintone_life(log: Log) -> None:
    """Deals move on, back and between customers; rows leave their subtables; people change customers and addresses."""
    with log.load("kintone") as load:
        accounts = [row["id"] for row in log.newest("kintone", "account")]
        stages = [row["stage"] for row in log.newest("kintone", "opportunity")]
        for row in log.pick("kintone", "opportunity", 3):
            kept = str(row["subtable_rows"] or "").split(",")
            kept = log.chance.sample(kept, len(kept) - 1) if len(kept) > 1 else kept
            changes = {"stage": log.chance.choice(stages), "account_ref": log.chance.choice(accounts)}
            kintone(load, "opportunity", row, subtable_rows=",".join(sorted(kept)), **changes)
        for row in log.pick("kintone", "person", 3):
            kintone(
                load, "person", row, account_ref=log.chance.choice(accounts), email=f"{text(log)}@elsewhere.example"
            )
        first, second = log.pick("kintone", "account", 2, "corporate_number is not null")
        kintone(load, "account", first, corporate_number=second["corporate_number"])
        row = log.pick("kintone", "opportunity")[0]
        new = f"deals|9{text(log)}"
        kintone(
            load, "opportunity", row, id=new, source_id=new.partition("|")[2], created_at=load.now, subtable_rows=None
        )


# maps -----------------------------------------------------------------------------------------------------------------
def edit(log: Log, name: str, change: Callable[[list[Row]], None]) -> None:
    """Change the rows of a map of the home, as a person does with a spreadsheet; at the next build it is read."""
    path = log.maps_dir / f"{name}.csv"
    one = Maps(log.seeds_dir).known[name]
    rows: list[Row] = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    before = [dict(row) for row in rows]
    change(rows)
    if rows == before:  # chance has drawn what stands there; a kind that changes nothing at all is found by its caller
        return
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, one.columns, restval="")
        table.writeheader()
        table.writerows(rows)
    log.written += 1


def map_edit(log: Log) -> None:
    """Words come to mean something else: some of every map that canonical or a mart reads."""

    def put(name: str, **row: str) -> None:
        keys = Maps(log.seeds_dir).known[name].keys

        def change(rows: list[Row]) -> None:
            rows[:] = [one for one in rows if any(one.get(key) != row.get(key, "") for key in keys)]
            rows.append(row)

        edit(log, name, change)

    stage = log.chance.choice(("discovery", "proposal", "agreement"))
    put("stage_map", source_system="salesforce", pipeline="*", source_stage="Qualification", stage=stage)
    put("channels", source_system="*", source_value=f"word {text(log)}", channel=log.chance.choice(CHANNELS))
    word = log.pick("salesforce", "lead", 1, "lead_source is not null")[0]["lead_source"]
    put(
        "channels",
        source_system="salesforce",
        source_value=word,
        channel=log.chance.choice(CHANNELS),
        is_marketing="true",
    )
    put("segments", segment="many", priority="1", min_employee_count=str(log.chance.randrange(100, 900)))
    put("engagement_weights", touch_type="call", direction="*", weight=str(log.chance.randrange(1, 9)))
    put(
        "field_map",
        source_system="salesforce",
        source_object="Account",
        source_field="size_band_c",
        canonical_column=log.chance.choice(("account.industry", "account.account_type", "account.region")),
    )
    rank = str(log.chance.randrange(2, 90))
    put("system_of_record", entity_type=log.chance.choice(("account", "person")), source_system="hubspot", rank=rank)


def override_added(log: Log) -> None:
    """A person holds records together, of one tool or two, and keeps others apart that rules or tools joined."""
    rows: list[Row] = []
    for kind in ("account", "person"):
        tools = [one for one in RECORDS if one[0] == kind]
        for decision in ("same", "same", "not_same"):
            one, other = (log.chance.choice(tools) for _ in range(2))
            left, right = (log.pick(tool, table)[0]["id"] for _, tool, table, _ in (one, other))
            rows.append(_override(kind, one, left, other, right, decision))
    for table, object_name in (("lead", "Lead"), ("contact", "Contact"), ("account", "Account")):
        kind = "account" if table == "account" else "person"
        tool = (kind, "salesforce", table, object_name)
        for row in log.pick("salesforce", table, 2, "master_record_id is not null"):
            rows.append(_override(kind, tool, row["id"], tool, row["master_record_id"], "not_same"))

    def change(known: list[Row]) -> None:
        from orchestration.override_rows import contradictions

        for row in rows:
            pair = {_end(row, "source"), _end(row, "other")}
            taken = any({_end(one, "source"), _end(one, "other")} == pair for one in known)
            if not taken and not list(contradictions(list(enumerate([*known, row])))):
                known.append(row)

    edit(log, IDENTITY_OVERRIDES, change)


def override_removed(log: Log) -> None:
    """Half of the overrides are taken back; where there are none yet, some are made for the next time."""
    if not (log.maps_dir / f"{IDENTITY_OVERRIDES}.csv").exists():
        override_added(log)
        return

    def change(known: list[Row]) -> None:
        known[:] = log.chance.sample(known, len(known) // 2)

    edit(log, IDENTITY_OVERRIDES, change)


def _override(kind: str, one: tuple[str, ...], left: str, other: tuple[str, ...], right: str, decision: str) -> Row:
    ends = {"source_system": one[1], "source_object": one[3], "source_id": _id(left)}
    ends |= {"other_system": other[1], "other_object": other[3], "other_id": _id(right)}
    return {"entity_type": kind, **ends, "decision": decision, "note": ""}


def _id(raw_id: str) -> str:
    """Raw ids of mapped tools begin with their object."""
    return str(raw_id).rpartition("|")[2]


def _end(row: Row, side: str) -> tuple[str, ...]:
    names = (f"{side}_system", f"{side}_object", f"{side}_id")
    return (row["entity_type"], *(row[name] for name in names))


TOOL_KINDS = (marketo_merge, marketo_delete, marketo_life, kintone_delete, kintone_life)
MAP_KINDS = (map_edit, override_added, override_removed)
