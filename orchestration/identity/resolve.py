"""One run of identity over the models file: what changed, its keys, the touched matches, the touched clusters.

Order matters and is all that is here; rules, links, clusters and history are next door. The tables of a run change in
one transaction. An incremental run ends in the same tables as a full one: a test holds that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from orchestration.identity import clusters, history, links, overrides
from orchestration.identity.keys import KEY_KINDS, KeyKind, normal_forms
from orchestration.identity.rules import LINK_KINDS, OVERRIDE, RULES, Rule
from orchestration.identity.tables import ATTRIBUTES, ENTITIES, TABLES, Entity


@dataclass(frozen=True)
class Summary:
    """What a run did. `giants`: (entity type, entity id, records) of clusters too large to be true."""

    changed_records: int = 0
    touched_records: int = 0
    changed_entities: int = 0
    history_rows: int = 0
    giants: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])


def ensure_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create schema `identity` with its tables, empty, where they are missing."""
    con.execute("create schema if not exists identity")
    for name, columns in TABLES.items():
        con.execute(f"create table if not exists identity.{name} ({columns})")


def clear_changed(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the changed entities, once every model that reads them has succeeded."""
    con.execute("delete from identity.changed_entities")


def content_of(con: duckdb.DuckDBPyConnection) -> str:
    """A hash of the clusters that the last run left, whatever their order; '' before the first."""
    row = con.execute("select max(clusters_hash) from identity.content").fetchone()
    return str(row[0] or "") if row else ""


def resolve(con: duckdb.DuckDBPyConnection, *, full: bool = False, raw: str | None = "raw") -> Summary:
    """Bring identity up to the canonical tables of the open models file.

    `full` begins from nothing and adds nothing to the ledger. `raw` is the attached database whose ledger gets the
    history; None where it is read-only (a past day in another file). `run.context` gives as-of and load sequence.
    """
    ensure_tables(con)
    tables = _canonical_tables(con)
    if raw is not None:
        history.flush(con, raw)
    con.execute("begin transaction")
    try:
        summary = _resolve(con, tables, full=full)
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    moved = 0 if raw is None else history.flush(con, raw)
    return Summary(
        summary.changed_records, summary.touched_records, summary.changed_entities, moved, clusters.giants(con)
    )


def _resolve(con: duckdb.DuckDBPyConnection, tables: set[str], *, full: bool) -> Summary:
    _read_context(con)
    is_first = full or con.execute("select count(*) from identity.records").fetchone() == (0,)
    others = con.execute("select count(*) from identity.state where rules_version <> ?", [rules_version()]).fetchone()
    if full or others != (0,):  # of rules that are no more nothing stays; the clusters do, for history to compare with
        for name in TABLES if full else tables_of_rules():
            con.execute(f"delete from identity.{name}")
    _find_changes(con, tables)
    _store_records(con)
    _refresh_keys(con)
    con.execute("create or replace temp table added_matches as from identity.matches limit 0")
    con.execute("create or replace temp table removed_matches as from identity.matches limit 0")
    for rule in RULES:
        _apply_rule(con, rule)
    _apply_links(con, tables)
    _apply_overrides(con, tables)
    _touch(con)
    clusters.recompute(con)
    if not is_first:
        history.note_changes(con)
    clusters.store(con)
    _note_changed_entities(con, tables)
    con.execute("delete from identity.content")
    con.execute(
        """insert into identity.content
        select count(*) || ' ' || coalesce(sum(hash(c)::hugeint), 0) from identity.clusters c"""
    )
    con.execute("delete from identity.state")
    con.execute("insert into identity.state select ?, through_seq from resolve_context", [rules_version()])
    return Summary(_count(con, "changed"), _count(con, "touched"), _count(con, "identity.changed_entities"))


def tables_of_rules() -> list[str]:
    """Tables whose rows rules and lists made: not the records, nor what stands for readers and the ledger."""
    kept = ("records", "clusters", "changed_entities", "history_outbox", "content", "state")
    return [name for name in TABLES if name not in kept]


@cache
def rules_version() -> str:
    """A hash of this folder: with other rules or lists every record counts as changed."""
    digest = hashlib.sha256()
    folder = Path(__file__).parent
    for path in sorted([*folder.glob("*.py"), *folder.glob("data/*.txt")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _canonical_tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute(
        "select table_name from duckdb_tables() where schema_name = 'canonical' and database_name = current_database()"
    ).fetchall()
    return {str(name) for (name,) in rows}


def _read_context(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create or replace temp table resolve_context as
        select max(as_of)::timestamp as as_of, coalesce(max(through_seq), 0)::bigint as through_seq from run.context"""
    )


