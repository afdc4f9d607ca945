"""The matching rules: which keys join two records, and which blocks are held back.

A rule that compares keys is a function from one kind of block (records with the same key value) to matches: Arrow in,
Arrow out, and a function of the blocks alone, so that recomputing a touched block equals recomputing everything. The
certain rules are here with probability 1.0; a probabilistic one is a further row of RULES.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from orchestration.identity.contact_points import is_shared_mailbox
from orchestration.identity.person_names import PersonName, clearly_different, same_name

MOST_RECORDS = 500
"""No certain key joins more records than this: such a key is a placeholder, not an identity."""
MOST_NAMES = 20
"""More different names than this under one 法人番号 or one address: it was typed in for want of a better one."""


@dataclass(frozen=True)
class Found:
    """What a rule says of some blocks. `matches`: entity_type, left_key, right_key, rule, probability, evidence."""

    matches: pa.Table
    held_back: pa.Table
    branch_links: pa.Table | None = None


@dataclass(frozen=True)
class Rule:
    """`find` sees the blocks of `block_key`: entity_type, evidence, record_key, and the record's `name` key."""

    name: str
    block_key: str
    name_key: str
    find: Callable[[pa.Table], Found]
    names_of_matches: tuple[str, ...]


OVERRIDE = "override"
"""A person said so, in the map identity_overrides."""

LINK_KINDS = ("merged", "converted", "mirror", "cross_reference")
"""Links that the tools themselves keep; `record_link.kind` is the rule's name."""

_STAR = """
    select entity_type, least(record_key, hub) as left_key, greatest(record_key, hub) as right_key,
           rule, 1.0::double as probability, evidence
    from (select *, min(record_key) over (partition by entity_type, evidence, part) as hub from {groups})
    where record_key <> hub
"""
"""A group as a star around its smallest key: n - 1 matches say the same as n²."""


def by_corporate_number(blocks: pa.Table) -> Found:
    """Equal 法人番号 joins the records of one branch; different branches of one company are linked, not joined."""
    with duckdb.connect() as con:
        con.register("blocks", blocks)
        con.execute(
            """create temp table parts as
            select *, split_part(coalesce(name, ''), '/', 2) as part, 'corporate_number' as rule,
                   count(*) over same_part as record_count,
                   len(list(distinct split_part(name, '/', 1)) over same_part) as name_count
            from blocks
            window same_part as (partition by entity_type, evidence, split_part(coalesce(name, ''), '/', 2))"""
        )
        con.execute(
            f"create temp view usable as from parts where record_count <= {MOST_RECORDS} and name_count <= {MOST_NAMES}"
        )
        matches = con.execute(_STAR.format(groups="usable")).to_arrow_table()
        held = con.execute(
            f"""select entity_type, 'corporate_number' as rule, evidence, max(record_count) as record_count,
                       'used by ' || max(name_count) || ' names in ' || max(record_count) || ' records' as reason
            from parts where record_count > {MOST_RECORDS} or name_count > {MOST_NAMES} group by all"""
        ).to_arrow_table()
        branches = con.execute(
            """select b.record_key as branch_key, h.head_key, b.evidence as corporate_number
            from usable b
            join (select evidence, min(record_key) as head_key from usable where part = '' group by all) h
              on h.evidence = b.evidence
            where b.part <> ''"""
        ).to_arrow_table()
    return Found(matches, held, branches)


def by_domain_and_name(blocks: pa.Table) -> Found:
    """The same registrable domain of a company and the same normal form of its name, branch included."""
    with duckdb.connect() as con:
        con.register("blocks", blocks)
        con.execute(
            """create temp table parts as
            select *, name as part, 'domain_and_name' as rule,
                   count(*) over (partition by entity_type, evidence, name) as record_count
            from blocks where name is not null"""
        )
        con.execute(f"create temp view usable as from parts where record_count <= {MOST_RECORDS}")
        matches = con.execute(_STAR.format(groups="usable")).to_arrow_table()
        held = con.execute(
            f"""select entity_type, 'domain_and_name' as rule, evidence, max(record_count) as record_count,
                       max(record_count) || ' records of one name' as reason
            from parts where record_count > {MOST_RECORDS} group by all"""
        ).to_arrow_table()
    return Found(matches, held)


