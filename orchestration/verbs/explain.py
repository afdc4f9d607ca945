"""`tsunagu explain`: which records an account or person is made of, why they were joined, from which load, and where they live.

Reads the warehouse's models file and raw log read-only when they are free; nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
from rich.console import Console
from rich.markup import escape

from orchestration.settings import Settings, SettingsError

FIND_ACCOUNTS = """
    select 'account' as entity_type, account_id as entity_id, account_name as title, domain as detail
    from marts.customer_360
    where account_id = $what or account_name ilike '%' || $what || '%' or domain = lower($what)
       or corporate_number = $what
    order by account_id = $what desc, length(account_name), account_id
"""
FIND_PEOPLE = """
    select 'person' as entity_type, person_id as entity_id, full_name as title, email as detail
    from marts.person_360
    where person_id = $what or full_name ilike '%' || $what || '%' or email = lower($what)
    order by person_id = $what desc, length(full_name), person_id
"""
FIND_SOURCE = """
    select entity_type, entity_id, source_system || ' ' || source_id as title, source_object as detail
    from marts.identity_map where source_id = $what and entity_type in ('account', 'person', 'opportunity')
"""
RECORDS = """
    select m.source_system, m.source_object, m.source_id, m.matched_by, m.match_probability, c.record_url, c.name,
           c.is_deleted, c.load_id, l.committed_at
    from marts.identity_map m
    left join records c on c.source_system = m.source_system and c.source_object = m.source_object
                       and c.source_id = m.source_id
    left join raw.ledger.loads l on l.load_id = c.load_id and l.source_system = c.source_system
    where m.entity_type = $kind and m.entity_id = $entity
    order by m.source_system, m.source_object, m.source_id
"""
OVERRIDES = """
    select case when decision = 'same' then 'held together with ' else 'kept apart from ' end
           || case when record_name = $record then other_name else record_name end, note
    from canonical.canonical_identity_override
    where entity_type = $kind and $record in (record_name, other_name) order by all
"""
NAMES = {"account": "name", "person": "coalesce(full_name, email)", "opportunity": "name"}
MOST = 8


def explain_entity(settings: Settings, what: str) -> int:
    """Print the records behind the account, person or deal that `what` names. 0 when one was found, else 1."""
    console = Console(highlight=False, soft_wrap=True)
    if not settings.models_path.exists():
        raise SettingsError(f"{settings.models_path} is not there yet. Run: tsunagu run")
    with _open(settings) as file:
        found = _find(file, what)
        if not found:
            console.print(
                f"Nothing is called {escape(repr(what))}. Give an id, a part of a name, a domain, an e-mail or a source id."
            )
            return 1
        for kind, entity, title, detail in found[:MOST]:
            _show(console, file, kind, entity, f"{title} {detail or ''}")
        if len(found) > MOST:
            console.print(f"… and {len(found) - MOST} more; give the id of one.")
    return 0


def _open(settings: Settings) -> duckdb.DuckDBPyConnection:
    from orchestration.warehouse import WarehouseHeld

    try:
        file = duckdb.connect(str(settings.models_path), read_only=True)
        file.execute(f"attach '{settings.raw_path}' as raw (read_only)")
    except duckdb.IOException as error:
        raise WarehouseHeld(f"the warehouse is held by a run; try again when it has ended ({error})") from error
    return file


def _find(file: duckdb.DuckDBPyConnection, what: str) -> list[tuple[str, str, str, str | None]]:
    found: list[tuple[str, str, str, str | None]] = []
    for query in (FIND_ACCOUNTS, FIND_PEOPLE, FIND_SOURCE):
        found += file.execute(query, {"what": what}).fetchall()
    exact = [row for row in found if row[1] == what]
    return exact or found


def _show(console: Console, file: duckdb.DuckDBPyConnection, kind: str, entity: str, title: str) -> None:
    console.print(f"\n[bold]{kind} {entity}[/bold]  {escape(title)}")
    records = (
        f"(select source_system, source_object, source_id, record_url, {NAMES[kind]} as name, is_deleted, load_id "
        f"from canonical.canonical_{kind})"
    )
    parameters: Mapping[str, Any] = {"kind": kind, "entity": entity}
    for row in file.execute(RECORDS.replace("join records", f"join {records}"), parameters).fetchall():
        system, source_object, source_id, matched_by, probability, url, name, is_deleted, load_id, committed_at = row
        sure = "" if probability is None else f" ({probability:.0%})"
        gone = ", deleted" if is_deleted else ""
        console.print(f"  {system} {source_object} {source_id}  {name or ''}{gone}", markup=False)
        console.print(f"      joined by {matched_by}{sure} · load {load_id} of {committed_at}", markup=False)
        said = {"kind": kind, "record": f"{system} {source_object} {source_id}"}
        for words, note in file.execute(OVERRIDES, said).fetchall():
            why = f": {note}" if note else ""
            console.print(f"      {words} by your map identity_overrides{why}", markup=False)
        if url:
            console.print(f"      {url}", markup=False, soft_wrap=True)