def _records_of(entity_type: str, entity: Entity, version: str) -> str:
    own = ", ".join(entity.attributes)
    attributes = ", ".join(c if c in entity.attributes else f"null::varchar as {c}" for c in ATTRIBUTES)
    compared = ", ".join(
        ["load_seq", "created_at", "updated_at", "source_system", "source_object", "source_id"] + ([own] if own else [])
    )
    one = f"qualify row_number() over (partition by record_key order by {entity.newest_first}) = 1"
    return f"""select '{entity_type}' as entity_type, record_key, hash('{version}', {compared}) as fingerprint,
            created_at::timestamp as created_at, updated_at::timestamp as updated_at,
            source_system, source_object, source_id, {attributes}
        from canonical.{entity.table} {one if entity.newest_first else ""}"""


def _find_changes(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Temp tables `changed` (new and changed records with their attributes) and `gone`."""
    parts = [_records_of(t, e, rules_version()) for t, e in ENTITIES.items() if e.table in tables]
    if not parts:
        raise RuntimeError("identity: the models file has no canonical tables yet; run the canonical models first")
    con.execute(f"create or replace temp view now_records as {' union all '.join(parts)}")
    con.execute(
        """create or replace temp table changed as
        select n.* from now_records n
        left join identity.records o on o.entity_type = n.entity_type and o.record_key = n.record_key
        where o.fingerprint is distinct from n.fingerprint"""
    )
    con.execute(
        """create or replace temp table gone as
        select o.entity_type, o.record_key from identity.records o
        anti join now_records n on o.entity_type = n.entity_type and o.record_key = n.record_key"""
    )


def _store_records(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create or replace temp table renewed as
        select entity_type, record_key from changed union all select entity_type, record_key from gone"""
    )
    _delete(con, "records", "renewed")
    con.execute(
        """insert into identity.records
        select entity_type, record_key, fingerprint, created_at, updated_at, source_system, source_object, source_id
        from changed"""
    )


