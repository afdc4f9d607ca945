"""What people said of records: held together or kept apart, whatever keys and links say.

The company's map `identity_overrides` comes as canonical_identity_override; pairs of records that are both there count.
A pair held together is a match like any other, ranked first; a pair kept apart is a constraint on clusters. Few rows,
so they are derived anew in every run and compared with the stored ones; only what differs is touched.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.identity.components import components
from orchestration.identity.partition import partition
from orchestration.identity.rules import GROUPED, OVERRIDE, RANKED

TABLE = "canonical_identity_override"
_PAIR = "entity_type, left_key, right_key"


def collect(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Fill temp tables `override_matches` (like identity.matches), `apart_added` and `apart_removed`, and bring
    identity.kept_apart up to what is said now."""
    said = (
        f"""select entity_type, least(record_key, other_key) as left_key, greatest(record_key, other_key) as right_key,
                decision
        from canonical.{TABLE} where record_key <> other_key"""
        if TABLE in tables
        else f"select {_PAIR}, '' as decision from identity.kept_apart limit 0"
    )
    con.execute(
        f"""create or replace temp table said as
        select distinct s.* from ({said}) s
        semi join identity.records l on l.entity_type = s.entity_type and l.record_key = s.left_key
        semi join identity.records r on r.entity_type = s.entity_type and r.record_key = s.right_key"""
    )
    con.execute(
        f"""create or replace temp table override_matches as
        select {_PAIR}, '{OVERRIDE}' as rule, 1.0::double as probability, '' as evidence
        from said where decision = 'same'"""
    )
    apart = f"select {_PAIR} from said where decision = 'not_same'"
    con.execute(f"create or replace temp table apart_added as {apart} except select {_PAIR} from identity.kept_apart")
    con.execute(f"create or replace temp table apart_removed as select {_PAIR} from identity.kept_apart except {apart}")
    con.execute(f"delete from identity.kept_apart k using apart_removed r where {_same('k', 'r')}")
    con.execute("insert into identity.kept_apart from apart_added")


def reach_beyond(con: duckdb.DuckDBPyConnection) -> bool:
    """Add to `touched` the records that a match joins to `members` across clusters, and say whether there were any.

    Only a pair kept apart lets a match lead out of a cluster. How its records fall apart depends on all that hangs
    together with them, so all of it is looked at.
    """
    if con.execute(
        "select (select count(*) from identity.kept_apart) + (select count(*) from apart_removed)"
    ).fetchone() == (0,):
        return False
    con.execute(
        """create or replace temp table beyond as
        select distinct b.entity_type, b.record_key from (
            select m.entity_type, m.right_key as record_key from identity.matches m
            semi join members l on l.entity_type = m.entity_type and l.record_key = m.left_key
            union all
            select m.entity_type, m.left_key from identity.matches m
            semi join members r on r.entity_type = m.entity_type and r.record_key = m.right_key
        ) b
        semi join identity.records k on k.entity_type = b.entity_type and k.record_key = b.record_key
        anti join members i on i.entity_type = b.entity_type and i.record_key = b.record_key"""
    )
    con.execute("insert into touched from beyond")
    return con.execute("select count(*) from beyond").fetchone() != (0,)


def split_components(con: duckdb.DuckDBPyConnection) -> None:
    """Where a component of temp tables `labels` and `edges` holds a pair kept apart: put its parts in its place."""
    con.execute(
        """create or replace temp table broken as
        select distinct l.component from identity.kept_apart k
        join members m on m.entity_type = k.entity_type and m.record_key = k.left_key
        join labels l on l.record_key = k.left_key join labels r on r.record_key = k.right_key
        where l.component = r.component"""
    )
    if con.execute("select count(*) from broken").fetchone() == (0,):
        return
    for (component,) in con.execute("select component from broken order by all").fetchall():
        _split(con, str(component))


def _split(con: duckdb.DuckDBPyConnection, component: str) -> None:
    inside = "(select record_key from labels where component = $component)"
    wanted = {"component": component}
    edges = con.execute(
        f"select entity_type, rule, evidence, left_key, right_key, probability from edges where left_key in {inside}",
        wanted,
    ).fetchall()
    apart = con.execute(
        f"select left_key, right_key from identity.kept_apart where left_key in {inside} and right_key in {inside}",
        wanted,
    ).fetchall()
    kinds = {str(edge[0]) for edge in edges}
    assert len(kinds) == 1, kinds  # a match joins records of one type
    parts = partition(
        (
            (str(rule), str(evidence), str(left), str(right), float(sure))
            for _, rule, evidence, left, right, sure in edges
        ),
        ((str(left), str(right)) for left, right in apart),
        RANKED,
        GROUPED,
    )
    con.execute(f"delete from edges where left_key in {inside}", wanted)
    con.execute("delete from labels where component = $component", wanted)
    if not parts:
        return
    kind = kinds.pop()
    left, right = (pa.chunked_array([[str(part[place]) for part in parts]], pa.string()) for place in (2, 3))
    con.executemany(
        "insert into edges (entity_type, rule, evidence, left_key, right_key, probability) values (?, ?, ?, ?, ?, ?)",
        [(kind, *part) for part in parts],
    )
    con.register("labelled_parts", components(left, right))
    con.execute("insert into labels (record_key, component) select node, component from labelled_parts")
    con.unregister("labelled_parts")


def causes() -> str:
    """SQL of (entity_type, old_id, new_id, word): moves of records between entities that an override brought about.

    Uses temp tables old_clusters, new_clusters, added_matches, removed_matches, apart_added and apart_removed.
    """
    pairs = [
        ("new", f"(select {_PAIR} from added_matches where rule = '{OVERRIDE}')", OVERRIDE),
        ("new", "apart_removed", f"{OVERRIDE} removed"),
        ("old", "apart_added", OVERRIDE),
        ("old", f"(select {_PAIR} from removed_matches where rule = '{OVERRIDE}')", f"{OVERRIDE} removed"),
    ]
    return " union all ".join(
        f"""select l.entity_type, '{side}' as side, l.entity_id, '{word}' as word
        from {relation} p
        join {side}_clusters l on l.entity_type = p.entity_type and l.record_key = p.left_key
        join {side}_clusters r on r.entity_type = p.entity_type and r.record_key = p.right_key
          and r.entity_id = l.entity_id"""
        for side, relation, word in pairs
    )


def _same(one: str, other: str) -> str:
    return " and ".join(f"{one}.{column} = {other}.{column}" for column in _PAIR.split(", "))
