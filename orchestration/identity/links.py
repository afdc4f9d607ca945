"""Matches that the tools themselves keep: converted, merged, mirrored and cross-referenced records.

They are few against the records, so they are derived anew in every run and compared with the stored ones; nothing
here is incremental and nothing here looks at names.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from orchestration.identity.components import components
from orchestration.identity.rules import MOST_RECORDS
from orchestration.identity.tables import ENTITIES


def collect_links(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    """Fill temp tables `link_matches` (like identity.matches) and `link_held_back` from canonical tables.

    An end that no tool delivered any more (the loser of a merge) still joins those who point to it. A link between two
    entity types (a lead and the account that came of it) is no match.
    """
    _all_links(con, tables)
    con.execute(
        """create or replace temp table typed_links as
        select coalesce(l.entity_type, r.entity_type) as entity_type, k.record_key, k.linked_key, k.kind,
               l.record_key is null or r.record_key is null as is_dangling
        from all_links k
        left join identity.records l on l.record_key = k.record_key
        left join identity.records r on r.record_key = k.linked_key
        where k.record_key <> k.linked_key
          and coalesce(l.entity_type, r.entity_type) = coalesce(r.entity_type, l.entity_type)"""
    )
    con.execute(
        f"""create or replace temp table crowded as
        select entity_type, kind as rule, linked_key as evidence, count(*) as record_count,
               count(*) || ' records refer to one' as reason
        from typed_links where kind in ('mirror', 'cross_reference') group by all having count(*) > {MOST_RECORDS}"""
    )
    con.execute("create or replace temp table link_held_back as from crowded")
    con.execute(
        """create or replace temp table link_matches as
        select distinct entity_type, least(record_key, linked_key) as left_key,
               greatest(record_key, linked_key) as right_key, kind as rule, 1.0::double as probability, '' as evidence
        from typed_links l
        where not is_dangling
          and not exists (from crowded c where c.rule = l.kind and c.evidence = l.linked_key)"""
    )
    _through_missing_records(con)


def _all_links(con: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
    parts = [
        f"select record_key, {column} as linked_key, '{kind}' as kind from canonical.{entity.table} "
        f"where {column} is not null"
        for entity in ENTITIES.values()
        for column, kind in entity.link_columns.items()
        if entity.table in tables
    ]
    if "canonical_record_link" in tables:
        parts.append(
            "select record_key, linked_key, kind from canonical.canonical_record_link "
            "where record_key is not null and linked_key is not null"
        )
    parts.append("select null::varchar, null::varchar, null::varchar where false")
    con.execute(f"create or replace temp table all_links as select distinct * from ({' union all '.join(parts)})")


def _through_missing_records(con: duckdb.DuckDBPyConnection) -> None:
    """Join the records that meet in an end which is in no table: A and B both merged into C, and C is gone."""
    dangling = con.execute(
        """select entity_type || '|' || record_key as l, entity_type || '|' || linked_key as r
        from typed_links l where is_dangling and kind <> 'converted'
          and not exists (from crowded c where c.rule = l.kind and c.evidence = l.linked_key)"""
    ).to_arrow_table()
    if dangling.num_rows == 0:
        return
    con.register("met", components(dangling.column("l"), dangling.column("r")).cast(_NODES))
    con.execute(
        """insert into link_matches
        with known as (
            select r.entity_type, r.record_key, m.component, min(r.record_key) over (partition by m.component) as hub
            from met m join identity.records r on r.entity_type || '|' || r.record_key = m.node
        ),
        kinds as (
            select entity_type, coalesce(l.record_key, l.linked_key) as record_key, min(kind) as kind
            from (
                select entity_type, record_key, linked_key, kind from typed_links where is_dangling
                union all select entity_type, linked_key, record_key, kind from typed_links where is_dangling
            ) l
            where kind <> 'converted' group by all
        )
        select distinct k.entity_type, least(k.record_key, k.hub), greatest(k.record_key, k.hub),
               coalesce(s.kind, 'merged'), 1.0::double, ''
        from known k left join kinds s on s.entity_type = k.entity_type and s.record_key = k.record_key
        where k.record_key <> k.hub"""
    )
    con.unregister("met")


_NODES = pa.schema([("node", pa.string()), ("component", pa.string())])
