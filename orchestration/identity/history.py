"""The ledger of merges and splits: which existing entity became which.

Rows are made in the same transaction as the clusters (an outbox in the models file) and moved to the raw file's ledger
afterwards, once each: a run killed in between is completed by the next. A full refresh reads the ledger, never adds.
"""

from __future__ import annotations

import duckdb

from orchestration.identity import overrides
from orchestration.identity.rules import RANKED

_SAME = " and ".join(
    f"l.{column} is not distinct from o.{column}"
    for column in ("entity_type", "old_entity_id", "new_entity_id", "changed_at", "reason", "run_seq")
)


def note_changes(con: duckdb.DuckDBPyConnection) -> None:
    """Compare `old_clusters` with `new_clusters` and put each change of an existing record's entity into the outbox.

    `changed_at` is the run's as-of, not the clock: the same loads give the same rows. Uses temp table `added_matches`
    and those of `overrides`.
    """
    ranks = ", ".join(f"('{rule}', {rank})" for rank, rule in enumerate(RANKED))
    con.execute(
        f"""insert into identity.history_outbox
        with ranks (rule, rank) as (values {ranks}),
        moves as (
            select o.entity_type, o.entity_id as old_id, n.entity_id as new_id
            from old_clusters o join new_clusters n using (entity_type, record_key) group by all
        ),
        fates as (
            select *, count(*) over (partition by entity_type, old_id) as parts,
                   count(*) over (partition by entity_type, new_id) as sources
            from moves
        ),
        overridden as (
            select entity_type, side, entity_id, min(word) as word from ({overrides.causes()}) group by all
        ),
        causes as (
            select n.entity_type, n.entity_id as new_id, arg_min(rule, rank) as rule
            from added_matches a join ranks using (rule)
            join new_clusters n on n.entity_type = a.entity_type and n.record_key = a.left_key group by all
        )
        select f.entity_type, f.old_id, f.new_id, c.as_of,
               case when f.parts > 1 then 'split' || coalesce(': ' || p.word, '')
                    when f.sources > 1 then 'merge' || coalesce(': ' || m.word, ': ' || k.rule, '')
                    else 'earliest record changed' end,
               c.through_seq
        from fates f
        cross join resolve_context c
        left join causes k on k.entity_type = f.entity_type and k.new_id = f.new_id
        left join overridden p on p.side = 'old' and p.entity_type = f.entity_type and p.entity_id = f.old_id
        left join overridden m on m.side = 'new' and m.entity_type = f.entity_type and m.entity_id = f.new_id
        where f.old_id <> f.new_id
        order by all"""
    )


def flush(con: duckdb.DuckDBPyConnection, raw: str) -> int:
    """Move the outbox into the ledger of the attached database `raw`, skipping what is there already. Rows moved."""
    waiting = con.execute("select count(*) from identity.history_outbox").fetchone()
    if not waiting or not waiting[0]:
        return 0
    columns = "entity_type, old_entity_id, new_entity_id, changed_at, reason, run_seq"
    con.execute(
        f"""insert into {raw}.ledger.identity_history ({columns})
        select {columns} from identity.history_outbox o
        where not exists (from {raw}.ledger.identity_history l where {_SAME}) order by all"""
    )
    con.execute("delete from identity.history_outbox")
    return int(waiting[0])