def _refresh_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Keys of the changed records anew; temp table `blocks_touched` holds their old and new key values."""
    con.execute("create or replace temp table new_keys as from identity.keys limit 0")
    for kind in KEY_KINDS:
        _keys_of_kind(con, kind)
    con.execute(
        """create or replace temp table blocks_touched as
        select k.entity_type, k.key_type, k.key_value from identity.keys k semi join renewed using (entity_type, record_key)
        union select entity_type, key_type, key_value from new_keys"""
    )
    _delete(con, "keys", "renewed")
    con.execute("insert into identity.keys from new_keys")


def _keys_of_kind(con: duckdb.DuckDBPyConnection, kind: KeyKind) -> None:
    columns = ", ".join(kind.columns)
    some = " or ".join(f"{column} is not null" for column in kind.columns)
    values = con.execute(
        f"select distinct {columns} from changed where entity_type = ? and ({some})", [kind.entity_type]
    ).to_arrow_table()
    if values.num_rows == 0:
        return
    con.register("forms", normal_forms(kind, values))
    same = " and ".join(f"f.{column} is not distinct from c.{column}" for column in kind.columns)
    con.execute(
        f"""insert into new_keys
        select c.entity_type, c.record_key, '{kind.key_type}', f.key_value
        from changed c join forms f on {same} where c.entity_type = '{kind.entity_type}'"""
    )
    con.unregister("forms")


def _apply_rule(con: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """Find the matches of the touched blocks anew and note what was added and removed."""
    blocks = con.execute(
        """select b.entity_type, b.key_value as evidence, b.record_key, n.key_value as name
        from identity.keys b
        semi join blocks_touched t
          on t.entity_type = b.entity_type and t.key_type = b.key_type and t.key_value = b.key_value
        left join identity.keys n
          on n.entity_type = b.entity_type and n.record_key = b.record_key and n.key_type = $name_key
        where b.key_type = $block_key
        qualify count(*) over (partition by b.entity_type, b.key_value) > 1""",
        {"name_key": rule.name_key, "block_key": rule.block_key},
    ).to_arrow_table()
    found = rule.find(blocks)
    touched = f"""(select entity_type, key_value as evidence from blocks_touched where key_type = '{rule.block_key}')"""
    names = ", ".join(f"'{name}'" for name in rule.names_of_matches)
    con.register("found", found.matches)
    con.execute(
        f"""create or replace temp table stored as
        select m.* from identity.matches m semi join {touched} using (entity_type, evidence) where m.rule in ({names})"""
    )
    _replace_matches(con, "found")
    con.execute(
        f"""delete from identity.held_back h using {touched} t
        where h.entity_type = t.entity_type and h.evidence = t.evidence and h.rule in ({names})"""
    )
    con.register("held", found.held_back)
    con.execute("insert into identity.held_back select entity_type, rule, evidence, record_count, reason from held")
    if found.branch_links is not None:
        con.execute(f"delete from identity.branch_links b using {touched} t where b.corporate_number = t.evidence")
        con.register("branches", found.branch_links)
        con.execute("insert into identity.branch_links select branch_key, head_key, corporate_number from branches")


def _apply_links(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    links.collect_links(con, tables)
    kinds = ", ".join(f"'{kind}'" for kind in LINK_KINDS)
    con.execute(f"create or replace temp table stored as from identity.matches where rule in ({kinds})")
    _replace_matches(con, "link_matches")
    con.execute(f"delete from identity.held_back where rule in ({kinds})")
    con.execute(
        "insert into identity.held_back select entity_type, rule, evidence, record_count, reason from link_held_back"
    )


def _apply_overrides(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    overrides.collect(con, tables)
    con.execute(f"create or replace temp table stored as from identity.matches where rule = '{OVERRIDE}'")
    _replace_matches(con, "override_matches")


_MATCH = "entity_type, left_key, right_key, rule, probability, evidence"


def _replace_matches(con: duckdb.DuckDBPyConnection, found: str) -> None:
    """Bring `stored` matches to the rows of `found`, touching only what differs."""
    con.execute(
        f"create or replace temp table added as select {_MATCH} from {found} except select {_MATCH} from stored"
    )
    con.execute(
        f"create or replace temp table removed as select {_MATCH} from stored except select {_MATCH} from {found}"
    )
    same = " and ".join(
        f"m.{column} = r.{column}" for column in ("entity_type", "left_key", "right_key", "rule", "evidence")
    )
    con.execute(f"delete from identity.matches m using removed r where {same}")
    con.execute("insert into identity.matches from added")
    con.execute("insert into added_matches from added")
    con.execute("insert into removed_matches from removed")


def _touch(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """create or replace temp table touched as
        select entity_type, record_key from renewed
        union select entity_type, unnest([left_key, right_key]) from added_matches
        union select entity_type, unnest([left_key, right_key]) from removed_matches
        union select entity_type, unnest([left_key, right_key]) from apart_added
        union select entity_type, unnest([left_key, right_key]) from apart_removed"""
    )


def _note_changed_entities(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Add old and new ids of all that changed, and of entities whose dependent rows came with new loads."""
    dependents = [
        f"""select c.entity_type, c.entity_id from identity.clusters c
        semi join (
            select d.{column} as record_key from canonical.{table} d cross join identity.state s
            where d.load_seq > s.through_seq
        ) d on d.record_key = c.record_key where c.entity_type = '{entity_type}'"""
        for entity_type, entity in ENTITIES.items()
        for table, column in entity.dependents
        if table in tables
    ]
    parts = [
        "select entity_type, entity_id from old_clusters",
        "select entity_type, entity_id from new_clusters",
        *dependents,
    ]
    con.execute(
        f"""insert into identity.changed_entities
        select distinct entity_type, entity_id from ({" union all ".join(parts)}) c
        where not exists (from identity.changed_entities e where e.entity_type = c.entity_type and e.entity_id = c.entity_id)"""
    )


def _delete(con: duckdb.DuckDBPyConnection, table: str, keys: str) -> None:
    con.execute(
        f"""delete from identity.{table} t using {keys} k
        where t.entity_type = k.entity_type and t.record_key = k.record_key"""
    )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


__all__ = ["Summary", "clear_changed", "ensure_tables", "resolve", "rules_version"]