def by_email(blocks: pa.Table) -> Found:
    """The same address, unless it is shared: a desk's mailbox, or one with clearly different names on it.

    A shared address still joins the records that carry the same full name.
    """
    with duckdb.connect() as con:
        con.register("blocks", blocks)
        judged = _judge_addresses(
            con.execute(
                "select distinct entity_type || ' ' || evidence as evidence, name from blocks order by all"
            ).to_arrow_table()
        )
        con.register("judged", judged)
        con.execute(
            """create temp table parts as
            select b.*, j.part, j.rule, j.reason,
                   count(*) over (partition by b.entity_type, b.evidence, j.part) as record_count
            from blocks b
            join judged j on j.evidence = b.entity_type || ' ' || b.evidence and j.name is not distinct from b.name"""
        )
        con.execute(f"create temp view usable as from parts where part is not null and record_count <= {MOST_RECORDS}")
        matches = con.execute(_STAR.format(groups="usable")).to_arrow_table()
        held = con.execute(
            f"""select entity_type, 'email' as rule, evidence, count(*) as record_count,
                       coalesce(max(reason), 'used by ' || count(*) || ' records') as reason
            from parts group by all having count(*) > 1
               and (max(reason) is not null or max(record_count) filter (where part is not null) > {MOST_RECORDS})"""
        ).to_arrow_table()
    return Found(matches, held)


_JUDGED = pa.schema([(name, pa.string()) for name in ("evidence", "name", "part", "rule", "reason")])


def _judge_addresses(names: pa.Table) -> pa.Table:
    """Distinct (type and address, name), ordered -> which part of its address each name belongs to; no part joins nothing."""
    rows: list[tuple[str, str | None, str | None, str, str | None]] = []
    start, addresses, forms = 0, names.column("evidence").to_pylist(), names.column("name").to_pylist()
    for end in range(1, len(addresses) + 1):
        if end < len(addresses) and addresses[end] == addresses[start]:
            continue
        rows += _judge(addresses[start], forms[start:end])
        start = end
    columns = zip(*rows, strict=True) if rows else [()] * len(_JUDGED)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=_JUDGED)


def _judge(address: str, forms: list[str | None]) -> list[tuple[str, str | None, str | None, str, str | None]]:
    known = [form for form in forms if form]
    reason = _why_shared(address, known)
    if reason is None:
        return [(address, form, "", "email", None) for form in forms]
    parts = _groups_of_same_name(known)
    return [(address, form, parts.get(form or ""), "email_and_name", reason) for form in forms]


def _why_shared(address: str, forms: list[str]) -> str | None:
    if is_shared_mailbox(address.partition(" ")[2]):
        return "a desk's mailbox"
    if len(forms) > MOST_NAMES:
        return f"{len(forms)} different names"
    parsed = [PersonName.parse(form) for form in forms]
    for i, left in enumerate(parsed):
        if any(clearly_different(left, right) for right in parsed[i + 1 :]):
            return "clearly different names"
    return None


def _groups_of_same_name(forms: list[str]) -> dict[str, str]:
    """form -> label of its group. Beyond MOST_NAMES only identical forms are grouped."""
    if len(forms) > MOST_NAMES:
        return {form: form for form in forms}
    groups: dict[str, str] = {}
    for form in sorted(forms):
        name = PersonName.parse(form)
        alike = [other for other in groups if same_name(name, PersonName.parse(other))]
        label = min((groups[other] for other in alike), default=form)
        groups = {other: label if groups[other] in {groups[a] for a in alike} else was for other, was in groups.items()}
        groups[form] = label
    return groups


RULES: tuple[Rule, ...] = (
    Rule("corporate_number", "corporate_number", "company_name", by_corporate_number, ("corporate_number",)),
    Rule("domain_and_name", "domain", "company_name", by_domain_and_name, ("domain_and_name",)),
    Rule("email", "email", "person_name", by_email, ("email", "email_and_name")),
)
GROUPED = tuple(name for rule in RULES for name in rule.names_of_matches)
"""Rules whose matches are stars over a group: all its members are joined with each other."""
RANKED = (OVERRIDE, *LINK_KINDS, *GROUPED)
"""Which rule is named when several join a record: the first."""
