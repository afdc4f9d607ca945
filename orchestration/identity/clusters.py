"""Clusters: the connected components of the matches, and the id that each entity keeps.

Works on the touched components only; what it writes for them is a function of their records and matches, so that any
order of runs ends in the same table.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.identity import overrides
from orchestration.identity.components import components
from orchestration.identity.rules import RANKED

GIANT = 1_000
"""An entity with more records than this is reported: some key joins what it should not."""


def entity_id(alias: str) -> str:
    """SQL of an entity's id: a hash of its earliest record. The one place where ids are made."""
    return f"md5(concat_ws('|', {alias}.entity_type, {alias}.source_system, {alias}.source_object, {alias}.source_id))"


def recompute(con: duckdb.DuckDBPyConnection) -> None:
    """From temp table `touched` (entity_type, record_key) make `new_clusters`, and `old_clusters` of the same members."""
    _gather(con)
    while overrides.reach_beyond(con):
        _gather(con)
    _label_components(con)
    overrides.split_components(con)
    _name_entities(con)


def _gather(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables `old_clusters` and `members`: all records of the touched clusters, and the touched ones."""
    con.execute(
        """create or replace temp table old_clusters as
        select c.entity_type, c.record_key, c.entity_id from identity.clusters c
        semi join (
            select distinct c.entity_type, c.entity_id
            from identity.clusters c semi join touched t using (entity_type, record_key)
        ) using (entity_type, entity_id)"""
    )
    con.execute(
        """create or replace temp table members as
        select r.* exclude (fingerprint) from identity.records r
        semi join (
            select entity_type, record_key from old_clusters union select entity_type, record_key from touched
        ) using (entity_type, record_key)"""
    )


def _label_components(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `labels`: the members that have a match, with their component."""
    con.execute(
        """create or replace temp table edges as
        select m.* from identity.matches m
        semi join members l on l.entity_type = m.entity_type and l.record_key = m.left_key"""
    )
    ends = con.execute("select left_key, right_key from edges").to_arrow_table()
    con.register("labelled", components(ends.column(0), ends.column(1)).cast(_NODES))
    con.execute("create or replace temp table labels as select node as record_key, component from labelled")
    con.unregister("labelled")


_NODES = pa.schema([("node", pa.string()), ("component", pa.string())])


def _name_entities(con: duckdb.DuckDBPyConnection) -> None:
    ranks = ", ".join(f"('{rule}', {rank})" for rank, rule in enumerate(RANKED))
    con.execute(
        f"""create or replace temp table new_clusters as
        with ranks (rule, rank) as (values {ranks}),
        ends as (
            select entity_type, left_key as record_key, rule, probability from edges
            union all select entity_type, right_key, rule, probability from edges
        ),
        reasons as (
            select entity_type, record_key, arg_min(rule, rank) as rule, arg_min(probability, rank) as probability
            from ends join ranks using (rule) group by all
        ),
        heads as (
            select m.entity_type, l.component, arg_min({entity_id("m")}, (
                m.created_at is null, m.created_at, m.source_system, m.source_object, m.source_id
            )) as entity_id
            from members m join labels l using (record_key) group by all
        )
        select m.entity_type, m.record_key, coalesce(h.entity_id, {entity_id("m")}) as entity_id,
               coalesce(r.rule, 'single') as matched_by, coalesce(r.probability, 1.0) as match_probability,
               coalesce(m.created_at, m.updated_at) as valid_from
        from members m
        left join labels l on l.record_key = m.record_key
        left join heads h on h.entity_type = m.entity_type and h.component = l.component
        left join reasons r on r.entity_type = m.entity_type and r.record_key = m.record_key"""
    )


def store(con: duckdb.DuckDBPyConnection) -> None:
    """Put `new_clusters` in the place of the touched ones."""
    if con.execute("select count(*) from old_clusters").fetchone() != (0,):
        con.execute(
            "delete from identity.clusters c using old_clusters o where c.record_key = o.record_key and c.entity_type = o.entity_type"
        )
    con.execute(
        """insert into identity.clusters
        select entity_type, record_key, entity_id, matched_by, match_probability, valid_from from new_clusters"""
    )


def giants(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """(entity type, entity id, records) of entities that are too large to be true, the largest first."""
    return con.execute(
        f"""select entity_type, entity_id, count(*) as n from identity.clusters
        where matched_by <> 'single' group by all having n > {GIANT} order by n desc, entity_id limit 20"""
    ).fetchall()
